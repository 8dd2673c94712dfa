// IR -> Wasm expressions: what the interpreter's handlers and the JIT's regions have in common. Registers, record
// fields, flags words and the ways out differ, and are abstract here.
import { effectsOf, isCall, type Op, type OpOf, operands } from '../ir/operations.ts';
import type { Type, Value } from '../ir/types.ts';
import { Cpu, FAULT, FAULT_HAS_ERROR, SegCache } from '../layout/cpu.ts';
import { type RuntimeFunction, runtime, runtimeFunction } from '../runtime/abi.ts';
import { conditionOfOperation, conditionOfWords, type PendingFlags } from './flags.ts';
import { LocalPool } from './locals.ts';
import { pure } from './module/expressions.ts';
import { type Emitter, type Expr, i32, none, type ValueType, type WasmModule, wasmType } from './module.ts';

/** Local of every table function that holds the CPU's base address. */
export const CPU_LOCAL = 1;

/** An operation that calls something. */
export type CallOp = OpOf<'helper' | 'call' | 'callIndirect'>;

export abstract class Lowering {
  readonly e: Emitter;
  readonly m: WasmModule;
  readonly locals: LocalPool;
  protected body: Expr[] = [];
  protected ops: readonly Op[] = [];
  /** Position in `ops` of the operation being lowered. */
  protected at = 0;
  /** Where each value lives: a local, or an expression made anew at its one use. */
  private home: (number | undefined)[] = [];
  private folded: boolean[] = [];
  private lastUse: number[] = [];
  /** Values that die at each position. */
  private dying: (Value[] | undefined)[] = [];
  protected constructor(e: Emitter, firstLocal: number) {
    this.e = e;
    this.m = e.m;
    this.locals = new LocalPool(firstLocal);
  }

  // What regions and handlers answer differently ----------------------------------------------------------------------
  /** Leaves because Cpu.fault is set (statement that does not come back). */
  protected abstract faultExit(): Expr;
  /** EIP of the current instruction. */
  protected abstract eip(): Expr;
  protected abstract getRegister(reg: number): Expr;
  protected abstract setRegister(reg: number, v: Expr): void;
  protected abstract flagR(): Expr;
  protected abstract flagX(): Expr;
  protected abstract setFlagWords(r: Expr, x: Expr): void;
  protected abstract setFlags(p: PendingFlags): void;
  protected abstract pendingFlags(): PendingFlags | undefined;
  protected abstract recordField(offset: number): Expr;
  /** Makes Cpu.gpr (and flags) in memory current before a helper, and drops what it changes after. */
  protected abstract beforeHelper(op: CallOp): void;
  protected abstract afterHelper(op: CallOp): void;
  protected abstract terminator(op: Op): void;
  protected abstract guestLoad(op: OpOf<'load'>, i: number): void;
  protected abstract guestStore(op: OpOf<'store'>): void;
  /** Whether locked accesses must be atomic, as other CPUs may run at the same time. */
  protected abstract readonly atomic: boolean;
  /** What was found out for a read-modify-write holds no longer. */
  protected abstract dropKept(): void;
  /** How far the inputs of a flags operation live: regions keep them lazily. */
  protected readonly lazyFlags: boolean = false;
  protected startInstruction(_op: OpOf<'insn'>): void {}

  // Small words --------------------------------------------------------------------------------------------------------
  c(n: number): Expr {
    return this.m.i32.const(n);
  }
  cpu(): Expr {
    return this.m.local.get(CPU_LOCAL, i32);
  }
  loadCpu(offset: number): Expr {
    return this.m.i32.load(offset, 4, this.cpu());
  }
  storeCpu(offset: number, v: Expr): Expr {
    return this.m.i32.store(offset, 4, this.cpu(), v);
  }
  /** Adds to a counter (u64) of the CPU. */
  count(offset: number, by: Expr): Expr {
    const { m } = this;
    return m.i64.store(offset, 8, this.cpu(), m.i64.add(m.i64.load(offset, 8, this.cpu()), by));
  }
  get(local: number, type: ValueType = i32): Expr {
    return this.m.local.get(local, type);
  }
  /** A condition that is hardly ever true: a hint for the engine. */
  unlikely(e: Expr): Expr {
    return this.m.unlikely(e);
  }
  emit(e: Expr): void {
    this.body.push(e);
  }

