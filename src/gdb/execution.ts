// The machine as a debugger moves it: held, going on, stepped a CPU at a time; and what is told when it stops. gdb's threads are its CPUs: all of them stop together, and one of them is the reason.
import type { BreakpointHit, PausedEvent } from '../api/debug.ts';
import type { RunResult } from '../api/ending.ts';
import { describeEnd } from '../api/ending.ts';
import { DragomanError } from '../api/errors.ts';
import type { Debugged } from './debugged.ts';
import type { Met, Points } from './points.ts';
import { GdbCpu } from './registers.ts';

/** Signals, as gdb numbers them. */
const SIGINT = '02';
const SIGTRAP = '05';

/** What is to be done: all CPUs go on, or some are stepped, one behind the other, and all others rest (in lockstep: run on); or the machine goes back, by an instruction of a CPU or to the last point that was met. */
export type Plan = 'all' | readonly { readonly cpu: number; readonly endless: boolean }[] | Back;
interface Back {
  readonly back: 'step' | 'run';
  readonly cpu: number;
}
const isBack = (plan: Plan): plan is Back => plan !== 'all' && 'back' in plan;
/** As a stop reply has it: there is no past before this. */
const BEGINNING = 'replaylog:begin;';

/** A CPU that waits in HLT, and is stepped, does nothing for so long: whoever steps it again and again does not keep the host busy. */
const WAITING_MS = 20;
const ENDLESS = 2 ** 31 - 1;
/** Where several CPUs go on, but not all, they do in turn, so many instructions each. */
const TOGETHER = 1000;

const thread = (cpu: number): string => (cpu + 1).toString(16);

/** The end of a run as that of a process: its status, or the signal that killed it. */
export function endReply(result: RunResult): string {
  switch (result.kind) {
    case 'power-off':
    case 'reset':
      return 'W00';
    case 'debug-exit':
      return `W${((result.value * 2 + 1) & 0xff).toString(16).padStart(2, '0')}`;
    // As the command's own exit status.
    case 'halted':
      return 'W03';
    // SIGTERM, SIGSEGV, SIGABRT.
    case 'stopped':
      return 'X0f';
    case 'triple-fault':
      return 'X0b';
    case 'internal-error':
      return 'X06';
  }
}

export interface ExecutionOptions {
  readonly debugged: Debugged;
  readonly points: Points;
  /** The machine stopped, for a debugger that waits for that: the reply, and the CPU that it is about, which the debugger takes to be the selected one from then on. */
  readonly onStop: (reply: string, cpu: number) => void;
  /** Something for people, before that. */
  readonly onText: (text: string) => void;
}

export class Execution {
  readonly #options: ExecutionOptions;
  /** The debugger waits for a stop. */
  #waits = false;
  /** It wants one. */
  #interrupted = false;
  /** What is to be done when the run begins. */
  #plan: Plan | undefined;
  /** CPUs are stepped. */
  #steps = false;
  /** Where CPUs stopped since the last time that something was to be done, and, of points that are gdb's, what it was not told yet. */
  #hits: BreakpointHit[] = [];
  #untold: Met[] = [];
  /** What the machine last stopped for. */
  #last = { reply: `T${SIGTRAP}thread:1;`, cpu: 0 };

  constructor(options: ExecutionOptions) {
    this.#options = options;
    const { machine } = options.debugged;
    machine.addEventListener('paused', this.#onPaused);
  }

  get #machine(): Debugged['machine'] {
    return this.#options.debugged.machine;
  }

  /** The last stop, as onStop has it. */
  get last(): { readonly reply: string; readonly cpu: number } {
    return this.#last;
  }
  get waits(): boolean {
    return this.#waits;
  }

