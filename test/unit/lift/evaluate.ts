// A plain evaluator of IR, written without regard to speed and apart from emit/: it says what a lift means, so that a lift can be
// held against recorded vectors without an engine. Knows scalar operators, and the helpers that it is given.
import type { Code, OpOf } from '../../../src/ir/operations.ts';
import type { Value } from '../../../src/ir/types.ts';
import { Cpu, GPR_STRIDE, SegCache } from '../../../src/layout/cpu.ts';

export type Outcome =
  | { kind: 'next' | 'jump' | 'repeat' | 'leave' }
  | { kind: 'indirect'; eip: number }
  | { kind: 'fault'; vector: number };

export interface GuestMemory {
  /** Bytes by linear address; undefined: not mapped. */
  read(linear: number): number | undefined;
  write(linear: number, byte: number): void;
}

export type Helper = (machine: Machine, ...args: (number | bigint)[]) => number | bigint | undefined;

class Fault extends Error {
  readonly vector: number;
  constructor(vector: number) {
    super(`fault ${vector}`);
    this.vector = vector;
  }
}

const u32 = (v: number | bigint) => Number(v) >>> 0;
const bitsOf = (v: number, width: number) => (width === 32 ? v >>> 0 : v & ((1 << width) - 1));
const signed = (v: number, width: number) => (v << (32 - width)) >> (32 - width);

const COMPARE = /^(eq|ne|lt|gt|le|ge)(?:_([su]))?$/;

/** A scalar Wasm operator. i32 values are signed numbers, i64 values signed bigints. */
export function operator(name: string, args: (number | bigint)[]): number | bigint {
  if (name === 'select') return args[0] !== 0 ? args[1]! : args[2]!;
  if (name === 'i32.wrap_i64') return Number(BigInt.asIntN(32, args[0] as bigint));
  if (name === 'i64.extend_i32_s') return BigInt(args[0]!);
  if (name === 'i64.extend_i32_u') return BigInt(u32(args[0]!));
  const [space, op] = name.split('.') as [string, string];
  const bits = space === 'i64' ? 64 : 32;
  const mask = BigInt(bits - 1);
  const s = args.map((v) => BigInt(v));
  const u = s.map((v) => BigInt.asUintN(bits, v));
  const [a, b] = [u[0]!, u[1]!];
  const result = (v: bigint) => (bits === 64 ? BigInt.asIntN(64, v) : Number(BigInt.asIntN(32, v)));
  const compare = COMPARE.exec(op);
  if (compare) {
    const [l, r] = compare[2] === 's' ? [s[0]!, s[1]!] : [a, b];
    return Number({ eq: l === r, ne: l !== r, lt: l < r, gt: l > r, le: l <= r, ge: l >= r }[compare[1] as 'eq']);
  }
  if (/^(div|rem)/.test(op) && b === 0n) throw new Error(`${name} by 0`);
  switch (op) {
    case 'add':
      return result(a + b);
    case 'sub':
      return result(a - b);
    case 'mul':
      return result(a * b);
    case 'div_u':
      return result(a / b);
    case 'rem_u':
      return result(a % b);
    case 'div_s':
      if (BigInt.asIntN(bits, s[0]! / s[1]!) !== s[0]! / s[1]!) throw new Error(`${name} overflows`);
      return result(s[0]! / s[1]!);
    case 'rem_s':
      return result(s[0]! % s[1]!);
    case 'and':
      return result(a & b);
    case 'or':
      return result(a | b);
    case 'xor':
      return result(a ^ b);
    case 'shl':
      return result(a << (b & mask));
    case 'shr_u':
      return result(a >> (b & mask));
    case 'shr_s':
      return result(s[0]! >> (b & mask));
    case 'rotl':
      return result((a << (b & mask)) | (a >> ((BigInt(bits) - (b & mask)) & mask)));
    case 'rotr':
      return result((a >> (b & mask)) | (a << ((BigInt(bits) - (b & mask)) & mask)));
    case 'eqz':
      return Number(a === 0n);
    case 'clz':
      return bits === 32 ? Math.clz32(Number(a)) : result(BigInt(64 - a.toString(2).length + Number(a === 0n)));
    case 'ctz':
      return a === 0n ? bits : a.toString(2).length - 1 - a.toString(2).lastIndexOf('1');
    case 'popcnt':
      return a.toString(2).replaceAll('0', '').length;
    case 'extend8_s':
      return result(BigInt.asIntN(8, a));
    case 'extend16_s':
      return result(BigInt.asIntN(16, a));
    default:
      throw new Error(`operator ${name} is not known here`);
  }
}

