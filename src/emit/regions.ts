// The JIT: a region (blocks joined by direct jumps) becomes one Wasm function. Guest registers and flags live in
// locals, loops are Wasm loops, exits tail-call the table slot of where they lead.
import { type BlockId, eipOf } from '../ir/blocks.ts';
import { effectsOf, type Op, type OpOf } from '../ir/operations.ts';
import type { Value } from '../ir/types.ts';
import { Cpu, Exit, GPR_STRIDE } from '../layout/cpu.ts';
import { addressBase } from '../passes/address-bases.ts';
import { synchronizes } from '../passes/dirty-registers.ts';
import { shapeAfter } from '../passes/flag-shapes.ts';
import { runtime } from '../runtime/abi.ts';
import type { RegionBlock } from '../translate/graph.ts';
import type { Region } from '../translate/grow.ts';
import { type Demands, type Translation, translate } from '../translate/pipeline.ts';
import type { Structure } from '../translate/structure.ts';
import type { PageCache } from './access.ts';
import { type GuardContext, guardCode, hasPasses, type LoopLocals, loopLocals, nextPass } from './fast-loops.ts';
import type { CallOp } from './lowering.ts';
import { type Emitter, type Expr, i32, i64, none, type ValueType } from './module.ts';
import { NativeCalls } from './native-calls.ts';
import type { SlotOf } from './region-exits.ts';
import { FIRST_REG, FIRST_TEMP, FLAG_R, FLAG_X, GPRS } from './region-flags.ts';
import { REGION } from './slow-ways.ts';

const FAULT_LABEL = 'fault';
const STALE_LABEL = 'stale';

/** What regions do besides, where somebody asked for it. */
export interface RegionExtras {
  /** Count their instructions (Cpu.countTranslated). */
  readonly counts?: boolean;
  /** Write a record of each block (wasm/engine/trace.ts). */
  readonly traces?: boolean;
  /** Take their instructions from Cpu.budget, and leave at a block that is more than what is left. */
  readonly budget?: boolean;
  /** Other CPUs run at the same time: locked accesses are atomic. */
  readonly atomic?: boolean;
  /** Loads and stores of guest memory are in the order of x86 on any host (wasm/base/order.ts). */
  readonly strictOrder?: boolean;
  /** Verify its IR behind each pass. */
  readonly verify?: boolean;
}

/** A way out of a block: to another one, or (without `to`) code that leaves the region. */
interface Edge {
  readonly to?: number;
  readonly cond?: Expr;
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

class RegionLowering extends NativeCalls {
  protected readonly slow = REGION;
  protected readonly atomic: boolean;
  protected readonly strictOrder: boolean;
  private readonly extras: RegionExtras;
  protected functionName = '';
  private current = { eip: 0, next: 0 };
  /** The instruction before may have stored through a helper. */
  private stored = false;
  /** The block that is being lowered. */
  private lowering: RegionBlock | undefined;
  private readonly translation: Translation;
  private loops: readonly LoopLocals[] = [];
  /** By the name of their base (see passes/address-bases.ts). */
  private readonly pages = new Map<string, PageCache>();
  private readonly raiseName: string;

  constructor(e: Emitter, translation: Translation, slotOf: SlotOf, extras: RegionExtras) {
    super(e, translation.ir, slotOf);
    this.translation = translation;
    this.extras = extras;
    this.atomic = extras.atomic === true;
    this.strictOrder = extras.strictOrder === true;
    this.raiseName = e.code('raise');
  }

