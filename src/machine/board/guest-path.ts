// How far a guest can have come between two of its calls to the host (ports, MMIO, time-stamp counter): where every way through its code from the one
// to the other is a few instructions long, what lies between them took it next to no time, however long the host was away.
import { PhysicalMemory } from '../../cpu/physical.ts';
import type { Vcpu } from '../../cpu/vcpu.ts';
import { decode, type Instruction, LONGEST } from '../../decode/decoder.ts';
import { Cpu, Seg, SegCache } from '../../layout/cpu.ts';
import { LAPIC_BASE, LAPIC_EOI, lapicRegisterWord } from '../../layout/lapic.ts';
import { PAGE } from '../../layout/memory.ts';

/** Instructions on all ways together, and calls that the host is told of, at the most. */
const LIMIT = 64;

export interface GuestPathOptions {
  readonly words: Int32Array;
  /** Indices in `words`: EIP of the instruction that is executed, Mode bits, and how many interrupts and exceptions were delivered. */
  readonly at: { readonly eip: number; readonly mode: number; readonly interrupts: number; readonly faults: number };
  /** The instruction at an EIP; undefined where there is none, or it cannot be executed. */
  readonly instruction: (eip: number, mode: number) => Instruction | undefined;
  /** Whether each execution of a MOV to or from an address of its own (in flat segments) is a call: there is MMIO. */
  readonly isMmio: (linear: number) => boolean;
}

const CALLS = new Set(['in', 'out', 'rdtsc']);

/** Whether the instruction calls the host each time that it is executed. */
function calls({ form, memory }: Instruction, isMmio: (linear: number) => boolean): boolean {
  if (CALLS.has(form.mnemonic)) return true;
  if (form.mnemonic !== 'mov' || memory === undefined || form.segmented || !form.flat) return false;
  return memory.base < 0 && memory.index < 0 && isMmio(memory.disp >>> 0);
}

export class GuestPath {
  readonly #options: GuestPathOptions;
  /** EIPs: where the way started, and where the guest called the host since. */
  readonly #eips = new Uint32Array(LIMIT);
  #count = 0;
  #mode = 0;
  #deliveries = 0;
  /** The mode was another in between, or something was delivered. */
  #turned = false;
  /** Ways that were read, by their ends. */
  readonly #known = new Map<string, boolean>();

  constructor(options: GuestPathOptions) {
    this.#options = options;
  }

  /** The guest calls the host. */
  passes(): void {
    if (this.#turns()) this.#turned = true;
    this.#add();
  }

  /** From now on the way counts. `anew`: code may have changed since it was last read. */
  starts(anew = false): void {
    const { words, at } = this.#options;
    this.#count = 0;
    this.#add();
    this.#mode = words[at.mode]!;
    this.#deliveries = words[at.interrupts]! + words[at.faults]!;
    this.#turned = false;
    if (anew) this.#known.clear();
  }

  /** Whether there is only a short way from where it started to where the guest is now. */
  isShort(): boolean {
    if (this.#count === 0 || this.#count === LIMIT || this.#turned || this.#turns()) return false;
    const last = this.#count - 1;
    for (let n = 0; n < last; n++) if (!this.#leads(this.#eips[n]!, this.#eips[n + 1]!)) return false;
    // The clock may be read more than once in a call.
    return this.#eips[last] === this.#options.words[this.#options.at.eip]! >>> 0;
  }

  #add(): void {
    if (this.#count < LIMIT) this.#eips[this.#count++] = this.#options.words[this.#options.at.eip]!;
  }

  #turns(): boolean {
    const { words, at } = this.#options;
    return words[at.mode] !== this.#mode || words[at.interrupts]! + words[at.faults]! !== this.#deliveries;
  }

  #leads(from: number, to: number): boolean {
    const ends = `${from} ${to} ${this.#mode}`;
    let short = this.#known.get(ends);
    if (short === undefined) {
      const { instruction, isMmio } = this.#options;
      short = isShortWay(from, to, (eip) => instruction(eip, this.#mode), isMmio);
      this.#known.set(ends, short);
    }
    return short;
  }
}

/**
 * Whether all ways from the instruction at `from` to the one at `to` are LIMIT instructions together, without a loop or anything that may repeat, wait
 * or lead who knows where. A way that comes to another call of the host is none: the host would know of it.
 */
export function isShortWay(
  from: number,
  to: number,
  read: (eip: number) => Instruction | undefined,
  isMmio: (linear: number) => boolean,
): boolean {
  /** What was left by all ways, and what one is in the middle of: EIPs with the return addresses above them. */
  const done = new Set<string>();
  const under = new Set<string>();
  const known = new Map<number, Instruction | undefined>();
  const instruction = (eip: number) => {
    if (!known.has(eip)) known.set(eip, read(eip));
    return known.get(eip);
  };
  const go = (eip: number, returns: readonly number[], first: boolean): boolean => {
    if (!first && eip === to) return true;
    const x = instruction(eip);
    if (x?.spec === undefined || x.truncated || x.form.rep !== 0) return false;
    const { mnemonic } = x.form;
    if (!first && calls(x, isMmio)) return true;
    const place = `${eip} ${returns.join(' ')}`;
    if (done.has(place)) return true;
    if (under.has(place) || done.size + under.size === LIMIT) return false;
    under.add(place);
    const follow = (next: number, left = returns): boolean => go(next, left, false);
    let short: boolean;
    if (mnemonic === 'ret') short = returns.length > 0 && follow(returns.at(-1)!, returns.slice(0, -1));
    else if (x.target === undefined) short = x.spec.ends !== true && follow(x.next);
    else if (mnemonic === 'call') short = follow(x.target, x.target === x.next ? returns : [...returns, x.next]);
    else short = follow(x.target) && (x.flow === 'unconditional' || follow(x.next));
    under.delete(place);
    done.add(place);
    return short;
  };
  return go(from, [], true);
}

/** The path of a CPU that runs on this thread. */
export function pathOf(cpu: Vcpu): GuestPath {
  const physical = new PhysicalMemory(cpu.shared);
  const bytes = new Uint8Array(LONGEST);
  const word = (offset: number) => (cpu.base + offset) >> 2;
  return new GuestPath({
    words: cpu.shared.i32,
    at: { eip: word(Cpu.at.eip), mode: word(Cpu.at.mode), interrupts: word(Cpu.at.countInterrupts), faults: word(Cpu.at.countFaults) },
    instruction(eip, mode) {
      const linear = cpu.get(Cpu.at.seg + Seg.CS * SegCache.size + SegCache.at.base) + eip;
      const { runtime } = cpu.instance;
      for (let have = 0; have < LONGEST; ) {
        const phys = runtime.codeAddress(cpu.base, (linear + have) >>> 0);
        if (phys < 0) return undefined;
        const part = bytes.subarray(have, Math.min(LONGEST, have + PAGE - (phys & (PAGE - 1))));
        physical.read(phys, part);
        have += part.length;
      }
      return decode(bytes, eip, mode);
    },
    isMmio(linear) {
      const phys = cpu.instance.runtime.codeAddress(cpu.base, linear);
      if (phys < 0 || physical.host(phys) !== undefined) return false;
      // The runtime knows some of the local APIC's registers itself.
      const register = phys - LAPIC_BASE;
      return register < 0 || register >= PAGE || (lapicRegisterWord(register) === undefined && register !== LAPIC_EOI);
    },
  });
}
