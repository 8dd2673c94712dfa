// Which accesses of a region of the kernel are on its stack: those at a constant distance from ESP, or from EBP, as it was somewhere before. Where the stack is in the direct map
// and may be stored to is asked once, for all bytes that the region accesses around it (the operation `reach`), and again only behind what may have changed the answer.
import { effectsOf, mapOperands, type Op, type OpOf } from '../ir/operations.ts';
import type { RegionBlock, RegionIr } from '../ir/region.ts';
import type { Value } from '../ir/types.ts';
import { CODE_GPRS, Gpr } from '../layout/cpu.ts';
import { loopDepths, switchesStacks } from './address-bases.ts';

/** Bytes around a stack that a region may reach, on each side: together no more than a page. */
const FARTHEST = 2048;
/** What asking costs, and an access that need not ask saves, in about the same unit. */
const ASKING = 18;
const SAVED = 15;
const LOOP_WEIGHT = 8;

/** The stacks that are known at once: that of ESP, and, where that is another one, that of EBP. */
const STACKS = 2;

/** So far behind a stack, in its `version`: what was said of another one holds no longer. */
interface Spot {
  readonly stack: number;
  readonly at: number;
}
type Registers = readonly (Spot | undefined)[];

const isSame = (a: Spot | undefined, b: Spot | undefined): boolean => a?.stack === b?.stack && a?.at === b?.at;
const moved = (spot: Spot | undefined, by: number): Spot | undefined => spot && { stack: spot.stack, at: (spot.at + by) | 0 };

/** Registers at a block's start, and whether where ESP and EBP point is not what it was on one of the ways there. */
interface Start {
  readonly spots: Registers;
  readonly fresh: ReadonlySet<number>;
}

/** What happens to a stack in a block. */
type Event =
  | {
      readonly kind: 'use';
      readonly op: number;
      readonly insn: number;
      readonly reg: number;
      readonly at: number;
      readonly offset: number;
      readonly bytes: number;
    }
  | { readonly kind: 'lose' };

/** Follows a block's operations. */
class Walk {
  readonly spots: (Spot | undefined)[];
  /** By stack: what happens. */
  readonly events: Event[][] = Array.from({ length: STACKS }, () => []);
  private readonly versions: number[] = new Array<number>(STACKS).fill(0);

  constructor({ spots, fresh }: Start) {
    this.spots = [...spots];
    for (const reg of fresh) this.renew(reg, 0);
  }

  /** ESP or EBP points somewhere else, which is called so far behind a stack. */
  private renew(reg: number, at: number): void {
    const other = this.spots[reg === Gpr.ESP ? Gpr.EBP : Gpr.ESP];
    const stack = other === undefined ? (reg === Gpr.ESP ? 0 : 1) : 1 - other.stack;
    for (let r = 0; r < CODE_GPRS; r++) if (this.spots[r]?.stack === stack) this.spots[r] = undefined;
    this.versions[stack]!++;
    this.events[stack]!.push({ kind: 'lose' });
    this.spots[reg] = { stack, at };
  }
  private set(reg: number, spot: Spot | undefined): void {
    this.spots[reg] = spot;
    if (spot === undefined && (reg === Gpr.ESP || reg === Gpr.EBP)) this.renew(reg, 0);
  }

