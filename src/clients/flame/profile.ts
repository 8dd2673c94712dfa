// A profile that grows: stacks as addresses, and by CPU which of them were met in their order, with the nanoseconds that each stands for. Names come when it is written, so that symbols may come late.
// Its memory is bounded: stacks beyond the most that are kept are one, and when a CPU has too many samples those to come are added up by their stack, out of order.

/** Stacks of a machine, and samples of a CPU in their order. */
export const MOST_STACKS = 100_000;
export const MOST_SAMPLES = 1_000_000;

/** What is no address. */
export type Special = 'idle' | 'lost' | 'other';

export interface Stack {
  /** Linear addresses, the innermost first; none of a special one. */
  readonly frames: readonly number[];
  /** The address space of code of the user. */
  readonly process: number | undefined;
  readonly cut: boolean;
  readonly special: Special | undefined;
}

/** What one CPU did. Both arrays are of a length: numbers of stacks, and nanoseconds. */
export interface CpuProfile {
  readonly stacks: readonly number[];
  readonly ns: readonly number[];
  /** How many samples each of the two is made of; 0 where it is no sample. */
  readonly counts: readonly number[];
}

class Track implements CpuProfile {
  readonly stacks: number[] = [];
  readonly ns: number[] = [];
  readonly counts: number[] = [];
  /** Where the entry of a stack is that is added up. */
  readonly #added = new Map<number, number>();

  add(stack: number, ns: number, count: number): void {
    const last = this.stacks.length - 1;
    let at = this.stacks[last] === stack ? last : this.#added.get(stack);
    if (at === undefined) {
      at = this.stacks.push(stack) - 1;
      this.ns.push(0);
      this.counts.push(0);
      if (at >= MOST_SAMPLES) this.#added.set(stack, at);
    }
    this.ns[at]! += ns;
    this.counts[at]! += count;
  }
}

const special = (what: Special): Stack => ({ frames: [], process: undefined, cut: false, special: what });

export class Profile {
  readonly stacks: Stack[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #tracks: readonly Track[];

  constructor(cpus: number) {
    this.#tracks = Array.from({ length: cpus }, () => new Track());
  }

  get cpus(): readonly CpuProfile[] {
    return this.#tracks;
  }

  /** `ns`: it stands for so many. */
  add(cpu: number, stack: Omit<Stack, 'special'>, ns: number): void {
    const key = `${stack.process ?? ''}${stack.cut ? '+' : ' '}${stack.frames.join(' ')}`;
    const known = this.#numbers.get(key);
    if (known === undefined && this.stacks.length >= MOST_STACKS) return this.addSpecial(cpu, 'other', ns, 1);
    this.#tracks[cpu]!.add(known ?? this.#number(key, { ...stack, special: undefined }), ns, 1);
  }

  /** `count`: of samples. */
  addSpecial(cpu: number, what: Special, ns: number, count: number): void {
    if (ns > 0 || count > 0) this.#tracks[cpu]!.add(this.#numbers.get(what) ?? this.#number(what, special(what)), ns, count);
  }

  #number(key: string, stack: Stack): number {
    const number = this.stacks.push(stack) - 1;
    this.#numbers.set(key, number);
    return number;
  }
}
