// The JIT: a region (blocks joined by direct jumps) becomes one Wasm function. Guest registers and flags live in
// locals, loops are Wasm loops, exits tail-call the table slot of where they lead.
import { type BasicBlock, type BlockId, beside, eipOf, type Region } from '../decode/region.ts';
import { Builder } from '../ir/builder.ts';
import type { FlagKind, Op, Value } from '../ir/types.ts';
import { Cpu, GPR_STRIDE, Mode } from '../layout/cpu.ts';
import { CpuArea, JUMP_ENTRIES, JumpEntry, PAGE_SHIFT, Tlb } from '../layout/memory.ts';
import { Lifter } from '../lift/lifter.ts';
import { RegionLeaves } from '../lift/region-leaves.ts';
import { addressBase, cachedBases } from '../passes/address-bases.ts';
import { dropDeadFlags } from '../passes/dead-flags.ts';
import { type FastLoop, fastLoops } from '../passes/fast-loops.ts';
import { agrees, flagShapes, type Place, type Places, placesOf, type Shape, shapeAfter } from '../passes/flag-shapes.ts';
import { dropStateAccesses } from '../passes/state-accesses.ts';
import { type Structure, structure } from '../passes/structure.ts';
import { AccessLowering, type PageCache } from './access.ts';
import { copyOf, type GuardContext, guardCode, guardOf, type LoopCopy, nextPass } from './fast-loops.ts';
import { type PendingFlags, wordR, wordX } from './flags.ts';

import { CODE_TYPE, type Emitter, type Expr, i32, i64, none, TABLE } from './module.ts';

const GPRS = 8;
const FIRST_REG = 2;
const FLAG_R = FIRST_REG + GPRS;
const FLAG_X = FLAG_R + 1;
/** Inputs and result of the operation whose flags are carried over block edges, and whether they are (see passes/flag-shapes.ts). */
const CARRIED_A = FLAG_X + 1;
const CARRIED_B = CARRIED_A + 1;
const CARRIED_R = CARRIED_B + 1;
const CARRIED = { a: CARRIED_A, b: CARRIED_B, r: CARRIED_R } as const;
const CARRIES = CARRIED_R + 1;
const FIRST_TEMP = CARRIES + 1;
const FAULT_LABEL = 'fault';
const STALE_LABEL = 'stale';

/** Gives the table slot of the code at a guest PC (the same page as the region, so the mapping is certain). */
export type SlotOf = (phys: number, eip: number, mode: number) => number;

/** What regions do besides, where somebody asked for it. */
export interface RegionExtras {
  /** Count their instructions (Cpu.countTranslated). */
  readonly counts?: boolean;
  /** Write a record of each block (wasm/trace.ts). */
  readonly traces?: boolean;
}

