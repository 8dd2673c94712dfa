// The interpreter: one Wasm function ("handler") for each instruction form, generated at build time from the same
// lifts as the JIT. A handler reads its operands from the record at local 0 and tail-calls the next record's handler.

import { type Level, woven } from '../../instrument/hooks.ts';
import { HEADS, type HeadName, type Instrument } from '../../instrument/index.ts';
import { throughOperations } from '../../instrument/instrument.ts';
import type { RuntimePart } from '../../instrument/runtime-places.ts';
import { eipOf } from '../../ir/blocks.ts';
import { Builder } from '../../ir/builder.ts';
import type { Value } from '../../ir/types.ts';
import { Cpu, Exit, FAULT_AGAIN, FAULT_BAIL, GPR_STRIDE, Mode, NO_RETURN, Step, Vector } from '../../layout/cpu.ts';
import {
  ADDRESS16,
  BlockHead,
  CONTROL,
  Control,
  CpuArea,
  HEAT_PERIOD,
  JUMP_ENTRIES,
  JUMP_SHIFT,
  JumpEntry,
  Record,
  RecordPlace,
  Tlb,
} from '../../layout/memory.ts';
import { ProfOutcome, ProfReason, ProfWhy } from '../../layout/prof.ts';
import { type Form, inMemory } from '../../lift/form.ts';
import type { Leaves } from '../../lift/leaves.ts';
import { Lifter, type LiftSpec } from '../../lift/lifter.ts';
import { eipAt as eipOfRecord } from '../../lift/region-leaves.ts';
import { runtime } from '../../runtime/abi.ts';
import { callPoll } from '../lower/calls.ts';
import { type PendingFlags, wordR, wordX } from '../lower/flags.ts';
import { FunctionCode } from '../lower/function.ts';
import { Lowering } from '../lower/lowering.ts';
import { eipAt, enterAnyPage } from '../lower/places.ts';
import { isUnusual } from '../lower/quick-ways.ts';
import { HANDLER } from '../lower/slow-ways.ts';
import type { Target, TargetFlags, TransferOp } from '../lower/target.ts';
import { behind, dispatched, type TransferCount, type TransferCounts, transferCounts } from '../lower/transfer-counts.ts';
import { Emitter, type Expr, i32, none } from '../module.ts';
import { FIRST_FORM, type Pseudo } from './table.ts';

const OPERAND_FIELDS = [Record.at.op0, Record.at.op1, RecordPlace.op2];