export class Machine {
  readonly cpu = new DataView(new ArrayBuffer(Cpu.size));
  readonly memory: GuestMemory;
  readonly helpers: Record<string, Helper>;
  constructor(memory: GuestMemory, helpers: Record<string, Helper> = {}) {
    this.memory = memory;
    this.helpers = helpers;
  }

  // Arithmetic flags, kept as a packed word at the place of the two lazy words ------------------------------------------
  /** CF PF AF ZF SF OF as EFLAGS has them. */
  get arith(): number {
    const r = this.cpu.getInt32(Cpu.at.flagR, true);
    const x = this.cpu.getInt32(Cpu.at.flagX, true);
    const cf = x >>> 31;
    let parity = (r ^ (x >> 8)) & 0xff;
    for (const n of [4, 2, 1]) parity ^= parity >> n;
    const sf = (r < 0 ? 1 : 0) ^ (x & 1);
    return cf | ((~parity & 1) << 2) | ((x & 8) << 1) | (Number(r === 0) << 6) | (sf << 7) | ((cf ^ ((x >>> 30) & 1)) << 11);
  }
  set arith(v: number) {
    const bit = (n: number) => (v >>> n) & 1;
    const r = bit(6) ? 0 : 1;
    this.cpu.setInt32(Cpu.at.flagR, r, true);
    // Even parity of (r ^ delta): r = 0 is even, r = 1 is odd.
    const odd = r === 1 ? bit(2) : bit(2) ^ 1;
    this.cpu.setInt32(Cpu.at.flagX, (bit(0) << 31) | ((bit(0) ^ bit(11)) << 30) | (odd << 8) | (bit(4) << 3) | bit(7), true);
  }

  private setFlags(op: OpOf<'flags'>, a: number, b: number, r: number): void {
    const { width, flag } = op;
    const [ua, ub, ur] = [bitsOf(a, width), bitsOf(b, width), bitsOf(r, width)];
    const [sa, sb, sr] = [signed(a, width), signed(b, width), signed(r, width)];
    const old = this.arith;
    const adds = flag === 'add' || flag === 'adc' || flag === 'inc';
    // The carry in, where there is one, is what the result has too much.
    const carryIn = flag === 'adc' ? bitsOf(ur - ua - ub, width) : flag === 'sbb' ? bitsOf(ua - ub - ur, width) : 0;
    const cf = adds ? ua + ub + carryIn >= 2 ** width : ua < ub + carryIn;
    const of = adds ? sa + sb + carryIn !== sr : sa - sb - carryIn !== sr;
    const af = ((ua ^ ub ^ ur) >> 4) & 1;
    const logic = flag === 'logic';
    const keeps = flag === 'inc' || flag === 'dec';
    let parity = ur & 0xff;
    for (const n of [4, 2, 1]) parity ^= parity >> n;
    this.arith =
      (logic ? 0 : keeps ? old & 1 : Number(cf)) |
      ((~parity & 1) << 2) |
      (logic ? 0 : af << 4) |
      (Number(ur === 0) << 6) |
      (Number(sr < 0) << 7) |
      (logic ? 0 : Number(of) << 11);
  }

  private condition(cc: string): number {
    const f = this.arith;
    const [c, p, z, s, o] = [0, 2, 6, 7, 11].map((n) => ((f >>> n) & 1) === 1);
    const table: Record<string, boolean> = { o, b: c, e: z, be: c || z, s, p, l: s !== o, le: z || s !== o } as Record<string, boolean>;
    const inverse: Record<string, string> = { no: 'o', ae: 'b', ne: 'e', a: 'be', ns: 's', np: 'p', ge: 'l', g: 'le' };
    return Number(cc in table ? table[cc] : !table[inverse[cc]!]);
  }

  // Memory ---------------------------------------------------------------------------------------------------------------
  load(linear: number, bytes: number): bigint {
    let v = 0n;
    for (let i = 0; i < bytes; i++) {
      const byte = this.memory.read((linear + i) >>> 0);
      if (byte === undefined) throw new Fault(14);
      v |= BigInt(byte) << BigInt(8 * i);
    }
    return v;
  }
  store(linear: number, bytes: number, value: bigint): void {
    this.load(linear, bytes);
    for (let i = 0; i < bytes; i++) this.memory.write((linear + i) >>> 0, Number((value >> BigInt(8 * i)) & 0xffn));
  }
  private typed(type: string, bytes: number, isSigned: boolean, raw: bigint): number | bigint {
    if (type === 'i64') return BigInt.asIntN(64, raw);
    return Number(isSigned || bytes === 4 ? BigInt.asIntN(bytes * 8, raw) : raw);
  }

