// The JIT: a region (blocks joined by direct jumps) becomes one Wasm function. Guest registers and flags live in
// locals, loops are Wasm loops, exits tail-call the table slot of where they lead.
import { type BlockId, eipOf } from '../../ir/blocks.ts';
import { effectsOf, type Op, type OpOf } from '../../ir/operations.ts';
import type { RegionBlock, RegionIr } from '../../ir/region.ts';
import type { Structure } from '../../ir/structure.ts';
import type { Value } from '../../ir/types.ts';
import { CODE_GPRS, Cpu, GPR_STRIDE, Mode } from '../../layout/cpu.ts';
import { Tlb } from '../../layout/memory.ts';
import { ProfReason } from '../../layout/prof.ts';
import { addressBase } from '../../passes/address-bases.ts';
import { synchronizes } from '../../passes/dirty-registers.ts';
import { runtime } from '../../runtime/abi.ts';
import type { Region } from '../../translate/grow.ts';
import { type Demands, reliesOnMap, type Translation, translate } from '../../translate/pipeline.ts';
import { FunctionCode } from '../lower/function.ts';
import { touchesControl } from '../lower/helpers.ts';
import { Lowering } from '../lower/lowering.ts';
import { isUnusual, quickWay } from '../lower/quick-ways.ts';
import { REGION } from '../lower/slow-ways.ts';
import type { CallOp, PageCache, Pages, Target, TargetFlags, TransferOp } from '../lower/target.ts';
import { transferCounts } from '../lower/transfer-counts.ts';
import { type Emitter, type Expr, i32, i64, none, type ValueType } from '../module.ts';
import { NativeCalls } from './calls.ts';
import { type Points, RegionExits, type SlotOf } from './exits.ts';
import { type GuardContext, guardCode, hasPasses, type LoopLocals, loopLocals, nextPass } from './guards.ts';
import { FIRST_REG, FIRST_TEMP, FLAG_R, FLAG_X, RegionState } from './state.ts';

const NOTHING: readonly Expr[] = [];
const FAULT_LABEL = 'fault';
const LEAVE_LABEL = 'leave';

/** What is asked of a region. */
export interface RegionDemands extends Demands {
  /** Other CPUs run at the same time: locked accesses are atomic. */
  readonly atomic?: boolean;
  /** Callees of other pages of the kernel's direct map may be part of the region (the relaxation `cache`). */
  readonly otherPages?: boolean;
  /** Calls of kernel code come back as calls of WebAssembly (the relaxation `returns`). Those of user code always do. Default: true. */
  readonly returns?: boolean;
  /** Where the EIPs will lie at which a region of flat kernel code may be interrupted: it says by the address of one where it is. undefined: by the EIP itself (the relaxation `frames`). */
  readonly pointsAt?: number | undefined;
}

/** Whether regions of a mode may have points. */
export const hasPoints = (mode: number): boolean => (mode & (Mode.FLAT | Mode.USER)) === Mode.FLAT;
/** The points of a region, with its entry as the first; undefined: it has none. */
const pointsOf = ({ mode, eip }: RegionIr, { pointsAt: at }: RegionDemands): Points | undefined =>
  at !== undefined && hasPoints(mode) ? { at, eips: [eip] } : undefined;
/** Whether regions of a mode wait for what they call. */
export const waitsForCalls = (mode: number, { returns = true }: RegionDemands): boolean => returns || (mode & Mode.USER) !== 0;

/** A way out of a block: to another one, or (without `to`) code that leaves the region. */
interface Edge {
  readonly to?: number;
  readonly cond?: Expr;
  /** What is done on the way before anything else. */
  readonly first?: readonly Expr[];
  readonly code?: Expr;
}
interface LoweredBlock {
  readonly body: Expr[];
  /** None where the body itself leaves; else the last one has no condition. */
  readonly edges: readonly Edge[];
}
const blockLabel = (eip: number) => `b${eip}`;
const loopLabel = (eip: number) => `l${eip}`;

const touches = (list: readonly number[] | 'all' | undefined, reg: number): boolean => list === 'all' || list?.includes(reg) === true;