/** Operands are loads from the record. */
export class RecordLeaves implements Leaves {
  private readonly b: Builder;
  private readonly form: Form;
  constructor(b: Builder, form: Form) {
    this.b = b;
    this.form = form;
  }
  /** The record knows. */
  readonly target = undefined;
  readonly next = undefined;
  private field(offset: number, bytes = 4): Value {
    return this.b.push({ kind: 'rec', type: 'i32', bytes, offset });
  }
  /** `more`: a number that follows the operand's. */
  private operand(k: number, more = 0): Value {
    return this.field(OPERAND_FIELDS[this.form.ops.slice(0, k).filter(({ kind }) => !inMemory(kind)).length + more]!);
  }
  private state(bytes: number, signed: boolean, address: Value | undefined, offset: number): Value {
    return this.b.push({ kind: 'ldstate', type: 'i32', bytes, signed, address, offset });
  }
  readReg(k: number, size: number, signed: boolean): Value {
    return this.state(size, signed, this.operand(k), 0);
  }
  writeReg(k: number, size: number, v: Value): void {
    this.b.push({ kind: 'ststate', bytes: size, address: this.operand(k), offset: 0, value: v });
  }
  imm(k: number): Value {
    return this.operand(k);
  }
  farOffset(k: number): Value {
    return this.operand(k, 1);
  }
  number(k: number): Value {
    return this.operand(k);
  }
  regAddress(k: number): Value {
    return this.operand(k);
  }
  offset(): Value {
    const { b } = this;
    const base = this.state(4, false, this.field(Record.at.base), 0);
    const index = this.state(4, false, this.field(Record.at.index), 0);
    const scaled = b.address('shl', index, this.field(Record.at.scale, 1));
    const sum = b.address('add', b.address('add', base, scaled), this.field(Record.at.disp));
    return this.form.segmented ? b.address('and', sum, this.addressMask()) : sum;
  }
  segment(): Value {
    return this.b.add(this.b.push({ kind: 'cpu', type: 'i32' }), this.field(Record.at.seg, 2));
  }
  addressMask(): Value {
    const { b, form } = this;
    // Strings have a form for each size.
    if (form.ops.some(({ kind }) => kind === 'str')) return b.const(form.addrsize === 2 ? 0xffff : -1);
    const bits = b.and(b.shr_u(this.field(Record.at.scale, 1), b.const(Math.log2(ADDRESS16 / 16))), b.const(16));
    return b.shr_u(b.const(-1), bits);
  }
  getGpr(reg: number, size: number, high: boolean): Value {
    return this.state(size, false, undefined, Cpu.at.gpr + reg * GPR_STRIDE + (high ? 1 : 0));
  }
  setGpr(reg: number, size: number, high: boolean, v: Value): void {
    this.b.push({ kind: 'ststate', bytes: size, address: undefined, offset: Cpu.at.gpr + reg * GPR_STRIDE + (high ? 1 : 0), value: v });
  }
  thisEip(): Value {
    return eipOfRecord(this.b, this.field(Record.at.eip));
  }
  nextEip(): Value {
    return this.b.add(this.thisEip(), this.field(Record.at.length, 1));
  }
}

const REC_LOCAL = 0;

/** The flags' words, which are always current in memory. */
class HandlerFlags implements TargetFlags {
  private readonly f: FunctionCode;
  constructor(f: FunctionCode) {
    this.f = f;
  }
  flagR(): Expr {
    return this.f.loadCpu(Cpu.at.flagR);
  }
  flagX(): Expr {
    return this.f.loadCpu(Cpu.at.flagX);
  }
  setFlagWords(r: Expr, x: Expr): void {
    this.f.emit(this.f.storeCpu(Cpu.at.flagR, r));
    this.f.emit(this.f.storeCpu(Cpu.at.flagX, x));
  }
  setFlags(p: PendingFlags): void {
    const { f } = this;
    this.setFlagWords(
      wordR(f.m, p),
      wordX(f.m, p, () => this.flagX()),
    );
  }
  pendingFlags(): undefined {
    return undefined;
  }
}

class HandlerTarget implements Target {
  readonly f: FunctionCode;
  readonly lowering: Lowering;
  readonly flags: TargetFlags;
  readonly slow = HANDLER;
  readonly atomic = true;
  readonly lazyFlags = false;
  readonly counts: TransferCounts;
  /** The instruction runs in flat code. */
  flat = false;
  /** It uses the links of its record. */
  links = false;
  /** A branch to an EIP of 16 bits. */
  narrow = false;

  /** Where the dispatcher and its like are called: this module has them, or it imports them from that of all handlers. */
  readonly called: (name: 'dispatch' | 'raise' | 'link') => string;