interface LiftedBlock {
  readonly block: BasicBlock;
  readonly ops: Op[];
  readonly terminator: Op | undefined;
  /** In a region with unchecked copies of loops: where an edge to a block really leads. */
  readonly route?: (to: BlockId) => BlockId;
  /** The copy that this block belongs to, or is the guard of. */
  readonly copy?: LoopCopy;
  readonly isGuard?: boolean;
  /** The operations that need no check, with their groups. */
  readonly unchecked?: ReadonlyMap<number, number> | undefined;
  /** It has an unchecked copy, so that it is hardly ever run. */
  readonly cold?: boolean;
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

/** Blocks that the end of a block leads to, so far as they can be in the region. */
function successors(l: LiftedBlock): BlockId[] {
  if (l.isGuard) return [l.copy!.head, l.copy!.loop.head];
  const to = targets(l).map((id) => l.route?.(id) ?? id);
  // The end of a pass through a copy leads to the next one, or back to the guard.
  return l.copy !== undefined && to.includes(l.copy.head) ? [...to, l.copy.guard] : to;
}

function targets({ block, terminator }: LiftedBlock): BlockId[] {
  const last = block.instructions.at(-1)!;
  const known = (id: BlockId | undefined) => (id === undefined ? [] : [id]);
  switch (terminator?.kind) {
    case undefined:
      return [beside(block, block.end)];
    case 'jump':
      return last.form.mnemonic === 'call' ? known(block.callee) : [beside(block, last.target!)];
    case 'branch':
      return [...new Set([last.target!, last.next])].map((eip) => beside(block, eip));
    case 'indirect':
      return known(block.returnPoint);
    default:
      return [];
  }
}

/** Lifts a block to IR. */
export function liftBlock(block: BasicBlock): LiftedBlock {
  const b = new Builder();
  for (const x of block.instructions) {
    b.push({ kind: 'insn', eip: x.eip, next: x.next });
    const lifter = new Lifter(b, x.form, new RegionLeaves(b, x));
    x.spec!.lift(lifter);
    if (!lifter.ended && x.spec!.alone) lifter.next();
  }
  const { ops } = b.code;
  dropStateAccesses(ops);
  dropDeadFlags(ops);
  const last = ops.at(-1);
  const terminator = last !== undefined && ['jump', 'branch', 'indirect', 'leave', 'next'].includes(last.kind) ? last : undefined;
  return { block, ops, terminator };
}

class RegionLowering extends AccessLowering {
  protected readonly storePrefix = 'region';
  protected override readonly lazyFlags = true;
  private readonly region: Region;
  private readonly slotOf: SlotOf;
  private readonly extras: RegionExtras;
  private readonly used = new Set<number>();
  private readonly written = new Set<number>();
  private usesFlags = false;
  private writesFlags = false;
  private pending: PendingFlags | undefined;
  /** What `pending` was at the start of the block: the carried operation. */
  private entered: PendingFlags | undefined;
  private places: Record<'a' | 'b' | 'r', Place> | undefined;
  /** The operation whose words were last made on the way here. */
  private made: PendingFlags | undefined;
  private shapes: ReadonlyMap<number, Shape> = new Map();
  private current = { eip: 0, next: 0 };
  /** The instruction before may have stored through a helper. */
  private stored = false;
  /** The block that is being lowered. */
  private lowering: LiftedBlock | undefined;
  /** By the name of their base (see passes/address-bases.ts). */
  private readonly pages = new Map<string, PageCache>();
  private readonly dispatchName: string;
  private readonly raiseName: string;
  private readonly pollName: string;

  constructor(e: Emitter, region: Region, slotOf: SlotOf, extras: RegionExtras) {
    super(e, FIRST_TEMP);
    this.extras = extras;
    this.region = region;
    this.slotOf = slotOf;
    this.dispatchName = e.import('dispatch', [i32, i32], none, 'code');
    this.raiseName = e.import('raise', [i32, i32], none, 'code');
    this.pollName = e.import('pollRegion', [i32, i32], i32);
  }

  /** Emits the whole function. */
  emitFunction(name: string): void {
    const { m } = this;
    const lifted = new Map([...this.region.blocks].map(([eip, block]) => [eip, liftBlock(block)]));
    for (const l of lifted.values()) this.census(l.ops);
    const graph = () => new Map([...lifted].map(([id, l]) => [id, { ops: l.ops, next: successors(l) }]));
    let { entry }: { entry: BlockId } = this.region;
    const shape = () => structure(entry, new Map([...graph()].map(([id, { next }]) => [id, next])));
    let flow = shape();
    const loops = fastLoops(flow, graph());
    if (loops.length > 0) {
      entry = this.copyLoops(loops, lifted);
      flow = shape();
    }
    this.shapes = flagShapes(entry, flow, graph());
    for (const [base, writes] of cachedBases(flow, lifted))
      this.pages.set(base, { page: this.locals.take(i64), delta: this.locals.take(), writes });
    const lowered = new Map<number, LoweredBlock>();
    for (const eip of flow.order) lowered.set(eip, this.lowerBlock(lifted.get(eip)!, flow));
    const rendered = this.render(entry, flow, lowered);
    const enter: Expr[] = [
      m.if(
        this.unlikely(this.pendingWord()),
        m.if(
          m.call(this.pollName, [this.cpu(), this.c(this.region.entry)], i32),
          m.return_call(this.dispatchName, [this.c(0), this.cpu()], none),
        ),
      ),
    ];
    for (const reg of new Set([...this.used, ...this.written]))
      enter.push(m.local.set(FIRST_REG + reg, this.loadCpu(Cpu.at.gpr + reg * GPR_STRIDE)));
    if (this.usesFlags || this.writesFlags) {
      enter.push(m.local.set(FLAG_R, this.loadCpu(Cpu.at.flagR)), m.local.set(FLAG_X, this.loadCpu(Cpu.at.flagX)));
    }
    enter.push(...this.forget());
    const body = m.block(null, [
      ...enter,
      m.block(
        FAULT_LABEL,
        [
          m.block(STALE_LABEL, [rendered, m.unreachable()], none),
          ...this.spill(),
          m.return_call(this.dispatchName, [this.c(0), this.cpu()], none),
        ],
        none,
      ),
      ...this.spill(),
      m.return_call(this.raiseName, [this.c(0), this.cpu()], none),
    ]);
    const locals = [...Array<Expr>(FIRST_TEMP - FIRST_REG).fill(i32), ...this.locals.types];
    this.e.addCode(name, locals, body);
  }