  run(ops: readonly Op[]): this {
    /** Of each value, with the version of its stack. */
    const values: ({ readonly spot: Spot; readonly version: number } | undefined)[] = [];
    let insn = -1;
    let before: Registers = this.spots;
    let versions: readonly number[] = [];
    /** By stack: whether something was lost since the instruction's start. */
    let lost = false;
    const spotOf = (v: Value): Spot | undefined => {
      const value = values[v];
      return value !== undefined && value.version === this.versions[value.spot.stack] ? value.spot : undefined;
    };
    for (let i = 0; i < ops.length; i++) {
      const op = ops[i]!;
      const give = (spot: Spot | undefined) => {
        if (spot !== undefined) values[i] = { spot, version: this.versions[spot.stack]! };
      };
      switch (op.kind) {
        case 'insn':
          insn = i;
          before = [...this.spots];
          versions = [...this.versions];
          lost = false;
          continue;
        case 'get':
          give(this.spots[op.reg]);
          continue;
        case 'set':
          this.set(op.reg, spotOf(op.value));
          continue;
        case 'pure': {
          if (op.name !== 'i32.add' && op.name !== 'i32.sub') continue;
          const by = ops[op.args[1]!]!;
          if (by.kind === 'const') give(moved(spotOf(op.args[0]!), op.name === 'i32.add' ? (by.value as number) : -(by.value as number)));
          continue;
        }
        case 'load':
        case 'store': {
          if (op.kind === 'load' && op.locked === true) {
            lost = true;
            this.loseAll();
            continue;
          }
          const spot = op.group === undefined && insn >= 0 && !lost ? spotOf(op.address) : undefined;
          if (spot === undefined || versions[spot.stack] !== this.versions[spot.stack]) continue;
          const reg = [Gpr.ESP, Gpr.EBP].find((r) => before[r]?.stack === spot.stack);
          if (reg === undefined || spot.at < -FARTHEST || spot.at + op.bytes > FARTHEST) continue;
          this.events[spot.stack]!.push({ kind: 'use', op: i, insn, reg, at: before[reg]!.at, offset: spot.at, bytes: op.bytes });
          continue;
        }
        case 'call':
        case 'callIndirect': {
          // Behind it the stack may be another one, in which the caller's part looks the same.
          const [sp, bp] = [this.spots[Gpr.ESP]!, this.spots[Gpr.EBP]!];
          this.spots.fill(undefined);
          this.renew(Gpr.ESP, moved(sp, 4)!.at);
          this.renew(Gpr.EBP, bp.stack === sp.stack ? 0 : bp.at);
          this.loseAll();
          continue;
        }
        case 'helper': {
          const { writes, forgets } = effectsOf(op);
          if (forgets) {
            lost = true;
            this.loseAll();
          }
          for (let reg = 0; reg < CODE_GPRS; reg++) if (writes === 'all' || writes?.includes(reg)) this.set(reg, undefined);
          continue;
        }
      }
    }
    return this;
  }

  private loseAll(): void {
    for (const list of this.events) list.push({ kind: 'lose' });
  }
}

/** What is known at each block's start. */
function starts({ flow, blocks, entry }: RegionIr): Map<number, Start> {
  const first: (Spot | undefined)[] = new Array<Spot | undefined>(CODE_GPRS).fill(undefined);
  first[Gpr.ESP] = { stack: 0, at: 0 };
  first[Gpr.EBP] = { stack: 1, at: 0 };
  const found = new Map<number, Start>([[entry, { spots: first, fresh: new Set() }]]);
  const work = new Set<number>([entry]);
  while (work.size > 0) {
    const n = flow.order.find((each) => work.has(each))!;
    work.delete(n);
    const { spots } = new Walk(found.get(n)!).run(blocks.get(n)!.ops);
    for (const to of blocks.get(n)!.next) {
      if (!flow.keeps(n, to)) continue;
      const was = found.get(to);
      const next = was === undefined ? { spots, fresh: new Set<number>() } : meet(was, spots);
      if (next === was) continue;
      found.set(to, next);
      work.add(to);
    }
  }
  return found;
}

function meet(was: Start, spots: Registers): Start {
  if (was.spots.every((spot, reg) => spot === undefined || isSame(spot, spots[reg]))) return was;
  const out = was.spots.map((spot, reg) => (isSame(spot, spots[reg]) ? spot : undefined));
  const fresh = new Set(was.fresh);
  for (const reg of [Gpr.ESP, Gpr.EBP]) if (out[reg] === undefined) fresh.add(reg);
  return { spots: out, fresh };
}

/** A question, in front of the use that wants it. */
type Use = Extract<Event, { kind: 'use' }>;

/** Where to ask for a stack, by block; `known`: it is asked for at the entry. */
function asks({ flow, blocks, entry }: RegionIr, events: ReadonlyMap<number, readonly Event[]>, known: boolean): Map<number, Use[]> {
  const before = new Map<number, boolean>([[entry, known]]);
  const walk = (n: number, ask?: (use: Use) => void): boolean => {
    let now = before.get(n)!;
    for (const event of events.get(n) ?? []) {
      if (event.kind === 'lose') now = false;
      else if (!now) {
        ask?.(event);
        now = true;
      }
    }
    return now;
  };
  for (let changed = true; changed; ) {
    changed = false;
    for (const n of flow.order) {
      if (!before.has(n)) continue;
      const end = walk(n);
      for (const to of blocks.get(n)!.next) {
        if (!flow.keeps(n, to)) continue;
        const was = before.get(to);
        const now = (was ?? true) && end;
        if (now === was) continue;
        before.set(to, now);
        changed = true;
      }
    }
  }
  const found = new Map<number, Use[]>();
  for (const n of flow.order) if (before.has(n)) walk(n, (use) => void (found.get(n)?.push(use) ?? found.set(n, [use])));
  return found;
}