  constructor(e: Emitter, instruments: readonly Instrument[], imports: boolean) {
    this.called = imports ? (name) => e.code(name) : (name) => name;
    this.f = new FunctionCode(e, 2);
    this.counts = transferCounts(this.f, instruments);
    this.flags = new HandlerFlags(this.f);
    this.lowering = new Lowering(this.f, this);
  }
  rec(): Expr {
    return this.f.get(REC_LOCAL);
  }
  recordField(offset: number): Expr {
    return this.f.m.i32.load(offset, 4, this.rec());
  }
  eip(): Expr {
    return this.eipIn(Record.at.eip);
  }
  /** That in a field of the record. */
  eipIn(offset: number): Expr {
    return eipAt(this.f, this.recordField(offset));
  }
  faultExit(faulted?: Expr): Expr {
    const exit = this.f.m.return_call(this.called('raise'), [this.rec(), this.f.cpu()], none);
    return faulted === undefined ? exit : this.f.m.if(this.f.unlikely(faulted), exit);
  }
  startInstruction(): void {}
  beforeCall(): void {}
  afterCall(): void {}
  // The records that are wrong are stale.
  mayHaveStored(): void {}
  unusual(): Expr {
    return isUnusual(this.f.loadCpu(Cpu.at.mxcsr));
  }
  tlbAllows(word: Expr, write: boolean): Expr {
    const { f } = this;
    // The user's bits lie two above the kernel's; Mode.USER >> 1 is that distance.
    const shift = f.m.i32.shr_u(f.m.i32.and(f.loadCpu(Cpu.at.mode), f.c(Mode.USER)), f.c(1));
    return f.m.i32.and(f.m.i32.shr_u(word, shift), f.c(write ? Tlb.KERNEL_WRITE : Tlb.KERNEL_READ));
  }
  register(reg: number): Expr {
    return this.f.loadCpu(Cpu.at.gpr + reg * GPR_STRIDE);
  }
  setRegister(reg: number, v: Expr): void {
    this.f.emit(this.f.storeCpu(Cpu.at.gpr + reg * GPR_STRIDE, v));
  }
  /** EIP of the next instruction. */
  private nextEip(): Expr {
    const { m } = this.f;
    return m.i32.add(this.eip(), m.i32.load8_u(Record.at.length, 1, this.rec()));
  }
  leaveHere(): Expr[] {
    return [this.f.storeCpu(Cpu.at.eip, this.eip()), ...this.dispatch(ProfReason.REPEAT)];
  }
  leaveBehind(): Expr[] {
    return [this.f.storeCpu(Cpu.at.eip, this.nextEip()), ...this.dispatch(ProfReason.LEAVE)];
  }
  /** On by the dispatcher; `reason`: why (ProfReason). */
  dispatch(reason: number): Expr[] {
    return [...this.counts.why(reason), this.f.m.return_call(this.called('dispatch'), [this.f.c(0), this.f.cpu()], none)];
  }