  /** No CPU runs when this resolves. Who waited for a stop is told of it. */
  async hold(): Promise<void> {
    if (this.#waits) await this.interrupt();
    // Somebody else may have let it go on.
    if (this.#machine.state === 'running') await this.#machine.pause();
  }

  /** Begins to do what a plan says; the stop is told by onStop. */
  go(plan: Plan): void {
    this.#waits = true;
    this.#interrupted = false;
    if (this.#machine.state === 'created') this.#plan = plan;
    else void this.#perform(plan).catch((error: unknown) => this.#failed(error));
  }

  /** Stops what go() began. Nothing where nobody waits. */
  async interrupt(): Promise<void> {
    if (!this.#waits) return;
    this.#interrupted = true;
    this.#plan = undefined;
    if (this.#machine.state === 'created') this.#stopped(SIGINT, undefined);
    else await this.#machine.pause();
  }

  /** The debugger goes: its points are gone, and the machine goes on, but where a breakpoint of somebody else stopped it just now. */
  async release(): Promise<void> {
    const { machine, points } = { machine: this.#machine, points: this.#options.points };
    const waited = this.#waits;
    this.#waits = false;
    this.#interrupted = true;
    this.#plan = undefined;
    this.#hits = [];
    try {
      if (machine.state === 'running' || this.#steps) await machine.pause();
      const strange = waited && this.#hits.some((hit) => points.met(hit) === undefined);
      await points.clear();
      if (machine.state === 'paused' && !strange) await machine.resume();
    } catch (error) {
      // The run may have ended, and somebody else may have let it go on.
      if (!(error instanceof DragomanError)) throw error;
    } finally {
      this.#untold = [];
    }
  }

  /** The run has ended: whoever waits is told. */
  ended(result: RunResult): void {
    if (!this.#waits) return;
    this.#waits = false;
    this.#options.onText(`the run has ended: ${describeEnd(result).split('\n')[0]}\n`);
    this.#options.onStop(endReply(result), this.#last.cpu);
  }

  /** Nothing is heard of the machine any more. */
  close(): void {
    this.#machine.removeEventListener('paused', this.#onPaused);
  }

  readonly #onPaused = ({ reason, hits }: PausedEvent): void => {
    this.#hits.push(...hits);
    if (!this.#waits || this.#steps) return;
    const plan = this.#plan;
    this.#plan = undefined;
    if (reason === 'start' && plan !== undefined) return this.go(plan);
    this.#tell();
  };

  /** The machine is paused, and all that it stopped for is known. `stepped`: a CPU came to where it should. */
  #tell(stepped?: number): void {
    const met = this.#hits.map((hit) => this.#options.points.met(hit)).filter((one) => one !== undefined);
    const told = met.find(({ key, cpu }) => this.#options.points.has(key) && (stepped === undefined || cpu === stepped));
    this.#untold.push(...met.filter((one) => one !== told));
    const other = this.#hits.find((hit) => this.#options.points.met(hit) === undefined);
    this.#hits = [];
    if (told !== undefined) this.#stopped(SIGTRAP, told.cpu, told.reason);
    else if (other !== undefined) this.#stopped(SIGTRAP, other.cpu);
    else if (stepped !== undefined && !this.#interrupted) this.#stopped(SIGTRAP, stepped);
    else this.#stopped(SIGINT, stepped);
  }

  /** `cpu`: undefined for one that runs, if there is any. */
  #stopped(signal: string, cpu: number | undefined, reason = ''): void {
    const { shared, machine } = this.#options.debugged;
    const told = cpu ?? machine.cpus.find((handle) => new GdbCpu(handle, shared).waits === undefined)?.index ?? 0;
    this.#last = { reply: `T${signal}thread:${thread(told)};${reason}`, cpu: told };
    if (!this.#waits) return;
    this.#waits = false;
    this.#options.onStop(this.#last.reply, told);
  }

  #failed(error: unknown): void {
    // ended() tells of an end; and a machine that somebody else has let go on does.
    if (error instanceof DragomanError && (error.code === 'ENDED' || error.code === 'BAD_STATE')) return;
    this.#options.onText(`${error}\n`);
    this.#stopped(SIGTRAP, undefined);
  }

  async #perform(plan: Plan): Promise<void> {
    this.#hits = [];
    if (isBack(plan)) return this.#goBack(plan);
    if (plan !== 'all') return this.#step(plan);
    await this.#options.points.settle();
    const untold = this.#takeUntold();
    if (untold !== undefined) return this.#stopped(SIGTRAP, untold.cpu, untold.reason);
    if (this.#interrupted) return this.#stopped(SIGINT, undefined);
    await this.#machine.resume();
  }

  /** A CPU that stopped together with one that gdb was told of, and still is where it stopped. */
  #takeUntold(): Met | undefined {
    const { debugged, points } = this.#options;
    const stands = ({ cpu, address, isCode }: Met) => !isCode || new GdbCpu(this.#machine.cpus[cpu]!, debugged.shared).next === address;
    const [first, ...rest] = this.#untold.filter((met) => points.has(met.key) && stands(met));
    this.#untold = rest;
    return first;
  }

  async #goBack({ back, cpu }: Back): Promise<void> {
    // What stopped together with what was told is none of the past's.
    this.#untold = [];
    await this.#options.points.settle();
    let any: boolean;
    this.#steps = true;
    try {
      any = back === 'step' ? (await this.#machine.stepBack(cpu, 1)) > 0 : (await this.#machine.runBack()).length > 0;
    } finally {
      this.#steps = false;
    }
    if (any || this.#interrupted) this.#tell(back === 'step' ? cpu : undefined);
    else this.#stopped(SIGTRAP, cpu, BEGINNING);
  }

  async #step(plan: Exclude<Plan, 'all' | Back>): Promise<void> {
    this.#steps = true;
    let [stepped] = plan.map(({ cpu }) => cpu);
    try {
      // Who goes on alone is not stepped past anything.
      if (plan.some(({ endless }) => endless)) await this.#options.points.settle();
      if (plan.length > 1 && plan.every(({ endless }) => endless)) stepped = await this.#together(plan.map(({ cpu }) => cpu));
      else
        for (const { cpu, endless } of plan) {
          stepped = cpu;
          await this.#stepOne(cpu, endless);
          if (this.#interrupted || this.#hits.length > 0) break;
        }
      await this.#options.points.settle();
    } finally {
      this.#steps = false;
    }
    this.#tell(stepped);
  }

  /** Some CPUs go on until one of them stops, or somebody interrupts: that one. */
  async #together(cpus: readonly number[]): Promise<number> {
    for (;;) {
      let moved = 0;
      for (const cpu of cpus) {
        if (this.#interrupted || this.#machine.state !== 'paused') return cpu;
        moved += await this.#machine.step(cpu, TOGETHER);
        const [hit] = this.#hits;
        if (hit !== undefined) return hit.cpu;
      }
      if (moved === 0) await new Promise((resolve) => setTimeout(resolve, WAITING_MS));
    }
  }

  /** One instruction of a CPU, or as many as there are until it stops. */
  async #stepOne(cpu: number, endless: boolean): Promise<void> {
    for (let done = 0; !this.#interrupted && this.#machine.state === 'paused' && (done === 0 || endless); ) {
      const before = this.#hits.length;
      const count = await this.#machine.step(cpu, endless ? ENDLESS : 1);
      done += count;
      const hits = this.#hits.slice(before);
      // Others that stopped are told later.
      if (hits.some((hit) => hit.cpu === cpu || this.#options.points.met(hit) === undefined)) return;
      if (hits.length > 0 || count > 0 || this.#interrupted) continue;
      // It waits in HLT, or for its start-up IPI.
      await new Promise((resolve) => setTimeout(resolve, WAITING_MS));
      if (!endless) return;
    }
  }
}