  /** Emits the whole function. */
  emitFunction(name: string): void {
    this.functionName = name;
    const { m } = this;
    const { ir, dirty, bases } = this.translation;
    const { flow, blocks, entry } = ir;
    for (const { ops } of blocks.values()) this.census(ops);
    const cache = (writes: boolean) => ({ page: this.locals.take(i64), delta: this.locals.take(), writes });
    const loopCache = (writes: boolean) => {
      const found = cache(writes);
      this.pages.set(`loops ${this.pages.size}`, found);
      return found;
    };
    this.loops = loopLocals(ir.loops, () => this.locals.take(), loopCache);
    this.shapes = this.translation.shapes;
    for (const [base, writes] of bases) this.pages.set(base, cache(writes));
    const lowered = new Map<number, LoweredBlock>();
    for (const eip of flow.order) {
      this.dirty = dirty.get(eip)!;
      lowered.set(eip, this.lowerBlock(blocks.get(eip)!, flow));
    }
    const rendered = this.render(entry, flow, lowered);
    const enter: Expr[] = [this.pollHere(this.region.eip, [])];
    for (const reg of new Set([...this.used, ...this.written]))
      enter.push(m.local.set(FIRST_REG + reg, this.loadCpu(Cpu.at.gpr + reg * GPR_STRIDE)));
    if (this.usesFlags || this.writesFlags) {
      enter.push(m.local.set(FLAG_R, this.loadCpu(Cpu.at.flagR)), m.local.set(FLAG_X, this.loadCpu(Cpu.at.flagX)));
    }
    enter.push(...this.forget());
    const body = m.block(null, [
      ...enter,
      m.block(FAULT_LABEL, [m.block(STALE_LABEL, [rendered, m.unreachable()], none), ...this.spill(true), this.dispatch()], none),
      ...this.spill(true),
      m.return_call(this.raiseName, [this.c(0), this.cpu()], none),
    ]);
    const locals = [...Array<ValueType>(FIRST_TEMP - FIRST_REG).fill(i32), ...this.locals.types];
    this.e.addCode(name, locals, body);
  }

  private lowerBlock(block: RegionBlock, flow: Structure): LoweredBlock {
    const { m } = this;
    const edges: Edge[] = [];
    const { id: from, ops, next, instructions } = block;
    this.enter(this.shapes.get(from)!);
    this.lowering = block;
    const t = ops.at(-1)!;
    const copy = block.copy === undefined ? undefined : this.loops[block.copy]!;
    const kept = next.filter((to) => flow.keeps(from, to));
    if (t.kind === 'guard') return this.lowerGuard(copy!, kept);
    const budget = this.extras.budget ? this.takeBudget(eipOf(from), instructions) : [];
    const trace = this.extras.traces ? this.traceBlock(eipOf(from)) : [];
    const finish = () => {
      if (t.kind === 'jump') this.checkStores(eipOf(t.to!));
      this.stored = false;
      this.carry(shapeAfter(ops, this.shapes.get(from)!), kept);
      const leaving = (exprs: Expr[]) => m.block(null, [...this.settle(), ...this.spill(), ...exprs]);
      const edge = (to: BlockId, cond?: Expr) => {
        const common = cond === undefined ? {} : { cond };
        if (to === copy?.head && flow.isBack(from, to))
          return edges.push({
            to: copy.guard,
            ...common,
            code: m.block(null, [...nextPass(this.guardContext, copy, loopLabel(to)), this.pollAt(eipOf(to))]),
          });
        if (!flow.keeps(from, to)) edges.push({ ...common, code: leaving(this.chain(eipOf(to))) });
        else edges.push({ to, ...common, ...(flow.isBack(from, to) ? { code: this.pollAt(eipOf(to)) } : {}) });
      };
      const leave = (exprs: Expr[]) => edges.push({ code: leaving(exprs) });
      switch (t.kind) {
        case 'jump':
          edge(t.to!);
          return;
        case 'branch':
          if (t.to !== t.next) edge(t.to!, this.value(t.cond));
          edge(t.next!);
          return;
        case 'indirect':
          return leave(this.lookUpValue(this.value(t.eip)));
        case 'ret':
          if (t.to !== undefined && flow.keeps(from, t.to)) edge(t.to, m.i32.eq(this.value(t.eip), this.c(eipOf(t.to))));
          return leave(this.returnTo(this.value(t.eip)));
        case 'exit':
          return leave(this.chain(t.to));
        case 'leave':
          return leave([this.dispatch()]);
        case 'next':
          return leave([this.storeCpu(Cpu.at.eip, this.c(t.to!)), this.dispatch()]);
      }
    };
    const body = this.lower(ops, finish);
    body.unshift(...trace);
    if (this.extras.counts) body.unshift(this.count(Cpu.at.countTranslated, m.i64.const(BigInt(instructions))));
    body.unshift(...budget);
    return { body, edges };
  }

