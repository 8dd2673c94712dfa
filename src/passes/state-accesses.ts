// Drops accesses to the CPU's state in memory (XMM and MMX registers, segment caches, trap words) that a block has made before: a
// load of what was loaded or stored gives that value, a store of what is there already is none, and a check that passed passes
// again. Only stores by values stay that change something, since a fault shows the state as it is at its instruction.
import { mapOperands, type Op, type OpOf } from '../ir/operations.ts';
import { overlap, type Place, type Type, type Value } from '../ir/types.ts';

/** Bytes from `at` to `end` of the CPU's state hold `value`, whole. */
interface Known extends Place {
  readonly type: Type;
  readonly value: Value;
}

/** Lanes by which a part of a vector is read. */
const LANES: Partial<Record<Type, { readonly bytes: number; readonly name: string }>> = {
  i32: { bytes: 4, name: 'i32x4.extract_lane' },
  i64: { bytes: 8, name: 'i64x2.extract_lane' },
};
const WIDTH: Record<Type, number> = { i32: 4, i64: 8, f32: 4, f64: 8, v128: 16 };
/** Bytes of a lane, by the name of an operator: `f64x2.replace_lane`. */
const laneBytes = (name: string): number => Number(name.slice(1, 3)) / 8;
/** More than a block has. */
const MOST_VALUES = 2 ** 20;

/** Offset in the CPU's state of an access; undefined where it is not known. */
export function placeOf(ops: readonly Op[], op: OpOf<'ldstate' | 'ststate'>): number | undefined {
  if (op.address === undefined) return op.offset;
  const address = ops[op.address]!;
  if (address.kind === 'cpu') return op.offset;
  if (address.kind !== 'pure' || address.name !== 'i32.add') return undefined;
  const [base, by] = address.args.map((v) => ops[v]!);
  if (base!.kind !== 'cpu' || by!.kind !== 'const') return undefined;
  return (by.value as number) + op.offset;
}

class Block {
  readonly ops: Op[];
  private known: Known[] = [];
  /** What stands for a value that was dropped. */
  private readonly alias = new Map<Value, Value>();
  /** The first of equal constants, by their value, and of equal pure operations of one or two values, by name and values. */
  private readonly constants = new Map<number, Value>();
  private readonly pures = new Map<string, Map<number, Value>>();
  private readonly number: Value[] = [];
  private readonly passed = new Set<Value>();

  constructor(ops: Op[]) {
    this.ops = ops;
  }

  private readonly now = (v: Value): Value => this.alias.get(v) ?? v;
  private readonly canonical = (v: Value): Value => this.number[this.now(v)] ?? this.now(v);

  private drop(i: number): void {
    this.ops[i] = { kind: 'const', type: 'i32', value: 0 };
  }
  private forget(place: Place): void {
    this.known = this.known.filter((k) => !overlap(k, place));
  }

  /** Undefined: any. */
  private forgetPlaces(places: readonly Place[] | undefined): void {
    if (places === undefined) this.known = [];
    else for (const place of places) this.forget(place);
  }

  private load(op: OpOf<'ldstate'>, i: number): void {
    const at = placeOf(this.ops, op);
    if (at === undefined || op.bytes !== WIDTH[op.type]) return;
    const end = at + op.bytes;
    const same = this.known.find((k) => k.at === at && k.end === end && k.type === op.type);
    if (same !== undefined) {
      this.alias.set(i, same.value);
      this.drop(i);
      return;
    }
    const lane = LANES[op.type];
    const whole = this.known.find((k) => k.at <= at && k.end >= end && k.type === 'v128');
    if (whole !== undefined && lane !== undefined && (at - whole.at) % lane.bytes === 0)
      this.lane({ kind: 'pure', type: op.type, name: lane.name, args: [whole.value], imm: (at - whole.at) / lane.bytes }, i);
    else this.known.push({ at, end, type: op.type, value: i });
  }

  /** A lane of a vector of which a lane was replaced: what stands there now, or the lane that was there before. */
  private lane(op: OpOf<'pure'>, i: number): void {
    let now = op;
    for (;;) {
      const from = this.ops[now.args[0]!]!;
      if (from.kind !== 'pure' || !from.name.endsWith('.replace_lane') || laneBytes(from.name) !== laneBytes(now.name)) break;
      if (from.imm !== now.imm) now = { ...now, args: [from.args[0]!] };
      else {
        const value = from.args[1]!;
        const { type } = this.ops[value] as { type: Type };
        if (type === now.type) {
          this.alias.set(i, value);
          return this.drop(i);
        }
        now = { kind: 'pure', type: now.type, name: `${now.type}.reinterpret_${type}`, args: [value] };
        break;
      }
    }
    this.ops[i] = now;
  }

  private store(op: OpOf<'ststate'>, i: number): void {
    const at = placeOf(this.ops, op);
    if (at === undefined) {
      this.forgetPlaces(op.within);
      return;
    }
    const end = at + op.bytes;
    const type = (this.ops[op.value] as { type: Type }).type;
    const there = this.known.find((k) => k.at === at && k.end === end && k.type === type);
    if (there !== undefined && this.canonical(there.value) === this.canonical(op.value)) return this.drop(i);
    this.forget({ at, end });
    if (op.bytes === WIDTH[type]) this.known.push({ at, end, type, value: op.value });
  }

  run(): void {
    for (let i = 0; i < this.ops.length; i++) {
      const op = mapOperands(this.ops[i]!, this.now);
      this.ops[i] = op;
      switch (op.kind) {
        case 'const':
          if (op.type === 'i32') this.name(i, this.constants, op.value as number);
          break;
        case 'pure':
          if (op.imm === undefined && op.args.length <= 2) this.namePure(i, op);
          else if (op.name.endsWith('.extract_lane')) this.lane(op, i);
          break;
        case 'ldstate':
          this.load(op, i);
          break;
        case 'ststate':
          this.store(op, i);
          break;
        case 'raise':
          if (op.cond === undefined) break;
          if (this.passed.has(this.canonical(op.cond))) this.drop(i);
          else this.passed.add(this.canonical(op.cond));
          break;
        case 'helper':
          this.forgetPlaces(op.effects.changes);
          break;
        case 'call':
        case 'callIndirect':
          this.known = [];
          break;
      }
    }
  }

  private namePure(i: number, { name, args }: OpOf<'pure'>): void {
    let same = this.pures.get(name);
    if (same === undefined) this.pures.set(name, (same = new Map()));
    this.name(i, same, this.canonical(args[0]!) * MOST_VALUES + (args[1] === undefined ? 0 : this.canonical(args[1])));
  }
  private name(i: number, first: Map<number, Value>, what: number): void {
    const known = first.get(what);
    if (known === undefined) first.set(what, i);
    this.number[i] = known ?? i;
  }
}

/** Whether there is something to drop: two accesses, or two checks. */
function mayRepeat(ops: readonly Op[]): boolean {
  let accesses = 0;
  let checks = 0;
  for (let i = 0; i < ops.length; i++) {
    const { kind } = ops[i]!;
    if (kind === 'ldstate' || kind === 'ststate') accesses++;
    else if (kind === 'raise') checks++;
  }
  return accesses > 1 || checks > 1;
}

/** Of a block's operations; values keep their numbers. */
export function dropStateAccesses(ops: readonly Op[]): readonly Op[] {
  if (!mayRepeat(ops)) return ops;
  const block = new Block(ops.slice());
  block.run();
  return block.ops;
}
