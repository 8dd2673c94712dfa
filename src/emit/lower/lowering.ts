// Operations to Wasm, for a target (target.ts): the interpreter's handlers, or a region. Values get locals, or are made anew at their one
// use; what has no effects and no user is not there at all.
import { effectsOf, type Op, type OpOf, valueFields, valuesIn } from '../../ir/operations.ts';
import { ADDRESS, type Type, type Value } from '../../ir/types.ts';
import { CODE_XMMS, Cpu, FAULT, FAULT_HAS_ERROR, GPR_COUNT, SegCache } from '../../layout/cpu.ts';
import { runtime } from '../../runtime/abi.ts';
import { pure } from '../module/expressions.ts';
import { type Expr, i32, wasmType } from '../module.ts';
import { Access, type Values } from './access.ts';
import { RuntimeCalls } from './calls.ts';
import { conditionOfOperation, conditionOfWords } from './flags.ts';
import type { FunctionCode } from './function.ts';
import { Helpers } from './helpers.ts';
import type { Target } from './target.ts';

/** Lanes by the type of one. */
const LANES: Partial<Record<Type, string>> = { i32: 'i32x4', i64: 'i64x2' };

/** Where the statements of an instruction begin. */
interface Start {
  readonly eip: number;
  readonly at: number;
}

export class Lowering implements Values {
  readonly f: FunctionCode;
  private readonly target: Target;
  readonly calls: RuntimeCalls;
  readonly access: Access;
  readonly helpers: Helpers;
  ops: readonly Op[] = [];
  /** Where each value lives: a local, or an expression made anew at its one use. */
  private home: (number | undefined)[] = [];
  private folded: boolean[] = [];
  private uses: number[] = [];
  /** Where each value is used last; -1: nowhere. */
  private lastUse: number[] = [];
  /** Values that die at each position, as a list: the first of them by the position, the next one by the value before; -1 at its end. */
  private dying: number[] = [];
  private alsoDying: number[] = [];

  constructor(f: FunctionCode, target: Target) {
    this.f = f;
    this.target = target;
    this.calls = new RuntimeCalls(f, target);
    this.access = new Access(f, this, target, this.calls);
    this.helpers = new Helpers(f, this, target, this.calls, this.access);
  }

  // Lowering of a list -------------------------------------------------------------------------------------------------
  /** Lowers `ops` and returns the statements; `finish` runs at the end, while values still have their locals. */
  lower(ops: readonly Op[], finish?: () => void): Expr[] {
    this.f.statements = [];
    this.ops = ops;
    this.analyse();
    const { notes } = this.f.e;
    const starts: Start[] = [];
    for (let at = 0; at < ops.length; at++) {
      const op = ops[at]!;
      this.lowerOp(op, at);
      if (notes && op.kind === 'insn') starts.push({ eip: op.eip, at: this.f.statements.length });
      if (at < ops.length - 1 || finish === undefined) this.release(at);
    }
    finish?.();
    if (finish !== undefined) this.release(ops.length - 1);
    this.release(ops.length);
    if (starts.length > 0) this.f.statements = this.noted(starts);
    return this.f.statements;
  }

  /** The statements with whose they are: the first of each instruction's. */
  private noted(starts: readonly Start[]): Expr[] {
    const { statements } = this.f;
    const parts = starts.map(({ eip, at }, k) => this.f.e.noted(eip, statements.slice(at, starts[k + 1]?.at)));
    return [...statements.slice(0, starts[0]!.at), ...parts.flat()];
  }