  private lowerGuard(copy: LoopLocals, next: readonly BlockId[]): LoweredBlock {
    this.body = guardCode(this.guardContext, copy);
    this.carry(shapeAfter([], this.shapes.get(copy.guard)!), next);
    return {
      body: this.body,
      edges: [{ to: copy.head, cond: hasPasses(this.guardContext, copy) }, { to: copy.original }],
    };
  }
  private readonly guardContext: GuardContext = {
    m: this.m,
    locals: this.locals,
    c: (n) => this.c(n),
    get: (local, type) => this.get(local, type),
    unlikely: (cond) => this.unlikely(cond),
    register: (reg) => this.getRegister(reg),
    tlbEntry: (linear) => this.tlbEntry(linear),
    allows: (word, write) => this.tlbAllows(word, write),
    besideCode: (linear, span) => this.callRuntime(runtime.hostBesideCode, linear, this.c(span)),
  };

  /** At a block's start: a record of the state for the trace. */
  private traceBlock(eip: number): Expr[] {
    return [...this.settle(), ...this.spill(), this.callRuntime(runtime.traceTranslated, this.c(eip))];
  }

  /** At a block's start: leaves where its instructions are more than what is left of the slice. */
  private takeBudget(eip: number, instructions: number): Expr[] {
    const { m } = this;
    const left = this.locals.take();
    const leave = [
      ...this.settle(),
      ...this.spill(),
      this.storeCpu(Cpu.at.eip, this.c(eip)),
      this.storeCpu(Cpu.at.exit, this.c(Exit.SLICE)),
    ];
    const code = [
      m.local.set(left, m.i32.sub(this.loadCpu(Cpu.at.budget), this.c(instructions))),
      m.if(this.unlikely(m.i32.lt_s(this.get(left), this.c(0))), m.block(null, [...leave, this.dispatch()])),
      this.storeCpu(Cpu.at.budget, this.get(left)),
    ];
    this.locals.free(left);
    return code;
  }

  /** Block `n` and all that it dominates. */
  private render(n: number, flow: Structure, lowered: ReadonlyMap<number, LoweredBlock>): Expr {
    const { m } = this;
    const within = (later: readonly number[]): Expr => {
      const [first, ...rest] = later;
      if (first === undefined) return m.block(null, [...lowered.get(n)!.body, ...this.renderEdges(n, flow, lowered)]);
      return m.block(null, [m.block(blockLabel(first), [within(rest)], none), this.render(first, flow, lowered)]);
    };
    const code = within(flow.children.get(n)!.filter((child) => flow.merges.has(child)));
    return flow.loops.has(n) ? m.loop(loopLabel(n), code) : code;
  }

