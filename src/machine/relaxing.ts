// The mode of a machine and what its translated code relies on, which may change while CPUs run (docs/relaxations.md).
import { EXACT, MODES, type Mode, type Relaxation, type RelaxTerm, relaxationsOf, relaxBits } from '../api/relax.ts';
import { MODE, RELAX } from '../api/schema.ts';
import type { SharedMemory } from '../cpu/state.ts';
import { Cpu, Pending } from '../layout/cpu.ts';
import { Control, controlWord, cpuBase } from '../layout/memory.ts';

export class Relaxing {
  readonly #shared: SharedMemory;
  /** Bits that may be set. */
  readonly #allowed: number;
  #mode: Mode;

  /** `exact`: what is recorded must be what is replayed. `terms`: undefined as the mode has it. */
  constructor(shared: SharedMemory, exact: boolean, mode: Mode, terms: readonly RelaxTerm[] | undefined) {
    this.#shared = shared;
    this.#allowed = exact ? relaxBits(EXACT) : -1;
    this.#mode = mode;
    this.relax(terms ?? MODES[mode]);
  }

  get mode(): Mode {
    return this.#mode;
  }

  setMode(mode: Mode): void {
    this.#mode = MODE.take(mode, 'mode');
    this.relax(MODES[this.#mode]);
  }

  get now(): readonly Relaxation[] {
    return relaxationsOf(Atomics.load(this.#shared.i32, controlWord(Control.at.relax)));
  }

  relax(terms: readonly RelaxTerm[]): void {
    const bits = relaxBits(RELAX.take(terms, 'relax'), this.#mode) & this.#allowed;
    const { i32, plan } = this.#shared;
    if (Atomics.exchange(i32, controlWord(Control.at.relax), bits) === bits) return;
    // The translator drops what was made by others.
    Atomics.add(i32, controlWord(Control.at.heatSignal), 1);
    Atomics.notify(i32, controlWord(Control.at.heatSignal));
    for (let n = 0; n < plan.cpuCount; n++) Atomics.or(i32, (cpuBase(plan, n) + Cpu.at.pending) >> 2, Pending.KICK);
  }
}