  // Lowering of a list -------------------------------------------------------------------------------------------------
  /** Lowers `ops` and returns the statements; `finish` runs at the end, while values still have their locals. */
  lower(ops: readonly Op[], finish?: () => void): Expr[] {
    this.body = [];
    this.ops = ops;
    this.analyse();
    for (this.at = 0; this.at < ops.length; this.at++) {
      this.lowerOp(ops[this.at]!, this.at);
      if (this.at < ops.length - 1 || finish === undefined) this.release(this.at);
    }
    finish?.();
    if (finish !== undefined) this.release(ops.length - 1);
    this.release(ops.length);
    return this.body;
  }

  /** Decides which values are folded into their one use, and how long the others live. */
  private analyse(): void {
    const { ops } = this;
    const uses = new Array<number>(ops.length).fill(0);
    for (const op of ops) for (const v of operands(op)) uses[v]!++;
    this.folded = ops.map((op, i) =>
      op.kind === 'const' ? true : op.kind === 'pure' || op.kind === 'rec' || op.kind === 'cpu' ? uses[i] === 1 : false,
    );
    this.home = new Array(ops.length);
    const last = (this.lastUse = new Array<number>(ops.length).fill(-1));
    let flagsEnd = ops.length;
    for (let i = ops.length - 1; i >= 0; i--) {
      const op = ops[i]!;
      // An operation without effects that nobody uses is not there at all.
      if (last[i]! < 0 && (op.kind === 'pure' || op.kind === 'rec' || op.kind === 'cpu' || op.kind === 'get' || op.kind === 'ldstate'))
        continue;
      // A folded operation is evaluated where its user is.
      let at = this.folded[i] && op.kind !== 'const' ? last[i]! : i;
      if (op.kind === 'flags' && this.lazyFlags) at = flagsEnd;
      for (const v of operands(op)) last[v] = Math.max(last[v]!, at);
      if (op.kind === 'flags' || op.kind === 'setRX') flagsEnd = i;
    }
    this.foldRegisters();
    this.dying = [];
    last.forEach((at, v) => {
      if (!this.folded[v] && at >= 0) (this.dying[at] ??= []).push(v);
    });
  }

  /** A register read needs no copy if the register is not written before the value's last use. */
  private foldRegisters(): void {
    const { ops } = this;
    for (let i = 0; i < ops.length; i++) {
      const op = ops[i]!;
      if (op.kind !== 'get') continue;
      let clean = true;
      for (let j = i + 1; clean && j < Math.min(this.lastUse[i]!, ops.length); j++) {
        const other = ops[j]!;
        if (other.kind === 'set' && other.reg === op.reg) clean = false;
        if (isCall(other)) {
          const { writes } = effectsOf(other);
          if (writes === 'all' || writes?.includes(op.reg)) clean = false;
        }
      }
      this.folded[i] = clean;
    }
  }

  /** Values whose last use was operation i give their locals back. */
  private release(i: number): void {
    for (const v of this.dying[i] ?? []) {
      if (this.home[v] === undefined) continue;
      this.locals.free(this.home[v]);
      this.home[v] = undefined;
    }
  }

  /** A fresh expression for value v. */
  value(v: Value): Expr {
    const op = this.ops[v]!;
    if (this.folded[v]) return this.expression(op);
    const local = this.home[v];
    if (local === undefined) throw new Error(`value ${v} (${op.kind}) has no local`);
    return this.get(local, wasmType[(op as { type: Type }).type]);
  }

  private expression(op: Op): Expr {
    const { m } = this;
    switch (op.kind) {
      case 'const':
        if (op.type === 'i32') return m.i32.const(op.value as number);
        if (op.type === 'i64') return m.i64.const(op.value as bigint);
        if (op.type === 'v128') return m.v128.const([...(op.value as Uint8Array)]);
        return op.type === 'f32' ? m.f32.const(op.value as number) : m.f64.const(op.value as number);
      case 'pure':
        return pure(
          op.name,
          op.args.map((v) => this.value(v)),
          op.imm,
        );
      case 'cpu':
        return this.cpu();
      case 'rec':
        return this.recordField(op.offset);
      case 'get':
        return this.getRegister(op.reg);
      default:
        throw new Error(`${op.kind} cannot be folded`);
    }
  }