  private go(record: Expr): void {
    const to = this.f.locals.take();
    this.f.emit(this.f.m.local.set(to, record));
    this.f.emit(this.f.m.return_call_indirect(this.f.m.i32.load(Record.at.handler, 4, this.f.get(to)), [this.f.get(to), this.f.cpu()]));
  }
  /** `size`: that of what comes before. */
  next(size = Record.size): void {
    this.go(this.f.m.i32.add(this.rec(), this.f.c(size)));
  }
  private chainTarget(): Expr {
    const chain = this.chain(RecordPlace.link, this.eipIn(RecordPlace.target));
    if (!this.narrow) return chain;
    // Where that leads depends on where the code is, so no link may say it.
    const { m } = this.f;
    const eip = m.i32.and(this.eipIn(RecordPlace.target), this.f.c(0xffff));
    const away = m.block(null, [this.f.storeCpu(Cpu.at.eip, eip), ...this.dispatch(ProfReason.LINK)]);
    return m.block(null, [m.if(this.f.loadCpu(Cpu.at.codePage), away), chain]);
  }
  /** Goes to EIP `target` through link field `link`, or looks it up and links it. */
  chain(link: number, target: Expr): Expr {
    this.links = true;
    const { m } = this.f;
    const to = this.f.locals.take();
    return m.block(null, [
      m.if(
        m.local.tee(to, this.recordField(link), i32),
        m.return_call_indirect(m.i32.load(Record.at.handler, 4, this.f.get(to)), [this.f.get(to), this.f.cpu()]),
      ),
      this.f.storeCpu(Cpu.at.eip, target),
      m.return_call(this.called('link'), [m.i32.add(this.rec(), this.f.c(link)), this.f.cpu()], none),
    ]);
  }
  /** RET: to the region that waits for it, if it goes there. */
  private returnTo(eip: Expr): void {
    this.f.emit(this.f.storeCpu(Cpu.at.eip, eip));
    const { m } = this.f;
    const comesBack = m.block(null, [
      ...this.counts.count('waitedReturns'),
      this.f.storeCpu(Cpu.at.callReturn, m.i32.xor(this.f.loadCpu(Cpu.at.callReturn), this.f.c(-1))),
      m.return(),
    ]);
    this.f.emit(m.if(m.i32.eq(this.f.loadCpu(Cpu.at.eip), this.f.loadCpu(Cpu.at.callReturn)), comesBack));
    this.branch('returns');
  }
  dispatchNext(): void {
    this.dispatchTo(this.nextEip(), ProfReason.LEAVE);
  }
  dispatchTo(eip: Expr, reason: number): void {
    this.f.emit(this.f.storeCpu(Cpu.at.eip, eip));
    for (const e of this.dispatch(reason)) this.f.emit(e);
  }
  /** An indirect branch to Cpu.eip, which counts as `kind`. */
  private branch(kind: TransferCount): void {
    for (const e of [...this.counts.count(kind), ...this.dispatch(ProfReason.INTERPRETED | ProfWhy.BRANCH)]) this.f.emit(e);
  }
  private branchTo(eip: Expr, kind: TransferCount): void {
    this.f.emit(this.f.storeCpu(Cpu.at.eip, eip));
    this.branch(kind);
  }
  transfer(op: TransferOp): void {
    switch (op.kind) {
      case 'jump':
      case 'call':
        return this.f.emit(this.chainTarget());
      case 'branch':
        this.f.emit(this.f.m.if(this.lowering.value(op.cond), this.chainTarget()));
        return this.f.emit(this.chain(RecordPlace.linkNext, this.nextEip()));
      case 'indirect':
      case 'callIndirect':
        return this.branchTo(this.lowering.value(op.eip), 'jumps');
      case 'ret':
        return this.flat ? this.returnTo(this.lowering.value(op.eip)) : this.branchTo(this.lowering.value(op.eip), 'returns');
      case 'cross': {
        const dispatch = this.f.m.return_call(this.called('dispatch'), [this.f.c(0), this.f.cpu()], none);
        const counted = behind(this.f, this.counts.why(ProfReason.CROSSING), dispatch);
        const code = [...this.counts.count('crossings'), ...this.lowering.helpers.crossing(op, this.faultExit(), counted)];
        return this.f.emit(this.f.m.block(null, code));
      }
      case 'leave':
        for (const e of this.dispatch(ProfReason.LEAVE)) this.f.emit(e);
        return;
      case 'next':
        return this.dispatchNext();
      case 'exit':
        return this.dispatchTo(this.f.c(op.to), ProfReason.OTHER);
      // A handler has no copy of the loop.
      case 'guard':
        return this.dispatchTo(this.f.c(eipOf(op.next)), ProfReason.OTHER);
    }
  }
}

/** Where a handler stands. `imports`: in a module beside that of all handlers. `level`: of the code that it runs; `ramBytes`, `step`: see Weaving. All of these matter to hooks alone. */
export interface HandlerPlace {
  readonly step?: boolean;
  readonly imports?: boolean;
  readonly level?: Level;
  readonly ramBytes?: number;
}