/** Where a region's accesses find pages: locals for each base that is worth them, and for each group of its loops' copies. */
class RegionPages implements Pages {
  /** By the name of their base (see passes/address-bases.ts). */
  private readonly caches = new Map<string, PageCache>();
  /** The operations that are lowered; those that are hardly ever run use no cache; the copy of a loop that they belong to. */
  private ops: readonly Op[] = [];
  private cold = false;
  private copy: LoopLocals | undefined;

  add(name: string, cache: PageCache): PageCache {
    this.caches.set(name, cache);
    return cache;
  }
  enter({ ops, cold = false }: RegionBlock, copy: LoopLocals | undefined): void {
    this.ops = ops;
    this.cold = cold;
    this.copy = copy;
  }
  of(address: Value): PageCache | undefined {
    if (this.cold) return undefined;
    const base = addressBase(this.ops, address);
    return base === undefined ? undefined : this.caches.get(base);
  }
  all(): Iterable<PageCache> {
    return this.caches.values();
  }
  unchecked(group: number): number {
    return this.copy!.caches[group]!.delta;
  }
}

class RegionTarget implements Target {
  private readonly f: FunctionCode;
  private readonly lowering: Lowering;
  private readonly state: RegionState;
  private readonly exits: RegionExits;
  private readonly calls: NativeCalls;
  private readonly guardContext: GuardContext;
  readonly pages = new RegionPages();
  readonly slow = REGION;
  readonly lazyFlags = true;
  readonly atomic: boolean;
  readonly directOrigin: number | undefined;
  private readonly waits: boolean;
  private readonly points: Points | undefined;
  private readonly name: string;
  private readonly translation: Translation;
  private current: OpOf<'insn'> = { kind: 'insn', eip: 0, next: 0 };
  /** Local of unusual(), where somebody asks. */
  private unusualLocal: number | undefined;
  /** The instruction before may have stored through a helper. */
  private stored = false;
  private loops: readonly LoopLocals[] = [];
  /** By the number of a stack that is known. */
  private readonly stacks = new Map<number, { readonly local: number; readonly low: number }>();
  private readonly raiseName: string;
  /** What leaves because of a fault, as long as the flags are made in the same way. */
  private leaving: { readonly words: readonly Expr[]; readonly code: Expr } | undefined;

  constructor(e: Emitter, name: string, translation: Translation, slotOf: SlotOf, demands: RegionDemands) {
    const f = (this.f = new FunctionCode(e, FIRST_TEMP));
    this.name = name;
    this.translation = translation;
    this.atomic = demands.atomic === true;
    this.directOrigin = reliesOnMap(translation.ir, demands.directOrigin) ? demands.directOrigin : undefined;
    this.waits = waitsForCalls(translation.ir.mode, demands);
    this.points = pointsOf(translation.ir, demands);
    this.state = new RegionState(f);
    const counts = transferCounts(f, demands.instruments ?? [], translation.ir.mode);
    this.exits = new RegionExits(f, this.state, translation.ir, slotOf, this.points, counts);
    this.calls = new NativeCalls(f, this.exits, translation.ir, name);
    this.raiseName = e.code('raise');
    this.lowering = new Lowering(f, this);
    this.guardContext = {
      m: f.m,
      locals: f.locals,
      c: (n) => f.c(n),
      get: (local, type) => f.get(local, type),
      unlikely: (cond) => f.unlikely(cond),
      register: (reg) => this.state.getRegister(reg),
      tlbEntry: (linear) => this.lowering.access.tlbEntry(linear),
      allows: (word, write) => this.tlbAllows(word, write),
      besideCode: (linear, span) => this.lowering.calls.value(runtime.hostBesideCode, linear, f.c(span)),
    };
  }

  get flags(): TargetFlags {
    return this.state;
  }