  /** Decides which values are folded into their one use, and how long the others live. All users of a value come behind it: one look, from the end. */
  private analyse(): void {
    const { ops } = this;
    const count = ops.length;
    const folded = (this.folded = new Array<boolean>(count).fill(false));
    const uses = (this.uses = new Array<number>(count).fill(0));
    const last = (this.lastUse = new Array<number>(count).fill(-1));
    this.home = new Array(count);
    this.dying = new Array<number>(count + 1).fill(-1);
    this.alsoDying = new Array<number>(count).fill(-1);
    const { lazyFlags } = this.target;
    let flagsEnd = count;
    /** By register: the next place where it is written. */
    const written: number[] = new Array<number>(GPR_COUNT).fill(count);
    const writtenVectors: number[] = new Array<number>(CODE_XMMS).fill(count);
    for (let i = count - 1; i >= 0; i--) {
      const op = ops[i]!;
      const used = last[i]!;
      let at = i;
      switch (op.kind) {
        case 'const':
          folded[i] = true;
          continue;
        case 'pure':
        case 'rec':
        case 'cpu':
          // A folded operation is evaluated where its user is.
          if (uses[i] === 1) {
            folded[i] = true;
            at = used;
          }
          // An operation without effects that nobody uses is not there at all.
          if (used < 0) at = -1;
          break;
        case 'get':
          // A register read needs no copy if the register is not written before the value's last use.
          folded[i] = written[op.reg]! >= used;
          break;
        case 'getx':
          folded[i] = writtenVectors[op.xmm]! >= used;
          break;
        case 'ldstate':
          if (used < 0) at = -1;
          break;
        case 'set':
          written[op.reg] = i;
          break;
        case 'setx':
          writtenVectors[op.xmm] = i;
          break;
        case 'flags':
          if (lazyFlags) at = flagsEnd;
          flagsEnd = i;
          break;
        case 'setRX':
          flagsEnd = i;
          break;
        case 'helper':
        case 'call':
        case 'callIndirect': {
          const { writes } = effectsOf(op);
          if (writes === 'all') {
            written.fill(i);
            writtenVectors.fill(i);
          } else if (writes !== undefined) for (const reg of writes) written[reg] = i;
          break;
        }
      }
      this.use(op, at);
      if (used >= 0 && !folded[i]) {
        this.alsoDying[i] = this.dying[used]!;
        this.dying[used] = i;
      }
    }
  }

  /** Counts the values that an operation reads, at the place where it does so; -1: it is not there. */
  private use(op: Op, at: number): void {
    const { uses, lastUse } = this;
    const fields = valueFields(op.kind);
    for (let k = 0; k < fields.length; k++) {
      const v = valuesIn(op, fields[k]!);
      if (typeof v === 'number') {
        uses[v]!++;
        if (lastUse[v]! < at) lastUse[v] = at;
      } else if (v !== undefined)
        for (let n = 0; n < v.length; n++) {
          const x = v[n]!;
          uses[x]!++;
          if (lastUse[x]! < at) lastUse[x] = at;
        }
    }
  }

  /** Values whose last use was operation i give their locals back. */
  private release(i: number): void {
    for (let v = this.dying[i]!; v >= 0; v = this.alsoDying[v]!) {
      const local = this.home[v];
      if (local === undefined) continue;
      this.f.locals.free(local);
      this.home[v] = undefined;
    }
  }

  value(v: Value): Expr {
    const op = this.ops[v]!;
    if (this.folded[v]) return this.expression(op);
    const local = this.home[v];
    if (local === undefined) throw new Error(`value ${v} (${op.kind}) has no local`);
    return this.f.get(local, wasmType[(op as { type: Type }).type]);
  }

  repeatable(v: Value): boolean {
    const { kind } = this.ops[v]!;
    return !this.folded[v] || kind === 'const' || kind === 'get' || (kind === 'getx' && this.typeOfValue(v) === 'v128');
  }

  less(v: Value, n: number): Expr {
    const op = this.ops[v]!;
    if (op.kind === 'const') return this.f.c((op.value as number) - n);
    if (this.folded[v] && op.kind === 'pure' && op.name === `${ADDRESS}.add`) {
      const [base, by] = op.args.map((arg) => this.ops[arg]!);
      if (by!.kind === 'const' && base!.kind !== 'const')
        return this.f.plus(this.value(op.args[0]!), ((by as { value: number }).value - n) | 0);
    }
    return this.f.plus(this.value(v), -n | 0);
  }