/** Adds the handler of one form, named `name`. */
export function addHandler(
  e: Emitter,
  name: string,
  form: Form,
  spec: LiftSpec,
  instruments: readonly Instrument[] = [],
  { imports = false, step = false, level = 'kernel', ramBytes = 0 }: HandlerPlace = {},
): void {
  const b = new Builder();
  const x = new Lifter(b, form, new RecordLeaves(b, form));
  spec.lift(x);
  const t = new HandlerTarget(e, instruments, imports);
  t.flat = form.flat;
  t.narrow = form.ops.some(({ kind, size }) => kind === 'j' && size === 2);
  const ops = throughOperations(b.code.ops, instruments);
  const body = t.lowering.lower(woven(ops, instruments, { engine: 'interpreter', step, level, ramBytes, instruction: () => ({ form }) }));
  if (!x.ended) {
    if (spec.dispatches || spec.ends) t.dispatchNext();
    else t.next();
  }
  // A record has no more places (RecordPlace).
  const places = form.ops.reduce((sum, { kind }) => sum + (kind === 'far' ? 2 : inMemory(kind) ? 0 : 1), 0);
  if (places > (form.ops.some(({ kind }) => inMemory(kind)) ? 2 : 3) || (t.links && form.ops.some(({ kind }) => kind !== 'j')))
    throw new Error('its operands do not fit into a record');
  e.addCode(name, t.f.locals.types, e.m.block(null, body));
}

/** Adds a function of the handlers' frame, written out by `write`. */
function addPseudo(e: Emitter, name: Pseudo, instruments: readonly Instrument[], write: (t: HandlerTarget) => void): void {
  const t = new HandlerTarget(e, instruments, false);
  write(t);
  e.addCode(name, t.f.locals.types, e.m.block(null, t.f.statements));
}

/** What the dispatcher counts of itself. Without instruments that want it there is nothing to do. */
interface DispatcherCounts {
  begin(): readonly Expr[];
  /** Its entry came to a ProfOutcome. */
  note(outcome: number): readonly Expr[];
  /** Around runtime.stepDispatch, and behind runtime.lookup, which gave `found`. */
  stepping(): readonly Expr[];
  stepped(found: () => Expr): readonly Expr[];
  lookedUp(found: () => Expr): readonly Expr[];
}

function dispatcherCounts({ f, counts }: HandlerTarget): DispatcherCounts {
  if (!counts.on) return { begin: () => [], note: () => [], stepping: () => [], stepped: () => [], lookedUp: () => [] };
  const { m } = f;
  const why = f.locals.take();
  const step = f.locals.take();
  const note = (outcome: number) => [dispatched(f, why, outcome)];
  const either = (cond: Expr, yes: readonly Expr[], no: readonly Expr[]) => m.if(cond, m.block(null, [...yes]), m.block(null, [...no]));
  const unknown = [...note(ProfOutcome.DECODE), ...counts.why(ProfReason.DECODED)];
  const notFound = either(f.loadCpu(Cpu.at.fault), note(ProfOutcome.FAULT), unknown);
  return {
    begin: () => [m.local.set(why, f.loadCpu(Cpu.at.profWhy)), f.storeCpu(Cpu.at.profWhy, f.c(0))],
    note,
    stepping: () => [m.local.set(step, f.loadCpu(Cpu.at.step))],
    stepped: (found) => {
      const decodes = m.i32.eq(f.loadCpu(Cpu.at.exit), f.c(Exit.LOOKUP));
      const other = either(
        m.i32.and(m.i32.eq(f.get(step), f.c(Step.LOOKUP)), m.i32.ne(found(), f.c(0))),
        note(ProfOutcome.HASH),
        note(ProfOutcome.STEP),
      );
      return [either(decodes, unknown, [other])];
    },
    lookedUp: (found) => {
      // 1: it waited beside, or an instruction breakpoint is there.
      const beside = either(f.loadCpu(Cpu.at.step), note(ProfOutcome.STEP), note(ProfOutcome.BESIDE));
      const there = either(m.i32.eq(found(), f.c(1)), [beside], note(ProfOutcome.HASH));
      return [either(found(), [there], [notFound])];
    },
  };
}

/**
 * The head of a block: polls, does what instruments ask, counts heat (a request at the threshold, and again each period), and starts the first instruction.
 */