  /** Emits the whole function. The EIPs of its points. */
  emitFunction(): readonly number[] {
    const { m } = this.f;
    const { ir, dirty, bases } = this.translation;
    const { flow, blocks, entry } = ir;
    this.state.census(this.translation.start);
    for (const { ops } of blocks.values()) {
      this.state.census(ops);
      if (this.unusualLocal === undefined && ops.some((op) => op.kind === 'helper' && quickWay(op.name)?.usual))
        this.unusualLocal = this.f.locals.take();
    }
    const cache = (writes: boolean) => ({ page: this.f.locals.take(i64), delta: this.f.locals.take(), writes });
    for (const { ops } of blocks.values()) for (const op of ops) if (op.kind === 'reach') this.addStack(op);
    for (const op of ir.reaches ?? []) this.addStack(op);
    let loopCaches = 0;
    const loopCache = (writes: boolean) => this.pages.add(`loops ${loopCaches++}`, cache(writes));
    this.loops = loopLocals(ir.loops, () => this.f.locals.take(), loopCache);
    this.state.shapes = this.translation.shapes.before;
    for (const [base, writes] of bases) this.pages.add(base, cache(writes));
    const lowered = new Map<number, LoweredBlock>();
    for (const eip of flow.order) {
      this.state.dirty = dirty.get(eip)!;
      lowered.set(eip, this.lowerBlock(blocks.get(eip)!, flow));
    }
    const rendered = this.render(entry, flow, lowered);
    const start = this.lowerStart();
    const enter: Expr[] = [this.exits.pollHere(ir.eip)];
    for (const reg of new Set([...this.state.used, ...this.state.written]))
      enter.push(m.local.set(FIRST_REG + reg, this.f.loadCpu(Cpu.at.gpr + reg * GPR_STRIDE)));
    enter.push(...this.state.loadVectors(), ...this.controlChanged());
    if (this.state.usesFlags || this.state.writesFlags) {
      enter.push(m.local.set(FLAG_R, this.f.loadCpu(Cpu.at.flagR)), m.local.set(FLAG_X, this.f.loadCpu(Cpu.at.flagX)));
    }
    enter.push(...this.lowering.calls.forget());
    // All state is in memory.
    const leave = (faulted: Expr) => m.br(FAULT_LABEL, this.f.unlikely(faulted));
    const reaches = (ir.reaches ?? []).map((op) => this.lowering.access.reach(op, ir.eip, ir.eip, leave));
    const body = m.block(null, [
      ...enter,
      m.block(
        FAULT_LABEL,
        [...reaches, ...start, m.block(LEAVE_LABEL, [rendered, m.unreachable()], none), ...this.state.spill(true), this.exits.dispatch()],
        none,
      ),
      ...this.state.spill(true),
      this.raise(),
    ]);
    const locals = [...Array<ValueType>(FIRST_TEMP - FIRST_REG).fill(i32), ...this.f.locals.types];
    this.f.e.addCode(this.name, locals, body);
    return this.points?.eips ?? [];
  }

  /** Delivers Cpu.fault; all state is in memory. */
  private raise(): Expr {
    return this.f.m.return_call(this.raiseName, [this.f.c(0), this.f.cpu()], none);
  }

  /** What is done in front of the first block, while all state is in memory. */
  private lowerStart(): readonly Expr[] {
    const { start, ir } = this.translation;
    if (start.length === 0) return NOTHING;
    this.current = { kind: 'insn', eip: ir.eip, next: ir.eip };
    this.state.dirty = 0;
    this.state.enter('words');
    return this.lowering.lower(start);
  }

