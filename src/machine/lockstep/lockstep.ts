// The lockstep executor: all CPUs in turn on one thread. Which CPU runs, and for how many instructions, comes from a seed; the time that
// the guest sees comes from the instructions. So a run depends on its seed and its inputs alone, and repeats on any machine.
//
// A turn is a slice of one CPU, then the devices. Between turns, and only there, inputs reach the devices; a recording notes before
// which turn. Slices end at an exact number of instructions: blocks take theirs from Cpu.budget, and what is left of a slice when the next
// block is longer is done one instruction at a time. So any two instructions can be the ones between which another CPU runs.
//
// A slice may be done in parts, with a rest of any length in between: where the host's debugging stops the CPU, or lets it go on for some instructions alone. It is the same turn then.
//
// Where a machine can go back (src/reverse), it runs exactly: each instruction by itself, so that neither where the engine polls nor what it reads of the clock depends on how code was cut into blocks, or on where
// somebody stopped it. What it comes to is another run than that of the same seed otherwise.
//
// With R CPUs running, an instruction takes NS / R: together they are as fast as R CPUs side by side. Where all wait in HLT the clock
// jumps to the next timer, but not ahead of the host's clock, if the run is paced: then `sleep 1` takes a second.
import { forgetCode } from '../../cache/code-pages.ts';
import { hasRequests, takeRequests } from '../../cache/heat.ts';
import { noteTranslation } from '../../cache/tally.ts';
import type { Translator } from '../../cache/translator.ts';
import type { ClientCode } from '../../clients/client-code.ts';
import type { SliceSampling } from '../../clients/flame/slices.ts';
import { type ClientEntry, readClients } from '../../clients/table.ts';
import { Lifecycle } from '../../cpu/lifecycle.ts';
import type { EngineImage } from '../../cpu/runtime.ts';
import type { SharedMemory } from '../../cpu/state.ts';
import { Vcpu } from '../../cpu/vcpu.ts';
import type { Chipset } from '../../devices/chipset.ts';
import type { Instrument } from '../../instrument/instrument.ts';
import { Cpu, DebugStop, Exit, SLICE_OVER, Step } from '../../layout/cpu.ts';
import { renewCpu } from '../../snapshot/cpu-fields.ts';
import type { SavedLockstep } from '../../snapshot/header.ts';
import { cpuHost } from '../board/cpu-host.ts';
import { monotonicMs } from '../board/host-clock.ts';
import { SeededRandom } from './random.ts';
import type { TurnTimes } from './turn-times.ts';
import { NS, type VirtualClock } from './virtual-clock.ts';

/** Instructions of a slice at the most, where one CPU runs and where several do. */
const LONGEST = 100_000;
const LONGEST_SHARED = 4000;
/** One slice in so many is of a few instructions only: races are between two of them. */
const SHORT_EVERY = 4;
const SHORT = 32;

/** A slice of up to `most` instructions that was drawn to end behind `length`: of how many instructions at such a place of their slices one is an end. */
function standsFor(length: number, most: number): number {
  const short = 1 / SHORT_EVERY;
  const ends = (1 - short) / most + (length <= SHORT ? short / SHORT : 0);
  const reached = ((1 - short) * (most - length + 1)) / most + (short * Math.max(SHORT - length + 1, 0)) / SHORT;
  return reached / ends;
}

export interface LockstepParts {
  readonly shared: SharedMemory;
  readonly image: EngineImage;
  readonly chipset: Chipset;
  readonly clock: VirtualClock;
  readonly seed: number;
  /** Undefined: the interpreter alone. */
  readonly translator: Translator | undefined;
  /** Trace records are waiting (see HostImports.trace). */
  readonly onTrace: () => void;
  /** Of the client flame. */
  readonly sampling: SliceSampling;
  /** Are told of each turn. */
  readonly times: TurnTimes;
  /** Where another machine stood that this one goes on for. */
  readonly saved: SavedTurns | undefined;
  /** Each instruction by itself. */
  readonly exact?: boolean | undefined;
}

/** How far the turns have come: of a snapshot. */
export type SavedTurns = Pick<SavedLockstep, 'turns' | 'choices' | 'slice'>;

/** What makes the code of clients. */
export interface ClientMaker {
  instruments(list: readonly ClientEntry[]): Instrument[];
  of(cpu: Vcpu, list: readonly ClientEntry[]): ClientCode;
}