  /** Adds unchecked copies of loops, and their guards, to which all ways in lead from then on. Gives the region's first block. */
  private copyLoops(loops: readonly FastLoop[], lifted: Map<BlockId, LiftedBlock>): BlockId {
    const guards = new Map(loops.map(({ head }, k) => [head, guardOf(head, k)]));
    const route = (to: BlockId) => guards.get(to) ?? to;
    for (const [id, l] of lifted) lifted.set(id, { ...l, route });
    const passes = this.locals.take();
    const deltas = Array.from({ length: Math.max(...loops.map(({ strides }) => strides.groups.length)) }, () => this.locals.take());
    loops.forEach((loop, k) => {
      const guard = guardOf(loop.head, k);
      const copy: LoopCopy = { loop, head: copyOf(loop.head, k), guard, passes, deltas };
      const inside = new Set(loop.blocks);
      for (const id of loop.blocks) {
        const l = lifted.get(id)!;
        const moved = (to: BlockId | undefined) => (to === undefined ? undefined : copyOf(to, k));
        lifted.set(id, { ...l, cold: true });
        lifted.set(copyOf(id, k), {
          ...l,
          block: { ...l.block, id: copyOf(id, k), callee: moved(l.block.callee), returnPoint: moved(l.block.returnPoint) },
          copy,
          unchecked: loop.strides.accesses.get(id),
          route: (to) => (inside.has(to - copyOf(0, k)) ? to : route(to - copyOf(0, k))),
        });
      }
      const { block } = lifted.get(loop.head)!;
      lifted.set(guard, { block: { ...block, id: guard, instructions: [] }, ops: [], terminator: undefined, copy, isGuard: true });
    });
    return route(this.region.entry);
  }

  /** Which registers and flags the region touches at all. */
  private census(ops: readonly Op[]): void {
    for (const op of ops) {
      if (op.kind === 'get') this.used.add(op.reg);
      else if (op.kind === 'set') this.written.add(op.reg);
      else if (op.kind === 'flags' || op.kind === 'setRX') this.writesFlags = true;
      else if (op.kind === 'cond' || op.kind === 'flagR' || op.kind === 'flagX') this.usesFlags = true;
      else if (op.kind === 'helper' && (op.effects.flags === 'w' || op.effects.flags === 'rw')) this.writesFlags = true;
    }
  }

  /** Stores what the region may have changed; flag words must be current in their locals. */
  private spill(): Expr[] {
    const out = [...this.written].map((reg) => this.storeCpu(Cpu.at.gpr + reg * GPR_STRIDE, this.get(FIRST_REG + reg)));
    if (this.writesFlags) out.push(this.storeCpu(Cpu.at.flagR, this.get(FLAG_R)), this.storeCpu(Cpu.at.flagX, this.get(FLAG_X)));
    return out;
  }