  /** Sets the local of the value defined by the operation at `i`. */
  protected define(i: number, type: Type, e: Expr): void {
    if (this.lastUse[i]! < 0) {
      this.emit(this.m.drop(e));
      return;
    }
    const local = this.locals.take(wasmType[type]);
    this.home[i] = local;
    this.emit(this.m.local.set(local, e));
  }

  /** Whether nobody uses the value defined at `i`. */
  protected dead(i: number): boolean {
    return this.lastUse[i]! < 0;
  }
  /** The value defined at `i` is in `local` from here on. */
  protected place(i: number, local: number): void {
    this.home[i] = local;
  }

  private lowerOp(op: Op, i: number): void {
    if (this.folded[i]) return;
    const { m } = this;
    switch (op.kind) {
      case 'const':
        return;
      case 'pure':
        if (this.lastUse[i]! >= 0) this.define(i, op.type, this.expression(op));
        return;
      case 'cpu':
      case 'rec':
      case 'get':
        if (this.lastUse[i]! >= 0) this.define(i, op.type, this.expression(op));
        return;
      case 'set':
        return this.setRegister(op.reg, this.value(op.value));
      case 'ldstate':
        if (this.lastUse[i]! < 0) return;
        return this.define(
          i,
          op.type,
          this.rawLoad(op.type, op.bytes, op.signed, op.offset, op.address === undefined ? this.cpu() : this.value(op.address)),
        );
      case 'ststate':
        return this.emit(
          this.rawStore(
            op.bytes,
            op.offset,
            op.address === undefined ? this.cpu() : this.value(op.address),
            this.value(op.value),
            this.typeOfValue(op.value),
          ),
        );
      case 'load':
        return this.guestLoad(op, i);
      case 'store':
        return this.guestStore(op);
      case 'linear':
        return this.linear(op, i);
      case 'flags':
        return this.setFlags({
          flag: op.flag,
          width: op.width,
          a: () => this.value(op.a),
          b: () => this.value(op.b),
          r: () => this.value(op.r),
        });
      case 'setRX':
        return this.setFlagWords(this.value(op.r), this.value(op.x));
      case 'flagR':
        return this.define(i, 'i32', this.flagR());
      case 'flagX':
        return this.define(i, 'i32', this.flagX());
      case 'cond': {
        if (this.lastUse[i]! < 0) return;
        const pending = this.pendingFlags();
        const direct = pending && conditionOfOperation(m, op.cc, pending);
        return this.define(
          i,
          'i32',
          direct ??
            conditionOfWords(
              m,
              op.cc,
              () => this.flagR(),
              () => this.flagX(),
            ),
        );
      }
      case 'helper':
        return this.helper(op, i);
      case 'raise': {
        const error = op.error === undefined ? [] : [this.storeCpu(Cpu.at.faultError, this.value(op.error))];
        const word = FAULT | op.vector | (op.error === undefined ? 0 : FAULT_HAS_ERROR);
        const leave = m.block(null, [
          this.storeCpu(Cpu.at.eip, this.eip()),
          ...error,
          this.storeCpu(Cpu.at.fault, this.c(word)),
          this.faultExit(),
        ]);
        return this.emit(op.cond === undefined ? leave : m.if(this.unlikely(this.value(op.cond)), leave));
      }
      case 'fence':
        if (this.atomic) for (const e of this.fence()) this.emit(e);
        return;
      case 'pause':
        if (this.atomic) this.emit(this.callRuntime(runtime.relax));
        return;
      case 'insn':
        this.dropKept();
        return this.startInstruction(op);
      default:
        return this.terminator(op);
    }
  }

  protected typeOfValue(v: Value): Type {
    return (this.ops[v] as { type: Type }).type;
  }