/** What a turn came to. */
export type Turn =
  | { readonly kind: 'ran' }
  /** The CPU stopped for the host (Cpu.debugStop), in the middle of the turn maybe. */
  | { readonly kind: 'debug' }
  /** It came to Lockstep.limit, in the middle of a turn or before one. */
  | { readonly kind: 'limit' }
  /** All CPUs wait in HLT. `until`: nanoseconds of the machine's clock, when the next timer runs out; Infinity: none is set. */
  | { readonly kind: 'idle'; readonly until: number }
  /** No CPU can ever run again. */
  | { readonly kind: 'halted' }
  /** A CPU left its run loop for good. */
  | { readonly kind: 'ended'; readonly cpu: number; readonly exit: number };

/** How far turns are made, of an exact run: so many units (of a slice's length) into a turn, or so many instructions since power-on, of a CPU or of all together. */
export type Limit =
  | { readonly kind: 'turn'; readonly turn: number; readonly done: number }
  | { readonly kind: 'count'; readonly cpu: number; readonly count: number }
  | { readonly kind: 'total'; readonly count: number };

/** Parts of a slice end so where neither the slice nor anything else does. */
const GOES_ON = -1;

/** A slice that is under way. `ns`: an instruction takes so long; `start`: of the clock. */
interface Slice {
  readonly cpu: Vcpu;
  readonly length: number;
  readonly ns: number;
  readonly start: number;
  /** Instructions that are not done yet. */
  left: number;
}

export class Lockstep {
  readonly cpus: readonly Vcpu[];
  /** The version of the list of clients that code is made by. */
  #clients = 0;
  /** Turns so far. */
  turns = 0;
  readonly #parts: LockstepParts;
  /** By the CPUs' indices. */
  readonly #lives: readonly Lifecycle[];
  readonly #random: SeededRandom;
  #slice: Slice | undefined;
  /** Of the slice, where it is this machine's from the start: who could have got it, what its end stands for (0: it is not where it was drawn to be), and whether it began in code of CPL 3. */
  #drawn: { readonly running: readonly number[]; readonly standsFor: number; readonly fromUser: boolean } | undefined;
  /** The CPU that is to stop behind its Cpu.stepsLeft instructions. */
  #stepped: Vcpu | undefined;
  /** Its Cpu.stepsLeft when that was asked for, and whether it has been given a turn of the others' to wake in. */
  #asked = 0;
  #waited = false;
  limit: Limit | undefined;

  constructor(parts: LockstepParts) {
    this.#parts = parts;
    const { shared, image, chipset, clock, onTrace, saved } = parts;
    this.#random = new SeededRandom(saved?.choices ?? parts.seed);
    this.turns = saved?.turns ?? 0;
    const make = (_: unknown, index: number) => new Vcpu(image, shared, index, cpuHost(chipset, clock, index, onTrace));
    this.cpus = Array.from({ length: shared.plan.cpuCount }, make);
    for (const cpu of this.cpus) cpu.refresh();
    this.#lives = this.cpus.map((cpu) => new Lifecycle(cpu, () => chipset.parts.lapic.sipiVector(cpu.index)));
    if (saved?.slice !== undefined) this.#slice = { ...saved.slice, cpu: this.cpus[saved.slice.cpu]! };
    chipset.hub.endSlice = () => this.cpus[chipset.current.index]!.set(Cpu.at.budget, SLICE_OVER);
  }

  /** Whether a turn is under way: nothing may come from outside until it is done. */
  get isInTurn(): boolean {
    return this.#slice !== undefined;
  }

  /** Units of the turn that is under way which are done. */
  get done(): number {
    return this.#slice === undefined ? 0 : this.#slice.length - this.#slice.left;
  }

  /** Instructions that a CPU has executed since power-on: exact where the run is. */
  count(cpu: number): number {
    const { i32 } = this.#parts.shared;
    const at = (offset: number) => {
      const word = (this.cpus[cpu]!.base + offset) >> 2;
      return (i32[word]! >>> 0) + i32[word + 1]! * 2 ** 32;
    };
    return at(Cpu.at.countInterpreted) + at(Cpu.at.countTranslated);
  }

  /** All CPUs together. */
  get executed(): number {
    return this.cpus.reduce((sum, { index }) => sum + this.count(index), 0);
  }

  /** The CPUs were reset: a slice that is under way is over. */
  dropTurn(): void {
    this.#slice = undefined;
  }