  /** Makes the flag words' locals current. */
  private settle(): Expr[] {
    const p = this.pending;
    if (p === undefined) return [];
    const x = wordX(this.m, p, () => this.get(FLAG_X));
    const make = [this.m.local.set(FLAG_X, x), this.m.local.set(FLAG_R, wordR(this.m, p))];
    return p.unless === undefined ? make : [this.m.if(this.get(p.unless), this.m.block(null, make))];
  }

  private lowerBlock(l: LiftedBlock, flow: Structure): LoweredBlock {
    const { m } = this;
    const edges: Edge[] = [];
    const { block } = l;
    const from = block.id;
    this.enter(this.shapes.get(from)!);
    this.lowering = l;
    if (l.isGuard) return this.lowerGuard(l, flow);
    const trace = this.extras.traces ? this.traceBlock(block.eip) : [];
    const finish = () => {
      const t = l.terminator;
      const last = block.instructions.at(-1)!;
      if (t === undefined) this.checkStores(block.end);
      this.stored = false;
      const next = [...new Set(successors(l))].filter((to) => flow.keeps(from, to));
      this.carry(shapeAfter(l.ops, this.shapes.get(from)!), next);
      const leaving = (exprs: Expr[]) => m.block(null, [...this.settle(), ...this.spill(), ...exprs]);
      const edge = (target: BlockId, cond?: Expr) => {
        const common = cond === undefined ? {} : { cond };
        const to = l.route?.(target) ?? target;
        if (to === l.copy?.head && flow.isBack(from, to))
          return edges.push({
            to: l.copy.guard,
            ...common,
            code: m.block(null, [...nextPass(this.guardContext, l.copy, loopLabel(to)), this.pollAt(eipOf(to))]),
          });
        if (!flow.keeps(from, to)) edges.push({ ...common, code: leaving(this.chain(eipOf(to))) });
        else edges.push({ to, ...common, ...(flow.isBack(from, to) ? { code: this.pollAt(eipOf(to)) } : {}) });
      };
      const leave = (exprs: Expr[]) => edges.push({ code: leaving(exprs) });
      const dispatch = () => m.return_call(this.dispatchName, [this.c(0), this.cpu()], none);
      switch (t?.kind) {
        case undefined:
          edge(beside(block, block.end));
          return;
        case 'jump':
          // A call that is not inlined leaves the region: its return comes back through the return point's own slot.
          if (last.form.mnemonic !== 'call') {
            edge(beside(block, last.target!));
            return;
          }
          if (block.callee === undefined) leave(this.chain(last.target!));
          else edge(block.callee);
          return;
        case 'branch':
          if (last.target !== last.next) edge(beside(block, last.target!), this.value(t.cond));
          edge(beside(block, last.next));
          return;
        case 'indirect': {
          const { returnPoint } = block;
          if (returnPoint !== undefined && flow.keeps(from, returnPoint))
            edge(returnPoint, m.i32.eq(this.value(t.eip), this.c(eipOf(returnPoint))));
          return leave(this.lookUpValue(this.value(t.eip)));
        }
        case 'leave':
          return leave([dispatch()]);
        case 'next':
          return leave([this.storeCpu(Cpu.at.eip, this.c(last.next)), dispatch()]);
      }
    };
    const body = this.lower(l.ops, finish);
    body.unshift(...trace);
    if (this.extras.counts) body.unshift(this.count(Cpu.at.countTranslated, m.i64.const(BigInt(block.instructions.length))));
    return { body, edges };
  }

  private lowerGuard(l: LiftedBlock, flow: Structure): LoweredBlock {
    const copy = l.copy!;
    const id = l.block.id;
    this.body = guardCode(this.guardContext, copy);
    this.carry(
      shapeAfter([], this.shapes.get(id)!),
      successors(l).filter((to) => flow.keeps(id, to)),
    );
    return {
      body: this.body,
      edges: [
        { to: copy.head, cond: this.get(copy.passes) },
        { to: copy.loop.head, code: this.pollAt(eipOf(copy.head)) },
      ],
    };
  }
  private readonly guardContext: GuardContext = {
    m: this.m,
    locals: this.locals,
    c: (n) => this.c(n),
    cpu: () => this.cpu(),
    get: (local) => this.get(local),
    register: (reg) => this.getRegister(reg),
    allows: (word, write) => this.tlbAllows(word, write),
  };