  private lowerBlock(block: RegionBlock, flow: Structure): LoweredBlock {
    const { m } = this.f;
    const edges: Edge[] = [];
    const { id: from, ops, next } = block;
    this.state.enter(this.state.shapes.get(from)!);
    const t = ops.at(-1)!;
    const copy = block.copy === undefined ? undefined : this.loops[block.copy]!;
    this.pages.enter(block, copy);
    const kept = next.filter((to) => flow.keeps(from, to));
    if (t.kind === 'guard') return this.lowerGuard(copy!, kept);
    const finish = () => {
      if (t.kind === 'jump') this.checkStores(eipOf(t.to!));
      this.stored = false;
      this.state.carry(this.translation.shapes.behind.get(from)!, kept);
      const leaving = (exprs: Expr[]) => m.block(null, [...this.state.materialize(), ...this.state.spill(), ...exprs]);
      const pollAt = (to: BlockId) => {
        const first = this.translation.ir.blocks.get(to)!.ops.find(({ kind }) => kind === 'insn');
        return this.exits.pollAt(eipOf(to), first !== undefined && this.translation.deadFlags.has(first));
      };
      /** `first`: what is done on the way. */
      const edge = (to: BlockId, cond?: Expr, first: readonly Expr[] = []) => {
        const common = { ...(cond === undefined ? {} : { cond }), ...(first.length === 0 ? {} : { first }) };
        if (to === copy?.head && flow.isBack(from, to))
          return edges.push({
            to: copy.guard,
            ...common,
            code: m.block(null, [...nextPass(this.guardContext, copy, loopLabel(to)), pollAt(to)]),
          });
        if (!flow.keeps(from, to)) edges.push({ ...common, code: leaving(this.exits.chain(eipOf(to))) });
        else edges.push({ to, ...common, ...(flow.isBack(from, to) ? { code: pollAt(to) } : {}) });
      };
      const leave = (exprs: Expr[]) => edges.push({ code: leaving(exprs) });
      switch (t.kind) {
        case 'jump':
          edge(t.to!);
          return;
        case 'branch':
          if (t.to !== t.next) edge(t.to!, this.branchCondition(t));
          edge(t.next!);
          return;
        case 'indirect':
          return leave(this.exits.lookUpValue(this.lowering.value(t.eip), 'jumps'));
        case 'ret':
          if (t.to !== undefined && flow.keeps(from, t.to))
            edge(t.to, m.i32.eq(this.lowering.value(t.eip), this.exits.eip(eipOf(t.to))), this.exits.counts.count('inlinedReturns'));
          return leave(
            this.waits ? this.exits.returnTo(this.lowering.value(t.eip)) : this.exits.lookUpValue(this.lowering.value(t.eip), 'returns'),
          );
        case 'exit':
          return leave(this.exits.chain(t.to));
        case 'cross':
          return leave([
            ...this.exits.counts.count('crossings'),
            ...this.lowering.helpers.crossing(t, this.raise(), this.exits.dispatch(ProfReason.CROSSING)),
          ]);
        case 'leave':
          return leave([this.exits.dispatch(ProfReason.LEAVE)]);
        case 'next':
          return leave([this.f.storeCpu(Cpu.at.eip, this.exits.eip(t.to!)), this.exits.dispatch(ProfReason.LEAVE)]);
      }
    };
    return { body: this.lowering.lower(ops, finish), edges };
  }

  private branchCondition({ cond, likely }: OpOf<'branch'>): Expr {
    const value = this.lowering.value(cond);
    return likely ? this.f.likely(value) : value;
  }

  private lowerGuard(copy: LoopLocals, next: readonly BlockId[]): LoweredBlock {
    const body = guardCode(this.guardContext, copy);
    this.f.statements = body;
    this.state.carry(this.translation.shapes.behind.get(copy.guard)!, next);
    return {
      body,
      edges: [{ to: copy.head, cond: hasPasses(this.guardContext, copy) }, { to: copy.original }],
    };
  }

  /** Block `n` and all that it dominates. */
  private render(n: number, flow: Structure, lowered: ReadonlyMap<number, LoweredBlock>): Expr {
    const { m } = this.f;
    const within = (later: readonly number[]): Expr => {
      const [first, ...rest] = later;
      if (first === undefined) return m.block(null, [...lowered.get(n)!.body, ...this.renderEdges(n, flow, lowered)]);
      return m.block(null, [m.block(blockLabel(first), [within(rest)], none), this.render(first, flow, lowered)]);
    };
    const code = within(flow.children.get(n)!.filter((child) => flow.merges.has(child)));
    return flow.loops.has(n) ? m.loop(loopLabel(n), code) : code;
  }