  /** Saves how far the turns have come, and forgets all that was decoded, translated and looked up: a machine that goes on from here knows none of it, and both are to go on alike. */
  save(): SavedTurns {
    const { shared } = this.#parts;
    this.#forget();
    for (const cpu of this.cpus) renewCpu(shared, cpu.index, cpu.instance.runtime);
    const { turns } = this;
    return { turns, choices: this.#random.state, slice: this.#slice && { ...this.#slice, cpu: this.#slice.cpu.index } };
  }

  /** Goes on where it stood. `cpus`: as saveCpu() had them, with what count() said then. RAM, Control and devices are there. */
  putBack({ turns, choices, slice }: SavedTurns, cpus: readonly { readonly saved: Uint8Array; readonly count: number }[]): void {
    const { shared } = this.#parts;
    this.#forget();
    for (const [n, { saved, count }] of cpus.entries()) {
      const { base, instance } = this.cpus[n]!;
      renewCpu(shared, n, instance.runtime, saved);
      const at = (offset: number) => (base + offset) >> 2;
      shared.i32.fill(0, at(Cpu.at.countTranslated), at(Cpu.at.countTranslated) + 2);
      shared.i32[at(Cpu.at.countInterpreted)] = count | 0;
      shared.i32[at(Cpu.at.countInterpreted) + 1] = Math.floor(count / 2 ** 32);
    }
    this.turns = turns;
    this.#random.state = choices;
    this.#slice = slice && { ...slice, cpu: this.cpus[slice.cpu]! };
    this.#drawn = undefined;
  }

  #forget(): void {
    const { shared, translator } = this.#parts;
    for (const cpu of this.cpus) {
      cpu.dropRegions();
      cpu.blocks.flush();
    }
    translator?.giveBack();
    forgetCode(shared);
  }

  /** The run stops behind the next Cpu.stepsLeft instructions of a CPU; undefined: it does not. */
  stepOnly(cpu: number | undefined): void {
    this.#stepped = cpu === undefined ? undefined : this.cpus[cpu];
    this.#asked = this.#stepped?.get(Cpu.at.stepsLeft) ?? 0;
    this.#waited = false;
  }

