// How the CPUs of a lockstep machine spent its time: what each waited, and how much of what it executed was the kernel's. Nothing of the run is another for it.
import type { SharedMemory } from '../../cpu/state.ts';
import { Cpu } from '../../layout/cpu.ts';
import { cpuBase } from '../../layout/memory.ts';

/** Nanoseconds of the machine's clock. `off`: it waited for its start-up IPI; `kernel` and `user` are of its own turns, beside which others run. */
export interface TurnTime {
  readonly idle: number;
  readonly off: number;
  readonly kernel: number;
  readonly user: number;
}

const USER = 3;

export class TurnTimes {
  readonly #shared: SharedMemory;
  readonly #times: { idle: number; off: number; kernel: number; user: number }[];
  /** To where the clock has been accounted for. */
  #until: number;

  /** `from`: where the clock stands. */
  constructor(shared: SharedMemory, from: number) {
    this.#shared = shared;
    this.#times = Array.from({ length: shared.plan.cpuCount }, () => ({ idle: 0, off: 0, kernel: 0, user: 0 }));
    this.#until = from;
  }

  /** Up to the end of the last turn. */
  of(cpu: number): TurnTime {
    return this.#times[cpu]!;
  }
  get until(): number {
    return this.#until;
  }

  #word(cpu: number, offset: number): number {
    const { i32, plan } = this.#shared;
    return i32[(cpuBase(plan, cpu) + offset) >> 2]!;
  }

  /** Whether a CPU is in code of CPL 3. */
  isInUser(cpu: number): boolean {
    return this.#word(cpu, Cpu.at.cpl) === USER;
  }

  /** A CPU had a turn that took so long. Half of it is of the level that it was in at its start, half of that at its end: turns are short, and end anywhere. */
  ran(cpu: number, ns: number, fromUser: boolean): void {
    for (const isUser of [fromUser, this.isInUser(cpu)]) this.#times[cpu]![isUser ? 'user' : 'kernel'] += ns / 2;
  }

  /** A turn took from one time of the clock to another; CPUs that are not among `running` waited meanwhile, and all did before. Time that a machine went back by is not accounted for twice. */
  turned(running: readonly number[], from: number, to: number): void {
    const before = Math.max(from - this.#until, 0);
    const during = Math.max(to - Math.max(from, this.#until), 0);
    for (let cpu = 0; cpu < this.#times.length; cpu++) this.#waits(cpu, before + (running.includes(cpu) ? 0 : during));
    this.#until = Math.max(to, this.#until);
  }

  #waits(cpu: number, ns: number): void {
    this.#times[cpu]![this.#word(cpu, Cpu.at.awaitsStartup) === 0 ? 'idle' : 'off'] += ns;
  }
}