function writeHead(t: HandlerTarget, instruments: readonly Instrument[], level?: Level): void {
  const { m } = t.f;
  const b = new Builder();
  const field = (offset: number) => () => b.push({ kind: 'rec', type: 'i32', bytes: 4, offset });
  const start = {
    engine: 'interpreter',
    eip: () => eipOfRecord(b, field(BlockHead.at.eip)()),
    instructions: field(BlockHead.at.count),
    mode: undefined,
    ...(level && { level }),
  } as const;
  for (const instrument of instruments) instrument.block?.(b, start);
  const also = t.lowering.lower(b.code.ops);
  const dispatch = behind(t.f, t.counts.why(ProfReason.POLL), m.return_call(t.called('dispatch'), [t.f.c(0), t.f.cpu()], none));
  const poll = callPoll(t.f, runtime.poll, t.eipIn(BlockHead.at.eip), m.if(t.f.loadCpu(Cpu.at.exit), m.return(), dispatch));
  also.unshift(m.if(m.i32.load16_u(Cpu.at.pending, 2, t.f.cpu()), poll));
  const heat = t.f.locals.take();
  t.f.emit(m.local.set(heat, m.i32.add(t.recordField(BlockHead.at.heat), t.f.c(1))));
  t.f.emit(m.i32.store(BlockHead.at.heat, 4, t.rec(), t.f.get(heat)));
  const threshold = m.i32.load(CONTROL + Control.at.hotThreshold, 4, t.f.c(0));
  t.f.emit(m.if(m.i32.eq(m.i32.and(t.f.get(heat), t.f.c(HEAT_PERIOD - 1)), threshold), t.f.callRuntime(runtime.hot, t.rec())));
  t.next(BlockHead.size);
}

/** Adds the head of blocks with such instruments to a module that has no other heads. */
export function addHead(e: Emitter, name: string, instruments: readonly Instrument[], level: Level): void {
  const t = new HandlerTarget(e, instruments, true);
  writeHead(t, instruments, level);
  e.addCode(name, t.f.locals.types, e.m.block(null, t.f.statements));
}

/** A function that the runtime calls. */
class RuntimeTarget extends HandlerTarget {
  /** There is no record: whoever calls has left it there. */
  override eip(): Expr {
    return this.f.loadCpu(Cpu.at.eip);
  }
}

/** Adds a function that does operations and comes back, for the runtime to call with all of the CPU's state in memory: each list where Cpu.eip is in its ranges. */
export function addOperations(e: Emitter, name: string, parts: readonly RuntimePart[]): void {
  const t = new RuntimeTarget(e, [], true);
  const { m } = e;
  const within = ([from, to]: readonly [number, number]) => m.i32.lt_u(m.i32.sub(t.eip(), t.f.c(from | 0)), t.f.c((to - from) | 0));
  const code = parts.flatMap(({ ops, ranges }) => {
    const list = t.lowering.lower(ops);
    if (ranges === undefined) return list;
    return [
      m.if(
        ranges.map(within).reduce((a, b) => m.i32.or(a, b)),
        m.block(null, list),
      ),
    ];
  });
  e.addCode(name, t.f.locals.types, m.block(null, code));
}