/** A block's operations with others in the place of accesses, and questions behind the starts of instructions. */
function rewritten(block: RegionBlock, replaced: ReadonlyMap<number, Op>, added: ReadonlyMap<number, readonly Op[]>): RegionBlock {
  const out: Op[] = [];
  const place: number[] = [];
  block.ops.forEach((op, i) => {
    place[i] = out.length;
    out.push(mapOperands(replaced.get(i) ?? op, (v) => place[v]!));
    out.push(...(added.get(i) ?? []));
  });
  return { ...block, ops: out };
}

/** An access that need not be looked for. */
function known(op: Op, stack: number, offset: number): Op {
  if (op.kind === 'load') return { kind: 'ldstack', type: op.type, bytes: op.bytes, signed: op.signed, stack, offset };
  const { bytes, value } = op as OpOf<'store'>;
  return { kind: 'ststack', bytes, value, stack, offset };
}

export function stackAccesses(ir: RegionIr): RegionIr {
  const { flow, blocks, entry } = ir;
  // Entries of kernels begin on a stack that is not in the map, and exits end there.
  if (switchesStacks(ir)) return ir;
  const depths = loopDepths(flow);
  const weight = (n: number) => LOOP_WEIGHT ** depths.get(n)!;
  const begin = starts(ir);
  const walks = new Map(flow.order.map((n) => [n, new Walk(begin.get(n)!).run(blocks.get(n)!.ops)]));
  const replaced = new Map<number, Map<number, Op>>();
  const added = new Map<number, Map<number, Op[]>>();
  const reaches: OpOf<'reach'>[] = [];
  for (let stack = 0; stack < STACKS; stack++) {
    const events = new Map(flow.order.map((n) => [n, walks.get(n)!.events[stack]!]));
    const uses = flow.order.flatMap((n) => events.get(n)!.flatMap((event) => (event.kind === 'use' ? [{ n, event }] : [])));
    if (uses.length === 0) continue;
    const saved = uses.reduce((sum, { n }) => sum + SAVED * weight(n), 0);
    const cost = (found: ReadonlyMap<number, readonly Use[]>) =>
      [...found].reduce((sum, [n, list]) => sum + ASKING * weight(n) * list.length, 0);
    const atUses = asks(ir, events, false);
    const reg = stack === 0 ? Gpr.ESP : Gpr.EBP;
    const isFirst = isSame(begin.get(entry)!.spots[reg], { stack, at: 0 });
    const atEntry = isFirst ? asks(ir, events, true) : undefined;
    const early = atEntry !== undefined && ASKING + cost(atEntry) < cost(atUses);
    const places = early ? atEntry : atUses;
    if (cost(places) + (early ? ASKING : 0) >= saved) continue;
    const low = Math.min(...uses.map(({ event }) => event.offset));
    const high = Math.max(...uses.map(({ event }) => event.offset + event.bytes));
    const reach = (from: number, offset: number): OpOf<'reach'> => ({ kind: 'reach', stack, reg: from, offset, low, high });
    if (early) reaches.push(reach(reg, 0));
    for (const [n, list] of places)
      for (const use of list) {
        if (!added.has(n)) added.set(n, new Map());
        const at = added.get(n)!;
        at.set(use.insn, [...(at.get(use.insn) ?? []), reach(use.reg, use.at)]);
      }
    for (const { n, event } of uses) {
      if (!replaced.has(n)) replaced.set(n, new Map());
      replaced.get(n)!.set(event.op, known(blocks.get(n)!.ops[event.op]!, stack, event.offset));
    }
  }
  if (replaced.size === 0) return ir;
  const out = new Map(blocks);
  for (const [n, list] of replaced) out.set(n, rewritten(blocks.get(n)!, list, added.get(n) ?? new Map()));
  return { ...ir, blocks: out, reaches };
}
