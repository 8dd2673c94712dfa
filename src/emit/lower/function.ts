// One function that is being written: its statements and locals, and the words that everything writes it with.
import type { Type } from '../../ir/types.ts';
import { Cpu } from '../../layout/cpu.ts';
import type { RuntimeFunction } from '../../runtime/abi.ts';
import { type Emitter, type Expr, i32, none, type ValueType, type WasmModule, wasmType } from '../module.ts';
import { LocalPool } from './locals.ts';

/** Locals of every table function: what it was entered with, and the CPU's base address. */
const ENTERED_LOCAL = 0;
export const CPU_LOCAL = 1;

/** What a call of a function with such parameters is given behind the CPU's address. */
export type Args<P extends readonly Type[]> = { readonly [K in keyof P]: Expr };

export class FunctionCode {
  readonly e: Emitter;
  readonly m: WasmModule;
  readonly locals: LocalPool;
  statements: Expr[] = [];

  /** `firstLocal`: the first local that is free. */
  constructor(e: Emitter, firstLocal: number) {
    this.e = e;
    this.m = e.m;
    this.locals = new LocalPool(firstLocal);
  }

  c(n: number): Expr {
    return this.m.i32.const(n);
  }
  cpu(): Expr {
    return this.m.local.get(CPU_LOCAL, i32);
  }
  /** What the function was entered with: the record of a handler, the table slot of a region. */
  entered(): Expr {
    return this.m.local.get(ENTERED_LOCAL, i32);
  }
  loadCpu(offset: number): Expr {
    return this.m.i32.load(offset, 4, this.cpu());
  }
  storeCpu(offset: number, v: Expr): Expr {
    return this.m.i32.store(offset, 4, this.cpu(), v);
  }
  /** `e` and a constant. */
  plus(e: Expr, n: number): Expr {
    return n === 0 ? e : this.m.i32.add(e, this.c(n));
  }
  get(local: number, type: ValueType = i32): Expr {
    return this.m.local.get(local, type);
  }
  /** A condition that is hardly ever true: a hint for the engine. */
  unlikely(e: Expr): Expr {
    return this.m.unlikely(e);
  }
  /** One that nearly always is. */
  likely(e: Expr): Expr {
    return this.m.likely(e);
  }
  emit(e: Expr): void {
    this.statements.push(e);
  }
  /** A call of the runtime, which gets the CPU first. Throws where it would be given other types than src/runtime/abi.ts declares. */
  callRuntime<P extends readonly Type[]>(f: RuntimeFunction<P>, ...args: Args<P>): Expr {
    const given = [this.cpu(), ...args];
    const { params } = f as RuntimeFunction;
    const wrong = given.length !== params.length || given.some(({ type }, k) => type !== wasmType[params[k]!]);
    if (wrong) throw new Error(`${f.name} is given other types than src/runtime/abi.ts declares`);
    return this.m.call(this.e.runtime(f), given, f.result === undefined ? none : wasmType[f.result]);
  }

  /** See `order` in wasm/base/state.ts. */
  fence(): Expr[] {
    const { m } = this;
    return [m.i32.atomic.store(Cpu.at.zero, this.cpu(), this.c(0)), m.drop(m.i32.atomic.load(Cpu.at.zero, this.cpu()))];
  }

  // Memory -----------------------------------------------------------------------------------------------------------
  rawLoad(type: Type, bytes: number, signed: boolean, offset: number, address: Expr): Expr {
    const { m } = this;
    if (type === 'v128') return (bytes === 16 ? m.v128.load : bytes === 8 ? m.v128.load64_zero : m.v128.load32_zero)(offset, 1, address);
    if (type === 'i64') return bytes === 8 ? m.i64.load(offset, 1, address) : m.i64.load32_u(offset, 1, address);
    if (bytes === 4) return m.i32.load(offset, 1, address);
    if (bytes === 2) return signed ? m.i32.load16_s(offset, 1, address) : m.i32.load16_u(offset, 1, address);
    return signed ? m.i32.load8_s(offset, 1, address) : m.i32.load8_u(offset, 1, address);
  }

  rawStore(bytes: number, offset: number, address: Expr, v: Expr, type: Type): Expr {
    const { m } = this;
    if (type === 'v128') return m.v128.store(offset, 1, address, v);
    if (type === 'i64') {
      if (bytes === 8) return m.i64.store(offset, 1, address, v);
      return bytes === 4
        ? m.i64.store32(offset, 1, address, v)
        : bytes === 2
          ? m.i64.store16(offset, 1, address, v)
          : m.i64.store8(offset, 1, address, v);
    }
    if (bytes === 4) return m.i32.store(offset, 1, address, v);
    return bytes === 2 ? m.i32.store16(offset, 1, address, v) : m.i32.store8(offset, 1, address, v);
  }
}