  // Evaluation -----------------------------------------------------------------------------------------------------------
  run(code: Code): Outcome {
    try {
      return this.evaluate(code);
    } catch (error) {
      if (error instanceof Fault) return { kind: 'fault', vector: error.vector };
      throw error;
    }
  }

  private evaluate(code: Code): Outcome {
    const values: (number | bigint)[] = [];
    const get = (v: Value) => {
      if (values[v] === undefined) throw new Error(`value ${v} is not there`);
      return values[v];
    };
    const num = (v: Value) => get(v) as number;
    for (const [i, op] of code.ops.entries()) {
      switch (op.kind) {
        case 'const':
          values[i] = op.value as number | bigint;
          break;
        case 'pure':
          values[i] = operator(op.name, op.args.map(get));
          break;
        case 'cpu':
          values[i] = 0;
          break;
        case 'get':
          values[i] = this.cpu.getInt32(Cpu.at.gpr + op.reg * GPR_STRIDE, true);
          break;
        case 'set':
          this.cpu.setInt32(Cpu.at.gpr + op.reg * GPR_STRIDE, num(op.value), true);
          break;
        case 'ldstate': {
          const at = (op.address === undefined ? 0 : num(op.address)) + op.offset;
          let raw = 0n;
          for (let k = 0; k < op.bytes; k++) raw |= BigInt(this.cpu.getUint8(at + k)) << BigInt(8 * k);
          values[i] = this.typed(op.type, op.bytes, op.signed, raw);
          break;
        }
        case 'ststate': {
          const at = (op.address === undefined ? 0 : num(op.address)) + op.offset;
          const raw = BigInt(get(op.value));
          for (let k = 0; k < op.bytes; k++) this.cpu.setUint8(at + k, Number((raw >> BigInt(8 * k)) & 0xffn));
          break;
        }
        case 'load':
          values[i] = this.typed(op.type, op.bytes, op.signed, this.load(num(op.address), op.bytes));
          break;
        case 'fence':
        case 'pause':
          break;
        case 'store':
          this.store(num(op.address), op.bytes, BigInt(get(op.value)));
          break;
        case 'linear':
          values[i] = (num(op.offset) + this.cpu.getInt32(num(op.seg) + SegCache.at.base, true)) | 0;
          break;
        case 'flags':
          this.setFlags(op, num(op.a), num(op.b), num(op.r));
          break;
        case 'setRX':
          this.cpu.setInt32(Cpu.at.flagR, num(op.r), true);
          this.cpu.setInt32(Cpu.at.flagX, num(op.x), true);
          break;
        case 'flagR':
          values[i] = this.cpu.getInt32(Cpu.at.flagR, true);
          break;
        case 'flagX':
          values[i] = this.cpu.getInt32(Cpu.at.flagX, true);
          break;
        case 'cond':
          values[i] = this.condition(op.cc);
          break;
        case 'raise':
          if (op.cond === undefined || num(op.cond) !== 0) throw new Fault(op.vector);
          break;
        case 'helper': {
          const helper = this.helpers[op.name];
          if (helper === undefined) throw new Error(`helper ${op.name} is not known here`);
          const result = op.when?.every((v) => num(v) === 0) ? get(op.otherwise!) : helper(this, ...op.args.map(get));
          if (result !== undefined) values[i] = result;
          break;
        }
        case 'insn':
          break;
        case 'branch':
          return { kind: num(op.cond) !== 0 ? 'jump' : 'next' };
        case 'repeat':
          if (num(op.cond) !== 0) return { kind: 'repeat' };
          break;
        case 'nextIf':
          if (num(op.cond) !== 0) return { kind: 'next' };
          break;
        case 'indirect':
        case 'callIndirect':
        case 'ret':
          return { kind: 'indirect', eip: u32(num(op.eip)) };
        case 'call':
          return { kind: 'jump' };
        case 'jump':
        case 'leave':
        case 'next':
          return { kind: op.kind };
        default:
          throw new Error(`operation ${op.kind} is not known here`);
      }
    }
    return { kind: 'next' };
  }
}