  private renderEdges(n: number, flow: Structure, lowered: ReadonlyMap<number, LoweredBlock>): Expr[] {
    const { m } = this.f;
    const go = ({ to, code, first = NOTHING }: Edge): Expr => {
      const out: Expr[] = [...first];
      if (code !== undefined) out.push(code);
      if (to !== undefined) {
        if (flow.isBack(n, to)) out.push(m.br(loopLabel(to)));
        else if (flow.merges.has(to)) out.push(m.br(blockLabel(to)));
        else out.push(this.render(to, flow, lowered));
      }
      return out.length === 1 ? out[0]! : m.block(null, out);
    };
    const { edges } = lowered.get(n)!;
    const [first, second] = edges;
    if (first === undefined) return [];
    const out = first.cond === undefined ? [go(first)] : [m.if(first.cond, go(first), go(second!))];
    return this.f.e.notes ? this.f.e.noted(this.lastEip(n), out) : out;
  }

  /** EIP of the last instruction of a block. */
  private lastEip(n: BlockId): number | undefined {
    const last = this.translation.ir.blocks.get(n)!.ops.findLast(({ kind }) => kind === 'insn') as OpOf<'insn'> | undefined;
    return last?.eip;
  }

  /** Behind an instruction whose helper stored: leaves where that changed code, which may be this region. */
  private checkStores(next: number): void {
    if (!this.stored) return;
    this.stored = false;
    const { m } = this.f;
    this.f.emit(
      m.if(
        this.f.unlikely(this.f.loadCpu(Cpu.at.codeChanged)),
        m.block(null, [this.f.storeCpu(Cpu.at.codeChanged, this.f.c(0)), ...this.leaveAt(next, ProfReason.CHANGED)]),
      ),
    );
  }

  startInstruction(op: OpOf<'insn'>): void {
    this.checkStores(op.eip);
    this.current = op;
  }
  private addStack({ stack, reg, low }: OpOf<'reach'>): void {
    this.state.used.add(reg);
    if (!this.stacks.has(stack)) this.stacks.set(stack, { local: this.f.locals.take(), low });
  }
  stack(stack: number): { readonly local: number; readonly low: number } {
    return this.stacks.get(stack)!;
  }
  reach(op: OpOf<'reach'>): void {
    const { ir } = this.translation;
    this.f.emit(this.lowering.access.reach(op, this.current.eip, ir.eip, (faulted) => this.faultExit(faulted)));
  }
  eip(): Expr {
    return this.exits.eip(this.current.eip);
  }
  faultExit(faulted?: Expr): Expr {
    const { m } = this.f;
    const words = this.translation.deadFlags.has(this.current) ? NOTHING : this.state.materialize();
    const cond = faulted && this.f.unlikely(faulted);
    if (words.length === 0) return m.br(FAULT_LABEL, cond);
    if (this.leaving?.words !== words) this.leaving = { words, code: m.block(null, [...words, m.br(FAULT_LABEL)]) };
    return cond === undefined ? this.leaving.code : m.if(cond, this.leaving.code);
  }
  tlbAllows(word: Expr, write: boolean): Expr {
    const user = (this.translation.ir.mode & Mode.USER) !== 0;
    return this.f.m.i32.and(word, this.f.c(write ? (user ? Tlb.USER_WRITE : Tlb.KERNEL_WRITE) : user ? Tlb.USER_READ : Tlb.KERNEL_READ));
  }
  register(reg: number): Expr {
    return this.state.getRegister(reg);
  }
  setRegister(reg: number, v: Expr): void {
    this.state.setRegister(reg, v);
  }
  registerLocal(reg: number): number {
    return this.state.registerToSet(reg);
  }
  unusual(): Expr {
    return this.f.get(this.unusualLocal!);
  }
  controlChanged(): readonly Expr[] {
    if (this.unusualLocal === undefined) return NOTHING;
    return [this.f.m.local.set(this.unusualLocal, isUnusual(this.f.loadCpu(Cpu.at.mxcsr)))];
  }
  vector(xmm: number): Expr {
    return this.state.vector(xmm);
  }
  setVector(xmm: number, v: Expr): void {
    this.state.setVector(xmm, v);
  }
  // Through the dispatcher, so that interrupts are seen.
  leaveHere(): Expr[] {
    return [
      ...this.state.materialize(),
      ...this.state.spill(),
      this.f.storeCpu(Cpu.at.eip, this.eip()),
      this.exits.dispatch(ProfReason.REPEAT),
    ];
  }