  private expression(op: Op): Expr {
    const { m } = this.f;
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
        return this.f.cpu();
      case 'rec':
        return this.f.rawLoad('i32', op.bytes, false, op.offset, this.f.entered());
      case 'get':
        return this.target.register(op.reg);
      case 'getx': {
        const whole = this.target.vector!(op.xmm);
        return op.lane === undefined ? whole : pure(`${LANES[op.type]}.extract_lane`, [whole], op.lane);
      }
      default:
        throw new Error(`${op.kind} cannot be folded`);
    }
  }

  define(i: number, type: Type, e: Expr): void {
    if (this.lastUse[i]! < 0) {
      this.f.emit(this.f.m.drop(e));
      return;
    }
    const local = this.f.locals.take(wasmType[type]);
    this.home[i] = local;
    this.f.emit(this.f.m.local.set(local, e));
  }

  dead(i: number): boolean {
    return this.lastUse[i]! < 0;
  }
  place(i: number, local: number): void {
    this.home[i] = local;
  }

  destination(i: number, type: Type): number {
    const to = this.becomes(i);
    if (to !== undefined) {
      this.folded[to] = true;
      return this.target.registerLocal!((this.ops[to] as OpOf<'set'>).reg);
    }
    return this.f.locals.take(wasmType[type]);
  }
  arrived(i: number, local: number): void {
    if (this.folded[this.lastUse[i]!]) return;
    if (this.dead(i)) this.f.locals.free(local);
    else this.place(i, local);
  }

  /** The operation that only gives the value defined at `i` to a register, where that may as well be done at once. */
  private becomes(i: number): number | undefined {
    const to = this.lastUse[i]!;
    if (to < 0 || this.uses[i] !== 1 || this.target.registerLocal === undefined) return undefined;
    const op = this.ops[to]!;
    if (op.kind !== 'set' || op.value !== i) return undefined;
    for (let k = i + 1; k < to; k++) {
      const between = this.ops[k]!;
      if (this.folded[k]) {
        if (between.kind === 'get' && between.reg === op.reg) return undefined;
      } else if (between.kind !== 'set' || between.reg === op.reg || this.readsRegister(between.value, op.reg)) return undefined;
    }
    return to;
  }
  /** Whether a value that is made anew where it is used reads a register. */
  private readsRegister(v: Value, reg: number): boolean {
    if (!this.folded[v]) return false;
    const op = this.ops[v]!;
    return op.kind === 'get' ? op.reg === reg : op.kind === 'pure' && op.args.some((arg) => this.readsRegister(arg, reg));
  }

  private lowerOp(op: Op, i: number): void {
    if (this.folded[i]) return;
    const { m } = this.f;
    switch (op.kind) {
      case 'const':
        return;
      case 'pure':
        if (this.lastUse[i]! >= 0) this.define(i, op.type, this.expression(op));
        return;
      case 'cpu':
      case 'rec':
      case 'get':
      case 'getx':
        if (this.lastUse[i]! >= 0) this.define(i, op.type, this.expression(op));
        return;
      case 'ldstate':
        if (this.lastUse[i]! < 0) return;
        return this.define(
          i,
          op.type,
          this.f.rawLoad(op.type, op.bytes, op.signed, op.offset, op.address === undefined ? this.f.cpu() : this.value(op.address)),
        );
      case 'ststate':
        this.f.emit(
          this.f.rawStore(
            op.bytes,
            op.offset,
            op.address === undefined ? this.f.cpu() : this.value(op.address),
            this.value(op.value),
            this.typeOfValue(op.value),
          ),
        );
        if (op.address === undefined && op.offset === Cpu.at.mxcsr) for (const e of this.target.controlChanged?.() ?? []) this.f.emit(e);
        return;
      case 'load':
        return this.access.load(op, i);
      case 'store':
        return this.access.store(op);
      case 'reach':
        return this.target.reach!(op);
      case 'ldstack':
        return this.access.loadStack(op, i);
      case 'ststack':
        return this.access.storeStack(op);
      case 'linear':
        return this.linear(op, i);
      case 'flags':
        return this.target.flags.setFlags({
          flag: op.flag,
          width: op.width,
          a: () => this.value(op.a),
          b: () => this.value(op.b),
          r: () => this.value(op.r),
        });
      case 'setRX':
        return this.target.flags.setFlagWords(this.value(op.r), this.value(op.x));
      case 'flagR':
        return this.define(i, 'i32', this.target.flags.flagR());
      case 'flagX':
        return this.define(i, 'i32', this.target.flags.flagX());
      case 'cond': {
        if (this.lastUse[i]! < 0) return;
        const pending = this.target.flags.pendingFlags();
        const direct = pending && conditionOfOperation(m, op.cc, pending);
        return this.define(
          i,
          'i32',
          direct ??
            conditionOfWords(
              m,
              op.cc,
              () => this.target.flags.flagR(),
              () => this.target.flags.flagX(),
            ),
        );
      }
      case 'helper':
        return this.helpers.helper(op, i);
      case 'raise': {
        const error = op.error === undefined ? [] : [this.f.storeCpu(Cpu.at.faultError, this.value(op.error))];
        const word = FAULT | op.vector | (op.error === undefined ? 0 : FAULT_HAS_ERROR);
        const leave = m.block(null, [
          this.f.storeCpu(Cpu.at.eip, this.target.eip()),
          ...error,
          this.f.storeCpu(Cpu.at.fault, this.f.c(word)),
          this.target.faultExit(),
        ]);
        return this.f.emit(op.cond === undefined ? leave : m.if(this.f.unlikely(this.value(op.cond)), leave));
      }
      case 'fence':
        if (this.target.atomic) for (const e of this.f.fence()) this.f.emit(e);
        return;
      case 'pause':
        if (this.target.atomic) for (const e of this.calls.inside(runtime.relax, [])) this.f.emit(e);
        return;
      case 'insn':
        this.access.dropKept();
        return this.target.startInstruction(op);
      case 'set':
        return this.target.setRegister(op.reg, this.value(op.value));
      case 'setx': {
        const value = this.value(op.value);
        if (op.lane === undefined) return this.target.setVector!(op.xmm, value);
        const lanes = LANES[this.typeOfValue(op.value)]!;
        return this.target.setVector!(op.xmm, pure(`${lanes}.replace_lane`, [this.target.vector!(op.xmm), value], op.lane));
      }
      case 'repeat':
        return this.f.emit(m.if(this.value(op.cond), m.block(null, this.target.leaveHere())));
      case 'nextIf':
        return this.f.emit(m.if(this.f.unlikely(this.value(op.cond)), m.block(null, this.target.leaveBehind())));
      case 'yield': {
        const leave = m.block(null, [this.f.storeCpu(Cpu.at.exit, this.f.c(op.exit)), ...this.target.leaveHere()]);
        return this.f.emit(m.if(this.f.unlikely(this.value(op.cond)), leave));
      }
      default:
        return this.target.transfer(op);
    }
  }

  typeOfValue(v: Value): Type {
    return (this.ops[v] as { type: Type }).type;
  }

  private linear(op: OpOf<'linear'>, i: number): void {
    const { m } = this.f;
    const seg = this.f.locals.take(i32);
    const offset = this.f.locals.take(i32);
    const result = this.f.locals.take(i32);
    this.f.emit(m.local.set(seg, this.value(op.seg)));
    this.f.emit(m.local.set(offset, this.value(op.offset)));
    const top = m.i32.load(op.write ? SegCache.at.topWrite : SegCache.at.topRead, 4, this.f.get(seg));
    const args = [this.f.get(seg), this.f.get(offset), this.f.c(op.bytes), this.f.c(op.write ? 1 : 0), this.target.eip()] as const;
    const slow = this.calls.inside(runtime.slowLinear, args, (linear) => m.local.set(result, linear));
    this.f.emit(
      m.if(
        m.i32.lt_u(this.f.get(offset), top),
        m.local.set(result, m.i32.add(this.f.get(offset), m.i32.load(SegCache.at.base, 4, this.f.get(seg)))),
        m.block(null, slow),
      ),
    );
    this.f.locals.free(seg);
    this.f.locals.free(offset);
    if (this.lastUse[i]! < 0) this.f.locals.free(result);
    else this.home[i] = result;
  }
}