  /** One slice of one CPU, or the rest of it, and what follows from it. Where all CPUs wait nothing happens. */
  turn(): Turn {
    const { chipset, clock } = this.#parts;
    let slice = this.#slice;
    if (slice === undefined) {
      if (this.limit?.kind === 'turn' && this.limit.turn === this.turns && this.limit.done === 0) return { kind: 'limit' };
      const running = this.cpus.filter(({ index }) => this.#lives[index]!.wake());
      if (this.#waitsInVain(running)) return { kind: 'debug' };
      const deadline = chipset.hub.nextDeadline();
      if (running.length === 0) {
        if (deadline <= clock.now()) {
          chipset.hub.runTimers(clock.now());
          return { kind: 'ran' };
        }
        const interruptible = this.#lives.some((life) => life.takesInterrupts);
        return interruptible ? { kind: 'idle', until: deadline } : { kind: 'halted' };
      }
      const cpu = running[this.#random.below(running.length)]!;
      const most = running.length === 1 ? LONGEST : LONGEST_SHARED;
      const drawn = this.#length(most);
      const length = Math.max(Math.min(drawn, Math.ceil((deadline - clock.now()) / (NS / running.length))), 1);
      this.#drawn = {
        running: running.map(({ index }) => index),
        standsFor: drawn === length ? standsFor(drawn, most) : 0,
        fromUser: this.#parts.times.isInUser(cpu.index),
      };
      slice = { cpu, length, ns: NS / running.length, start: clock.now(), left: length };
    }
    this.#slice = slice;
    const { cpu } = slice;
    let exit: number;
    do {
      if (this.#reached(slice)) return { kind: 'limit' };
      exit = this.#run(slice);
    } while (exit === GOES_ON);
    if (exit === Exit.DEBUG) return { kind: 'debug' };
    this.#slice = undefined;
    this.#sample(slice, exit);
    this.turns++;
    if (chipset.hub.nextDeadline() <= clock.now()) chipset.hub.runTimers(clock.now());
    chipset.hub.runHostSignals();
    if (hasRequests(this.#parts.shared)) this.#translate();
    const end = exit === Exit.SLICE ? undefined : this.#lives[cpu.index]!.after(exit);
    if (end !== undefined) return { kind: 'ended', cpu: cpu.index, exit: end };
    if (this.#stepped !== cpu || cpu.get(Cpu.at.stepsLeft) > 0) return { kind: 'ran' };
    cpu.set(Cpu.at.debugStop, DebugStop.STEPPED);
    return { kind: 'debug' };
  }

  /** The CPU that is to be stepped waits in HLT, or for its start, and has not been woken by a turn of the others: whoever steps it is told. */
  #waitsInVain(running: readonly Vcpu[]): boolean {
    const cpu = this.#stepped;
    if (cpu === undefined || running.includes(cpu) || cpu.get(Cpu.at.stepsLeft) < this.#asked) return false;
    const inVain = this.#waited;
    this.#waited = true;
    if (inVain) cpu.set(Cpu.at.debugStop, DebugStop.STEPPED);
    return inVain;
  }

  /** Goes by the list of clients as it is now. Between two turns, or parts of one. */
  takeClients(code: ClientMaker | undefined): void {
    const { shared, translator } = this.#parts;
    const { list, version } = readClients(shared);
    if (version === this.#clients) return;
    this.#clients = version;
    if (translator !== undefined) {
      translator.clients = list.length === 0 ? [] : code!.instruments(list);
      translator.giveBack();
    }
    for (const cpu of this.cpus) cpu.takeClients(() => code!.of(cpu, list));
  }

  #length(most: number): number {
    return 1 + (this.#random.below(SHORT_EVERY) === 0 ? this.#random.below(SHORT) : this.#random.below(most));
  }

  /** A slice is over. */
  #sample({ cpu, length, ns, start, left }: Slice, exit: number): void {
    const { sampling, times, clock } = this.#parts;
    const drawn = this.#drawn;
    this.#drawn = undefined;
    if (drawn === undefined) return;
    times.turned(drawn.running, start, clock.now());
    times.ran(cpu.index, (length - left) * ns, drawn.fromUser);
    if (exit === Exit.SLICE && left <= 0 && drawn.standsFor > 0) sampling.ended(cpu, drawn.standsFor);
  }

  /** How much there is up to the limit: Infinity where that is not of this slice. */
  #room({ cpu, length, left }: Slice): number {
    const { limit } = this;
    if (limit === undefined) return Number.POSITIVE_INFINITY;
    if (limit.kind === 'turn') return limit.turn === this.turns ? limit.done - (length - left) : Number.POSITIVE_INFINITY;
    if (limit.kind === 'total') return limit.count - this.executed;
    return limit.cpu === cpu.index ? limit.count - this.count(cpu.index) : Number.POSITIVE_INFINITY;
  }
  #reached(slice: Slice): boolean {
    return this.#room(slice) <= 0;
  }

  /** Runs what is left of a slice, or of the CPU's steps, or what there is up to the limit; the exit, or GOES_ON. */
  #run(slice: Slice): number {
    const { cpu, length, ns, start } = slice;
    const before = slice.left;
    const exact = this.#parts.exact === true;
    const steps = cpu === this.#stepped ? cpu.get(Cpu.at.stepsLeft) : Number.POSITIVE_INFINITY;
    const count = exact ? this.count(cpu.index) : 0;
    const part = Math.min(before, steps, this.#room(slice));
    const later = before - part;
    cpu.set(Cpu.at.budget, part);
    let over = false;
    const left = () => {
      const budget = cpu.get(Cpu.at.budget) | 0;
      over = budget < SLICE_OVER / 2;
      return over ? budget - SLICE_OVER : later + budget;
    };
    const exit = this.#parts.clock.during(
      start,
      () => (length - left()) * ns,
      () => {
        let exit: number = exact ? Exit.SLICE : cpu.run();
        if (exact || (exit === Exit.SLICE && (cpu.get(Cpu.at.budget) | 0) > 0)) {
          cpu.set(Cpu.at.step, cpu.get(Cpu.at.step) | Step.FORCED);
          exit = cpu.run();
          cpu.set(Cpu.at.step, cpu.get(Cpu.at.step) & ~Step.FORCED);
        }
        return exit;
      },
    );
    slice.left = left();
    // Other units than instructions there are where one faults, and where it gives the rest of its slice away.
    const passed = exact ? this.count(cpu.index) - count : before - slice.left;
    if (cpu === this.#stepped) cpu.set(Cpu.at.stepsLeft, Math.max(steps - passed, 0));
    if (exit !== Exit.SLICE || over) return exit;
    if (this.#reached(slice)) return GOES_ON;
    if (later === 0 || slice.left <= 0) return exit;
    if (cpu !== this.#stepped || cpu.get(Cpu.at.stepsLeft) > 0) return GOES_ON;
    cpu.set(Cpu.at.debugStop, DebugStop.STEPPED);
    return Exit.DEBUG;
  }

  /** Translates what is hot by now, and gives it to all CPUs: at this turn on every machine. */
  #translate(): void {
    const { shared, translator } = this.#parts;
    for (let requests = takeRequests(shared); requests.length > 0; requests = takeRequests(shared)) {
      if (translator === undefined) continue;
      for (const list of translator.byOwner(requests)) {
        if (!translator.hasRoom || translator.isMixed) {
          for (const cpu of this.cpus) cpu.dropRegions();
          translator.giveBack();
        }
        const start = monotonicMs();
        const module = translator.translate(list);
        noteTranslation(shared, translator, module, (monotonicMs() - start) * 1000);
        if (module === undefined) continue;
        for (const cpu of this.cpus) if (module.owner === undefined || module.owner === cpu.index) cpu.regions.install(module);
      }
    }
  }
}