  /** See `serialize` in wasm/base/state.ts. */
  protected fence(): Expr[] {
    const { m } = this;
    return [m.i32.atomic.store(Cpu.at.zero, this.cpu(), this.c(0)), m.drop(m.i32.atomic.load(Cpu.at.zero, this.cpu()))];
  }

  // Memory -------------------------------------------------------------------------------------------------------------
  rawLoad(type: Type, bytes: number, signed: boolean, offset: number, address: Expr): Expr {
    const { m } = this;
    if (type === 'v128') return m.v128.load(offset, 1, address);
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

  private linear(op: OpOf<'linear'>, i: number): void {
    const { m } = this;
    const seg = this.locals.take(i32);
    const offset = this.locals.take(i32);
    const result = this.locals.take(i32);
    this.emit(m.local.set(seg, this.value(op.seg)));
    this.emit(m.local.set(offset, this.value(op.offset)));
    const top = m.i32.load(op.write ? SegCache.at.topWrite : SegCache.at.topRead, 4, this.get(seg));
    const slow = this.callRuntime(
      runtime.slowLinear,
      this.get(seg),
      this.get(offset),
      this.c(op.bytes),
      this.c(op.write ? 1 : 0),
      this.eip(),
    );
    this.emit(
      m.if(
        m.i32.lt_u(this.get(offset), top),
        m.local.set(result, m.i32.add(this.get(offset), m.i32.load(SegCache.at.base, 4, this.get(seg)))),
        m.block(null, [m.local.set(result, slow), m.if(this.unlikely(this.loadCpu(Cpu.at.fault)), this.faultExit())]),
      ),
    );
    this.locals.free(seg);
    this.locals.free(offset);
    if (this.lastUse[i]! < 0) this.locals.free(result);
    else this.home[i] = result;
  }

  protected helper(op: OpOf<'helper'>, i: number): void {
    const { m } = this;
    const f = this.callee(op);
    if (op.when !== undefined) return this.seldomHelper(f, op, i);
    if (op.effects.mayFault || op.effects.eip) this.emit(this.storeCpu(Cpu.at.eip, this.eip()));
    const args = op.args.map((v) => this.value(v));
    this.beforeHelper(op);
    const call = this.callRuntime(f, ...args);
    this.dropKept();
    if (op.type === undefined) this.emit(call);
    else this.define(i, op.type, call);
    // First what it changed (a string instruction that faults midway has moved its registers), then the fault.
    this.afterHelper(op);
    if (op.effects.mayFault) this.emit(m.if(this.unlikely(this.loadCpu(Cpu.at.fault)), this.faultExit()));
  }

  /** The function that a helper operation calls. Throws where it is called with other types than it has. */
  private callee(op: OpOf<'helper'>): RuntimeFunction {
    const f = runtimeFunction(op.name);
    const wrong =
      f.result !== op.type || f.params.length !== op.args.length + 1 || op.args.some((v, k) => this.typeOfValue(v) !== f.params[k + 1]);
    if (wrong) throw new Error(`${op.name} is called with other types than src/runtime/abi.ts declares`);
    return f;
  }

  /** A call of the runtime, which gets the CPU first. */
  protected callRuntime(f: RuntimeFunction, ...args: Expr[]): Expr {
    return this.m.call(this.e.runtime(f), [this.cpu(), ...args], f.result === undefined ? none : wasmType[f.result]);
  }

  private seldomHelper(f: RuntimeFunction, op: OpOf<'helper'>, i: number): void {
    const { m } = this;
    const type = wasmType[op.type!];
    const result = this.locals.take(type);
    this.emit(m.local.set(result, this.value(op.otherwise!)));
    const call = this.callRuntime(f, ...op.args.map((v) => this.value(v)));
    // A branch for each: V8 would make values of the conditions to combine them.
    const ways = op.when!.map((v) => m.br('seldom', this.unlikely(this.value(v))));
    this.emit(m.block('often', [m.block('seldom', [...ways, m.br('often')]), m.local.set(result, call)]));
    if (this.lastUse[i]! < 0) this.locals.free(result);
    else this.home[i] = result;
  }
}