  private renderEdges(n: number, flow: Structure, lowered: ReadonlyMap<number, LoweredBlock>): Expr[] {
    const { m } = this;
    const go = ({ to, code }: Edge): Expr => {
      const out: Expr[] = code === undefined ? [] : [code];
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
    return first.cond === undefined ? [go(first)] : [m.if(first.cond, go(first), go(second!))];
  }

  /** Behind an instruction whose helper stored: leaves where that changed code, which may be this region. */
  private checkStores(next: number): void {
    if (!this.stored) return;
    this.stored = false;
    const { m } = this;
    this.emit(
      m.if(
        this.loadCpu(Cpu.at.codeChanged),
        m.block(null, [
          this.storeCpu(Cpu.at.codeChanged, this.c(0)),
          ...this.settle(),
          this.storeCpu(Cpu.at.eip, this.c(next)),
          m.br(STALE_LABEL),
        ]),
      ),
    );
  }

  protected override startInstruction(op: OpOf<'insn'>): void {
    this.checkStores(op.eip);
    this.current = op;
  }
  protected eip(): Expr {
    return this.c(this.current.eip);
  }
  protected faultExit(): Expr {
    return this.m.block(null, [...this.settle(), this.m.br(FAULT_LABEL)]);
  }
  protected recordField(): Expr {
    throw new Error('regions have no records');
  }
  protected override unchecked(group: number): number {
    return this.loops[this.lowering!.copy!]!.caches[group]!.delta;
  }
  protected override pageCache(address: Value): PageCache | undefined {
    if (this.lowering?.cold) return undefined;
    const base = addressBase(this.ops, address);
    return base === undefined ? undefined : this.pages.get(base);
  }
  protected override pageCaches(): Iterable<PageCache> {
    return this.pages.values();
  }

  /** A call of guest code that comes back. */
  private guestCall(op: OpOf<'call' | 'callIndirect'>): void {
    this.beforeHelper(op);
    this.dropKept();
    const [known, value] = op.kind === 'call' ? [op.to, undefined] : [undefined, this.value(op.eip)];
    for (const e of this.callAndWait(known, value, op.back!)) this.emit(e);
    this.afterHelper(op);
    for (const e of this.forget()) this.emit(e);
    this.stored = false;
  }

  protected beforeHelper(op: CallOp): void {
    const { reads, writes, flags } = effectsOf(op);
    for (let reg = 0; reg < GPRS; reg++) if (touches(writes, reg)) this.keepCarried(reg);
    for (const reg of this.written)
      if (this.isDirty(reg) && (touches(reads, reg) || touches(writes, reg)))
        this.emit(this.storeCpu(Cpu.at.gpr + reg * GPR_STRIDE, this.get(FIRST_REG + reg)));
    if (flags === undefined) return;
    this.settleWords();
    if (this.writesFlags) this.emit(this.storeCpu(Cpu.at.flagR, this.get(FLAG_R)));
    if (this.writesFlags) this.emit(this.storeCpu(Cpu.at.flagX, this.get(FLAG_X)));
  }
  protected afterHelper(op: CallOp): void {
    if (synchronizes(op)) this.dirty = 0;
    const { writes, flags, stores, mayFault, eip, quiet } = effectsOf(op);
    if (stores) this.stored = true;
    if (!quiet && (stores || mayFault || eip)) for (const e of this.forget()) this.emit(e);
    for (const reg of new Set([...this.used, ...this.written]))
      if (touches(writes, reg)) this.emit(this.m.local.set(FIRST_REG + reg, this.loadCpu(Cpu.at.gpr + reg * GPR_STRIDE)));
    if (flags === 'w' || flags === 'rw') {
      this.emit(this.m.local.set(FLAG_R, this.loadCpu(Cpu.at.flagR)));
      this.emit(this.m.local.set(FLAG_X, this.loadCpu(Cpu.at.flagX)));
    }
  }
  protected terminator(op: Op): void {
    if (op.kind === 'call' || op.kind === 'callIndirect') return this.guestCall(op);
    if (op.kind !== 'repeat') return;
    // The others are for lowerBlock. Again: through the dispatcher, so that interrupts are seen.
    const { m } = this;
    this.emit(
      m.if(this.value(op.cond), m.block(null, [...this.settle(), ...this.spill(), this.storeCpu(Cpu.at.eip, this.eip()), this.dispatch()])),
    );
  }
}

/** What such extras ask of the translation. */
const demands = ({ budget = false, traces = false, verify = false }: RegionExtras): Demands => ({
  slices: budget,
  // A trace shows the flags of each block, and a slice may end before any.
  exactFlags: traces || budget,
  verify,
});

/** Translates a region and adds its function, exported under `name`. */
export function emitRegion(e: Emitter, name: string, region: Region, slotOf: SlotOf, extras: RegionExtras = {}): void {
  new RegionLowering(e, translate(region, demands(extras)), slotOf, extras).emitFunction(name);
}