  /** At a block's start: a record of the state for the trace. */
  private traceBlock(eip: number): Expr[] {
    const name = this.e.import('traceTranslated', [i32, i32], none);
    return [...this.settle(), ...this.spill(), this.m.call(name, [this.cpu(), this.c(eip)], none)];
  }

  /** Makes the flag words on the way, for somebody who reads them; the operation stays known. */
  private make(): void {
    if (this.pending === undefined || this.made === this.pending) return;
    for (const e of this.settle()) this.emit(e);
    this.made = this.pending;
  }

  /** The flags as a block finds them. */
  private enter(shape: Shape): void {
    this.made = undefined;
    this.entered = undefined;
    this.places = undefined;
    if (shape !== 'words') {
      const { flag, width, maybe } = shape;
      this.places = { ...placesOf(shape) };
      const at = (k: 'a' | 'b' | 'r') => () => this.carried(flag, k);
      this.entered = { flag, width, a: at('a'), b: at('b'), r: at('r'), ...(maybe ? { unless: CARRIES } : {}) };
    }
    this.pending = this.entered;
  }

  /** An input or the result of the operation that the block was entered with. */
  private carried(flag: FlagKind, k: 'a' | 'b' | 'r'): Expr {
    const { m } = this;
    const place = this.places![k];
    const other = (n: 'a' | 'b' | 'r') => this.carried(flag, n);
    if (place === 'local') return this.get(CARRIED[k]);
    if (place === 'unused') throw new Error(`${flag} has no ${k}`);
    if (place !== 'derived') return 'reg' in place ? this.getRegister(place.reg) : this.c(place.value);
    const sum = flag === 'add' ? 'r' : 'a';
    if (k === sum) return m.i32.add(other('b'), other(sum === 'r' ? 'a' : 'r'));
    return m.i32.sub(other(sum), other(k === 'b' ? (sum === 'r' ? 'a' : 'r') : 'b'));
  }

  /** Before a register changes: what the carried operation has there goes into its local. */
  private keepCarried(reg: number): void {
    const { places } = this;
    if (places === undefined || this.pending !== this.entered) return;
    for (const k of ['a', 'b', 'r'] as const) {
      const place = places[k];
      if (typeof place !== 'object' || !('reg' in place) || place.reg !== reg) continue;
      this.emit(this.m.local.set(CARRIED[k], this.getRegister(reg)));
      places[k] = 'local';
    }
  }