  leaveBehind(): Expr[] {
    return this.leaveAt(this.current.next, ProfReason.LEAVE);
  }
  /** Leaves through the dispatcher, which goes on at `eip`. */
  private leaveAt(eip: number, reason: number): Expr[] {
    return [
      ...this.exits.counts.why(reason),
      ...this.state.materialize(),
      this.f.storeCpu(Cpu.at.eip, this.exits.eip(eip)),
      this.f.m.br(LEAVE_LABEL),
    ];
  }

  /** A call of guest code that comes back. */
  private guestCall(op: OpOf<'call' | 'callIndirect'>): void {
    this.beforeCall(op);
    this.lowering.access.dropKept();
    const [known, value] = op.kind === 'call' ? [op.to, undefined] : [undefined, this.lowering.value(op.eip)];
    for (const e of this.calls.callAndWait(known, value, op.back!)) this.f.emit(e);
    this.afterCall(op);
    this.stored = false;
  }

  beforeCall(op: CallOp): void {
    const { reads, writes, flags } = effectsOf(op);
    for (let reg = 0; reg < CODE_GPRS; reg++) if (touches(writes, reg)) this.state.keepCarried(reg);
    for (const reg of this.state.written)
      if (this.state.isDirty(reg) && (touches(reads, reg) || touches(writes, reg)))
        this.f.emit(this.f.storeCpu(Cpu.at.gpr + reg * GPR_STRIDE, this.f.get(FIRST_REG + reg)));
    if (reads === 'all') for (const e of this.state.storeVectors(this.state.dirty)) this.f.emit(e);
    if (flags === undefined) return;
    this.state.materializeWords();
    if (this.state.writesFlags) this.f.emit(this.f.storeCpu(Cpu.at.flagR, this.f.get(FLAG_R)));
    if (this.state.writesFlags) this.f.emit(this.f.storeCpu(Cpu.at.flagX, this.f.get(FLAG_X)));
  }
  storeAside(): readonly Expr[] {
    return [...this.state.materialize(), ...this.state.spill()];
  }
  afterCall(op: CallOp): void {
    if (synchronizes(op)) this.state.dirty = 0;
    const { writes, flags, stores, forgets, changes } = effectsOf(op);
    if (touchesControl(changes)) for (const e of this.controlChanged()) this.f.emit(e);
    if (stores) this.mayHaveStored();
    if (forgets) for (const e of this.lowering.calls.forget()) this.f.emit(e);
    for (const reg of new Set([...this.state.used, ...this.state.written]))
      if (touches(writes, reg)) this.f.emit(this.f.m.local.set(FIRST_REG + reg, this.f.loadCpu(Cpu.at.gpr + reg * GPR_STRIDE)));
    if (writes === 'all') for (const e of this.state.loadVectors()) this.f.emit(e);
    if (flags === 'w' || flags === 'rw') {
      this.f.emit(this.f.m.local.set(FLAG_R, this.f.loadCpu(Cpu.at.flagR)));
      this.f.emit(this.f.m.local.set(FLAG_X, this.f.loadCpu(Cpu.at.flagX)));
    }
  }
  mayHaveStored(): void {
    this.stored = true;
  }
  transfer(op: TransferOp): void {
    // Where blocks end is for lowerBlock.
    if (op.kind === 'call' || op.kind === 'callIndirect') this.guestCall(op);
  }
}

/** Translates a region and adds its function, exported under `name`. The EIPs of its points (RegionDemands.pointsAt). */
export function emitRegion(e: Emitter, name: string, region: Region, slotOf: SlotOf, demands: RegionDemands = {}): readonly number[] {
  return emitTranslation(e, name, translate(region, demands), slotOf, demands);
}

/** The same of a region that was translated. */
export function emitTranslation(
  e: Emitter,
  name: string,
  translation: Translation,
  slotOf: SlotOf,
  demands: RegionDemands,
): readonly number[] {
  return new RegionTarget(e, name, translation, slotOf, demands).emitFunction();
}