/** `all`: instruments that all handlers have. */
function addPseudos(e: Emitter, all: readonly Instrument[]): void {
  const { m } = e;
  const add = (name: Pseudo, write: (t: HandlerTarget) => void) => addPseudo(e, name, all, write);
  const dispatch = (t: HandlerTarget, reason: number) =>
    behind(t.f, t.counts.why(reason), m.return_call('dispatch', [t.f.c(0), t.f.cpu()], none));
  for (const [name, instruments] of Object.entries(HEADS)) add(name as HeadName, (t) => writeHead(t, [...instruments, ...all]));
  // A block that ended without a branch: on to what follows.
  add('fall', (t) => t.f.emit(t.chain(RecordPlace.linkNext, t.eip())));
  // A record whose page was written to.
  add('stale', (t) => t.dispatchTo(t.eip(), ProfReason.CHANGED));
  // A head whose region is installed.
  add('enter', (t) => {
    t.f.emit(m.return_call_indirect(t.recordField(BlockHead.at.region), [t.recordField(BlockHead.at.region), t.f.cpu()]));
  });
  add('undefined', (t) => {
    t.lowering.lower([{ kind: 'raise', cond: undefined, vector: Vector.UD, error: undefined }]);
  });
  // An instruction that is too long, or that is not all inside the limit of CS, or that jumps outside of it.
  add('protection', (t) => {
    t.lowering.lower([
      { kind: 'const', type: 'i32', value: 0 },
      { kind: 'raise', cond: undefined, vector: Vector.GP, error: 0 },
    ]);
  });
  add('unsupported', (t) => {
    t.f.emit(t.f.storeCpu(Cpu.at.eip, t.eip()));
    t.f.emit(t.f.callRuntime(runtime.internalError, t.f.c(1), t.rec()));
  });
  // An empty slot of the table: local 0 is the slot; its guest PC stands in the slot table.
  add('stub', (t) => {
    t.dispatchTo(t.f.callRuntime(runtime.slotEip, t.rec()), ProfReason.STUB);
  });
  // From Cpu.eip on: the jump cache inline, then the runtime's look-up, then JavaScript.
  add('dispatch', (t) => {
    const eip = t.f.locals.take();
    const entry = t.f.locals.take();
    const user = m.i32.and(t.f.loadCpu(Cpu.at.mode), t.f.c(Mode.USER));
    const counts = dispatcherCounts(t);
    for (const x of counts.begin()) t.f.emit(x);
    t.f.emit(m.if(t.f.loadCpu(Cpu.at.exit), behind(t.f, counts.note(ProfOutcome.EXIT), m.return())));
    t.f.emit(
      m.if(
        t.f.loadCpu(Cpu.at.step),
        m.block(null, [
          ...counts.stepping(),
          m.local.set(entry, t.f.callRuntime(runtime.stepDispatch)),
          ...counts.stepped(() => t.f.get(entry)),
          m.if(m.i32.eqz(t.f.get(entry)), m.if(t.f.loadCpu(Cpu.at.exit), m.return(), dispatch(t, ProfWhy.AGAIN))),
          m.return_call_indirect(m.i32.load(Record.at.handler, 4, t.f.get(entry)), [t.f.get(entry), t.f.cpu()]),
        ]),
      ),
    );
    t.f.emit(m.local.set(eip, t.f.loadCpu(Cpu.at.eip)));
    const index = m.i32.and(m.i32.xor(t.f.get(eip), m.i32.shr_u(t.f.get(eip), t.f.c(JUMP_SHIFT))), t.f.c(JUMP_ENTRIES - 1));
    const cache = m.select(user, t.f.c(CpuArea.at.jumpUser), t.f.c(CpuArea.at.jumpKernel));
    const gen = m.i32.load(
      0,
      4,
      m.i32.add(
        t.f.cpu(),
        m.select(m.i32.and(t.f.loadCpu(Cpu.at.mode), t.f.c(Mode.USER)), t.f.c(Cpu.at.jumpUserGen), t.f.c(Cpu.at.jumpKernelGen)),
      ),
    );
    t.f.emit(m.local.set(entry, m.i32.add(m.i32.add(t.f.cpu(), cache), m.i32.shl(index, t.f.c(Math.log2(JumpEntry.size))))));
    const field = (offset: number) => m.i32.load(offset, 4, t.f.get(entry));
    t.f.emit(
      m.if(
        m.i32.eqz(m.i32.or(m.i32.xor(field(JumpEntry.at.eip), t.f.get(eip)), m.i32.xor(field(JumpEntry.at.gen), gen))),
        m.block(null, [
          ...counts.note(ProfOutcome.ENTRY),
          enterAnyPage(t.f, t.f.get(eip)),
          m.return_call_indirect(field(JumpEntry.at.func), [field(JumpEntry.at.arg), t.f.cpu()]),
        ]),
      ),
    );
    t.f.emit(m.local.set(entry, t.f.callRuntime(runtime.lookup)));
    for (const x of counts.lookedUp(() => t.f.get(entry))) t.f.emit(x);
    t.f.emit(m.if(t.f.get(entry), dispatch(t, ProfWhy.AGAIN)));
    t.f.emit(m.if(t.f.loadCpu(Cpu.at.fault), m.return_call('raise', [t.f.c(0), t.f.cpu()], none)));
  });
  // Delivers Cpu.fault and goes on in the handler.
  add('raise', (t) => {
    const ours = m.i32.and(t.f.loadCpu(Cpu.at.fault), t.f.c(FAULT_BAIL | FAULT_AGAIN));
    if (t.counts.on) t.f.emit(t.f.storeCpu(Cpu.at.profWhy, m.select(ours, t.f.c(ProfReason.BAIL), t.f.c(ProfReason.FAULT))));
    t.f.emit(t.f.callRuntime(runtime.deliverFault));
    t.f.emit(m.return_call('dispatch', [t.f.c(0), t.f.cpu()], none));
  });
  // Local 0 is the address of an empty link field; Cpu.eip is where it leads.
  add('link', (t) => {
    t.f.emit(t.f.callRuntime(runtime.linkBlock, t.rec()));
    t.f.emit(dispatch(t, ProfReason.LINK));
  });
}