  /** Leaves the flags as the blocks want them that follow; `out` is what is known of them here. */
  private carry(out: Shape, next: readonly number[]): void {
    const shapes = next.map((to) => this.shapes.get(to)!);
    const { m, pending } = this;
    const wanted = shapes.filter((shape) => shape !== 'words');
    const fits = wanted.filter((shape) => pending !== undefined && agrees(out, shape));
    const words = fits.length < shapes.length;
    if (words) this.make();
    for (const shape of fits) {
      const places: Places = placesOf(shape);
      for (const k of ['a', 'b', 'r'] as const)
        if (places[k] === 'local' && !(pending === this.entered && this.places![k] === 'local'))
          this.emit(m.local.set(CARRIED[k], pending![k]()));
    }
    if (!wanted.some((shape) => shape.maybe)) return;
    if (fits.length < wanted.length) this.emit(m.local.set(CARRIES, this.c(0)));
    else if (pending!.unless === undefined) this.emit(m.local.set(CARRIES, this.c(1)));
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

  /** Tail call to the code at guest PC `to`. */
  private chain(to: number): Expr[] {
    const { m, region } = this;
    const same = to >>> PAGE_SHIFT === region.entry >>> PAGE_SHIFT && (region.mode & Mode.FLAT) !== 0;
    if (!same) return this.lookUpKnown(to);
    const slot = this.slotOf((region.phys & ~0xfff) | (to & 0xfff), to, region.mode);
    return [m.return_call_indirect(TABLE, this.c(slot), [this.c(slot), this.cpu()], CODE_TYPE, none)];
  }

  private lookUpValue(eip: Expr): Expr[] {
    const local = this.locals.take();
    const code = this.lookUp(() => this.get(local));
    this.locals.free(local);
    return [this.m.local.set(local, eip), ...code];
  }

  /** Tail call to the code at a guest PC on any page: through the jump cache, else through the dispatcher. */
  private lookUp(eip: () => Expr): Expr[] {
    const { m } = this;
    const index = m.i32.and(m.i32.xor(eip(), m.i32.shr_u(eip(), this.c(PAGE_SHIFT))), this.c(JUMP_ENTRIES - 1));
    const entry = this.locals.take();
    const code = [
      m.local.set(entry, m.i32.add(this.cpu(), m.i32.shl(index, this.c(Math.log2(JumpEntry.size))))),
      ...this.throughEntry(() => this.get(entry), 0, eip),
    ];
    this.locals.free(entry);
    return code;
  }

  /** The same for a guest PC that is known: so is the place of its entry. */
  private lookUpKnown(eip: number): Expr[] {
    const index = (eip ^ (eip >>> PAGE_SHIFT)) & (JUMP_ENTRIES - 1);
    return this.throughEntry(
      () => this.cpu(),
      index * JumpEntry.size,
      () => this.c(eip),
    );
  }

  /** Through the jump cache's entry at `base` + `place`, if it is that of `eip`; else through the dispatcher. */
  private throughEntry(base: () => Expr, place: number, eip: () => Expr): Expr[] {
    const { m } = this;
    const user = (this.region.mode & Mode.USER) !== 0;
    const cache = (user ? CpuArea.at.jumpUser : CpuArea.at.jumpKernel) + place;
    const field = (offset: number) => m.i32.load(cache + offset, 4, base(), 'memory');
    const generation = this.loadCpu(user ? Cpu.at.jumpUserGen : Cpu.at.jumpKernelGen);
    return [
      m.if(
        m.i32.and(m.i32.eq(field(JumpEntry.at.eip), eip()), m.i32.eq(field(JumpEntry.at.gen), generation)),
        m.return_call_indirect(TABLE, field(JumpEntry.at.func), [field(JumpEntry.at.arg), this.cpu()], CODE_TYPE, none),
      ),
      this.storeCpu(Cpu.at.eip, eip()),
      m.return_call(this.dispatchName, [this.c(0), this.cpu()], none),
    ];
  }

  /** Not 0 where a bit of Pending is set: all are in the lower half. (V8 would load a word twice that is compared with 0 as it is.) */
  private pendingWord(): Expr {
    return this.m.i32.shl(this.loadCpu(Cpu.at.pending), this.c(16));
  }

  /** At a back-edge: looks at the pending word. */
  private pollAt(to: number): Expr {
    const { m } = this;
    return m.if(
      this.unlikely(this.pendingWord()),
      m.block(null, [
        ...this.settle(),
        ...this.spill(),
        m.if(m.call(this.pollName, [this.cpu(), this.c(to)], i32), m.return_call(this.dispatchName, [this.c(0), this.cpu()], none)),
      ]),
    );
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

  protected override startInstruction(op: Extract<Op, { kind: 'insn' }>): void {
    this.checkStores(op.eip);
    this.current = op;
  }
  protected eip(): Expr {
    return this.c(this.current.eip);
  }
  protected faultExit(): Expr {
    return this.m.block(null, [...this.settle(), this.m.br(FAULT_LABEL)]);
  }
  protected getRegister(reg: number): Expr {
    return this.get(FIRST_REG + reg);
  }
  protected setRegister(reg: number, v: Expr): void {
    this.keepCarried(reg);
    this.emit(this.m.local.set(FIRST_REG + reg, v));
  }
  private settled(local: number): Expr {
    this.make();
    return this.get(local);
  }
  protected flagR(): Expr {
    return this.settled(FLAG_R);
  }
  protected flagX(): Expr {
    return this.settled(FLAG_X);
  }
  protected setFlagWords(r: Expr, x: Expr): void {
    this.pending = undefined;
    // Both before either is stored: they may read the old words.
    const keep = this.locals.take();
    this.emit(this.m.local.set(keep, r));
    this.emit(this.m.local.set(FLAG_X, x));
    this.emit(this.m.local.set(FLAG_R, this.get(keep)));
    this.locals.free(keep);
  }
  protected setFlags(p: PendingFlags): void {
    // They keep CF, which is looked for in the words.
    const keepsCarry = (flag: FlagKind) => flag === 'inc' || flag === 'dec';
    if (keepsCarry(p.flag) && !(this.pending !== undefined && keepsCarry(this.pending.flag))) this.make();
    this.pending = p;
  }
  protected pendingFlags(): PendingFlags | undefined {
    return this.pending?.unless === undefined ? this.pending : undefined;
  }
  protected recordField(): Expr {
    throw new Error('regions have no records');
  }
  protected tlbAllows(word: Expr, write: boolean): Expr {
    const user = (this.region.mode & Mode.USER) !== 0;
    return this.m.i32.and(word, this.c(write ? (user ? Tlb.USER_WRITE : Tlb.KERNEL_WRITE) : user ? Tlb.USER_READ : Tlb.KERNEL_READ));
  }

  protected override unchecked(at: number): number | undefined {
    const group = this.lowering?.unchecked?.get(at);
    return group === undefined ? undefined : this.lowering!.copy!.deltas[group];
  }
  protected override pageCache(address: Value): PageCache | undefined {
    const base = addressBase(this.ops, address);
    return base === undefined ? undefined : this.pages.get(base);
  }
  protected override pageCaches(): Iterable<PageCache> {
    return this.pages.values();
  }

  private touches(list: readonly number[] | 'all' | undefined, reg: number): boolean {
    return list === 'all' || list?.includes(reg) === true;
  }
  protected beforeHelper(op: Extract<Op, { kind: 'helper' }>): void {
    const { reads, writes, flags } = op.effects;
    for (let reg = 0; reg < GPRS; reg++) if (this.touches(writes, reg)) this.keepCarried(reg);
    for (const reg of this.written)
      if (this.touches(reads, reg) || this.touches(writes, reg))
        this.emit(this.storeCpu(Cpu.at.gpr + reg * GPR_STRIDE, this.get(FIRST_REG + reg)));
    if (flags === undefined) return;
    for (const e of this.settle()) this.emit(e);
    this.pending = undefined;
    if (this.writesFlags) this.emit(this.storeCpu(Cpu.at.flagR, this.get(FLAG_R)));
    if (this.writesFlags) this.emit(this.storeCpu(Cpu.at.flagX, this.get(FLAG_X)));
  }
  protected afterHelper(op: Extract<Op, { kind: 'helper' }>): void {
    const { writes, flags, stores, mayFault, eip, quiet } = op.effects;
    if (stores) this.stored = true;
    if (!quiet && (stores || mayFault || eip)) for (const e of this.forget()) this.emit(e);
    for (const reg of new Set([...this.used, ...this.written]))
      if (this.touches(writes, reg)) this.emit(this.m.local.set(FIRST_REG + reg, this.loadCpu(Cpu.at.gpr + reg * GPR_STRIDE)));
    if (flags === 'w' || flags === 'rw') {
      this.emit(this.m.local.set(FLAG_R, this.loadCpu(Cpu.at.flagR)));
      this.emit(this.m.local.set(FLAG_X, this.loadCpu(Cpu.at.flagX)));
    }
  }
  protected terminator(op: Op): void {
    if (op.kind !== 'repeat') return;
    // The others are for lowerBlock. Again: through the dispatcher, so that interrupts are seen.
    const { m } = this;
    this.emit(
      m.if(
        this.value(op.cond),
        m.block(null, [
          ...this.settle(),
          ...this.spill(),
          this.storeCpu(Cpu.at.eip, this.eip()),
          m.return_call(this.dispatchName, [this.c(0), this.cpu()], none),
        ]),
      ),
    );
  }
}

/** Adds the function of a region, exported under `name`. */
export function emitRegion(e: Emitter, name: string, region: Region, slotOf: SlotOf, extras: RegionExtras = {}): void {
  new RegionLowering(e, region, slotOf, extras).emitFunction(name);
}