export interface HandlersImage {
  readonly bytes: Uint8Array;
  /** Form keys in table order, from FIRST_FORM. */
  readonly keys: readonly string[];
}

/** Emits the module of all handlers. `forms`: each form once, with its key. */
export function emitHandlers(
  forms: ReadonlyMap<string, { form: Form; spec: LiftSpec }>,
  options: { readonly instruments?: readonly Instrument[] } = {},
): HandlersImage {
  const { instruments = [] } = options;
  const e = new Emitter();
  addPseudos(
    e,
    instruments.filter(({ transfers }) => transfers),
  );
  const keys = [...forms.keys()].sort();
  keys.forEach((key, i) => {
    const { form, spec } = forms.get(key)!;
    try {
      addHandler(e, `h${FIRST_FORM + i}`, form, spec, instruments);
    } catch (error) {
      throw new Error(`handler of "${key}"`, { cause: error });
    }
  });
  // Entry from JavaScript: runs until an exit.
  const { m } = e;
  const cpu = () => m.local.get(0, i32);
  const counting = instruments.some(({ transfers }) => transfers);
  const why = () => m.i32.load(Cpu.at.profWhy, 4, cpu());
  /** Why the dispatcher is entered, where nobody has said it. */
  const because = (reason: number) =>
    counting ? [m.if(m.i32.eqz(why()), m.i32.store(Cpu.at.profWhy, 4, cpu(), m.i32.const(reason)))] : [];
  const loop = m.loop(
    'again',
    m.block(null, [
      m.i32.store(Cpu.at.callDepth, 4, cpu(), m.i32.const(0)),
      m.i32.store(Cpu.at.callReturn, 4, cpu(), m.i32.const(NO_RETURN)),
      m.call('dispatch', [m.i32.const(0), cpu()], none),
      ...(counting ? [m.if(m.i32.eqz(m.i32.load(Cpu.at.exit, 4, cpu())), m.block(null, because(ProfReason.UNWOUND)))] : []),
      m.br('again', m.i32.eqz(m.i32.load(Cpu.at.exit, 4, cpu()))),
    ]),
  );
  const started = because(ProfReason.HOST);
  e.addFunction('run', [i32], [], started.length === 0 ? loop : m.block(null, [...started, loop]));
  return { bytes: e.finishChecked(), keys };
}
