// Pauses a machine, lets it go on, and steps its CPUs: what a debugger does, whichever executor runs it. One thing is done at a time, in the order in which they are asked for; but whoever
// asks for a pause while CPUs are stepped ends that.
import type { BreakpointHit, MachineState, PauseReason } from '../api/debug.ts';
import { DragomanError } from '../api/errors.ts';
import type { SharedMemory } from '../cpu/state.ts';
import { Cpu, DebugStop, Seg, SegCache, Step } from '../layout/cpu.ts';
import { cpuBase } from '../layout/memory.ts';
import type { Travel } from '../reverse/travel.ts';
import { DebugPoints } from './debug-points.ts';
import type { Executor } from './executor.ts';

export interface PausingOptions {
  readonly shared: SharedMemory;
  readonly executor: () => Executor;
  /** Resolves when a device has done what it does behind the guest's back; undefined: all have. */
  readonly settled: () => Promise<void> | undefined;
  readonly onPaused: (reason: PauseReason, hits: readonly BreakpointHit[]) => void;
  readonly onResumed: () => void;
}

export class Pausing {
  readonly points: DebugPoints;
  readonly #options: PausingOptions;
  #state: MachineState = 'created';
  /** How the run ended; resolves then. */
  #end = '';
  readonly #over = Promise.withResolvers<void>();
  /** What is being done, and what waits for it. */
  #queue: Promise<unknown> = Promise.resolve();
  /** No CPU runs, though the machine is not paused for its users. */
  #still = false;
  /** Instructions are being stepped. */
  #steps = false;
  /** The machine goes back. */
  #goesBack = false;

  constructor(options: PausingOptions) {
    this.#options = options;
    this.points = new DebugPoints(options.shared, (change) => this.#whileStill(change));
  }

  get state(): MachineState {
    return this.#state;
  }

  /** The run begins. `paused`: no CPU executes anything before resume(). `stands`: the machine's clock does not go on before all CPUs can. */
  begin(paused: boolean, stands: boolean): void {
    this.#state = 'running';
    if (!paused && !stands) return;
    // Asked for before a CPU executes anything.
    const rests = this.#options.executor().pause();
    void this.#next(async () => {
      await rests;
      if (this.#state !== 'running') return;
      if (paused) this.#stopped('start');
      else this.#options.executor().resume();
    });
  }

  /** The run has ended. */
  ended(how: string): void {
    this.#state = 'ended';
    this.#over.resolve();
    this.#end = how;
  }

  /** Rejects with BAD_STATE before the run, and with ENDED where the run ends first. */
  pause(): Promise<void> {
    if (this.#steps) void this.#options.executor().pause();
    if (this.#goesBack) this.#travel.end();
    return this.#next(async () => {
      if (this.#state === 'paused') return;
      this.#mustRun();
      await this.#rests();
      this.#mustRun();
      this.#stopped('asked');
    });
  }

  /** A CPU stopped at a breakpoint. */
  debugStop(): void {
    void this.#next(async () => {
      // It was seen already, by who paused the machine meanwhile.
      if (this.#state !== 'running' || !this.#bases().some((base) => this.#word(base, Cpu.at.debugStop) !== DebugStop.NONE)) return;
      await this.#rests();
      if (this.#state === 'running') this.#stopped('asked');
    });
  }

  /** Rejects with BAD_STATE where the machine is not paused. */
  resume(): Promise<void> {
    return this.#next(async () => {
      this.#mustBePaused('resumed');
      this.#goOn();
      this.#state = 'running';
      this.#options.onResumed();
      this.#options.executor().resume();
    });
  }

  /** Runs up to `count` instructions of a CPU; how many it were. */
  step(cpu: number, count: number): Promise<number> {
    return this.#next(async () => {
      this.#mustBePaused('stepped');
      const base = cpuBase(this.#options.shared.plan, cpu);
      this.#goOn();
      this.#set(base, Cpu.at.stepsLeft, count);
      this.#steps = true;
      await this.#options.executor().step(cpu);
      this.#steps = false;
      this.#mustRun();
      const done = count - this.#word(base, Cpu.at.stepsLeft);
      const hits = this.#takeStops();
      if (hits.length > 0) this.#options.onPaused('breakpoint', hits);
      return done;
    });
  }

  /** Goes back by up to `count` instructions of a CPU; how many it were. */
  stepBack(cpu: number, count: number): Promise<number> {
    return this.#back((travel) => travel.step(cpu, count));
  }

  /** Goes to where the CPUs together had executed so many instructions; where it is then. */
  goTo(instruction: number): Promise<number> {
    return this.#back((travel) => travel.goTo(instruction));
  }

  /** Goes back to where the last breakpoint before now was met; where that is, or none. */
  runBack(): Promise<readonly BreakpointHit[]> {
    return this.#back(async (travel) => {
      const stop = await travel.run();
      if (stop === undefined) return [];
      const hits = stop.isCode ? this.#takeStops() : this.points.met(stop.point).map((breakpoint) => ({ cpu: stop.cpu, breakpoint }));
      this.#options.onPaused('breakpoint', hits);
      return hits;
    });
  }

  /** A CPU that stopped at a breakpoint goes on, whoever wanted it to stop there. */
  readonly pass = (cpu: number): void => {
    const base = this.#bases()[cpu]!;
    this.#set(base, Cpu.at.debugStop, DebugStop.NONE);
    this.#passPoint(base);
  };

  get #travel(): Travel {
    const { travel } = this.#options.executor();
    if (travel === undefined)
      throw new DragomanError('NOT_SUPPORTED', 'not supported: only a lockstep machine that was made with the option reverse can go back');
    return travel;
  }

  #back<T>(work: (travel: Travel) => Promise<T>): Promise<T> {
    return this.#next(async () => {
      this.#mustBePaused('taken back');
      const travel = this.#travel;
      this.#goesBack = true;
      try {
        const done = await work(travel);
        this.#mustRun();
        return done;
      } finally {
        this.#goesBack = false;
      }
    });
  }

  /** `work` while no CPU runs; who stood at a breakpoint does not any more. */
  reset(work: () => void): Promise<void> {
    return this.#next(async () => {
      if (this.#state === 'ended') this.#mustRun();
      const executor = this.#options.executor();
      const runs = this.#state === 'running';
      if (runs) await this.#rests();
      if (this.#state === 'ended') this.#mustRun();
      work();
      executor.dropTurn();
      for (const base of this.#bases()) this.#set(base, Cpu.at.debugStop, DebugStop.NONE);
      if (runs) executor.resume();
    });
  }

  /** No CPU runs: before the run, in a pause, and behind its end. Throws BAD_STATE. */
  mustRest(): void {
    if (this.#state === 'running' && !this.#still) throw new DragomanError('BAD_STATE', 'the machine runs: pause() it first');
  }

  /** No CPU runs, and no device is at work. */
  async #rests(): Promise<void> {
    await this.#options.executor().pause();
    for (let settled = this.#options.settled(); settled !== undefined && this.#state !== 'ended'; settled = this.#options.settled())
      await Promise.race([settled, this.#over.promise]);
  }

  /** Does something while no CPU runs, before the run as well. Rejects with ENDED where the run has ended, or ends first. */
  async atRest(work: () => void): Promise<void> {
    await this.#whileStill(() => {
      if (this.#state === 'ended') this.#mustRun();
      work();
    });
  }

  /** Runs something while no CPU runs. Rejects with BAD_STATE before the run, and with ENDED where the run ends first. */
  async still<T>(work: () => T): Promise<T> {
    const done = Promise.withResolvers<T>();
    await this.#whileStill(() => {
      this.#mustRun();
      done.resolve(work());
    });
    return done.promise;
  }

  #next<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#queue.then(work);
    this.#queue = done.catch(() => {});
    return done;
  }

  #mustRun(): void {
    if (this.#state === 'created')
      throw new DragomanError('BAD_STATE', 'the machine does not run yet (the option paused lets it begin with a pause)');
    if (this.#state === 'ended') throw new DragomanError('ENDED', `the run has ended: ${this.#end}`);
  }

  #mustBePaused(what: string): void {
    this.#mustRun();
    if (this.#state !== 'paused') throw new DragomanError('BAD_STATE', `only a machine that is paused can be ${what}`);
  }

  /** Does something while no CPU runs, whatever state the machine is in. */
  #whileStill(change: () => void): Promise<void> {
    return this.#next(async () => {
      if (this.#state !== 'running') return change();
      const executor = this.#options.executor();
      await this.#rests();
      // One that met a breakpoint meanwhile has stopped, even if that is taken away now.
      const hits = this.#takeStops();
      this.#still = true;
      try {
        change();
      } finally {
        this.#still = false;
        if (this.#state === 'running') {
          if (hits.length > 0) this.#stopped('breakpoint', hits);
          else {
            this.#goOn();
            executor.resume();
          }
        }
      }
    });
  }

  #stopped(reason: PauseReason, hits = this.#takeStops()): void {
    this.#state = 'paused';
    this.#options.onPaused(hits.length > 0 ? 'breakpoint' : reason, hits);
  }

  /** The breakpoints at which CPUs stopped. */
  #takeStops(): BreakpointHit[] {
    return this.#bases().flatMap((base, cpu) => {
      const why = this.#word(base, Cpu.at.debugStop);
      this.#set(base, Cpu.at.debugStop, DebugStop.NONE);
      if (why !== DebugStop.CODE && why !== DebugStop.DATA) return [];
      return this.points.met(this.#word(base, Cpu.at.debugPoint)).map((breakpoint) => ({ cpu, breakpoint }));
    });
  }

  /** Those that stand at a breakpoint get past it: it has been met, or its user sees the CPU there. */
  #goOn(): void {
    for (const base of this.#bases()) this.#passPoint(base);
  }

  #passPoint(base: number): void {
    const linear = (this.#word(base, Cpu.at.seg + Seg.CS * SegCache.size + SegCache.at.base) + this.#word(base, Cpu.at.eip)) >>> 0;
    if (!this.points.isAt(linear)) return;
    this.#set(base, Cpu.at.debugPass, 1);
    this.#set(base, Cpu.at.step, this.#word(base, Cpu.at.step) | Step.BAIL);
  }

  #bases(): number[] {
    const { plan } = this.#options.shared;
    return Array.from({ length: plan.cpuCount }, (_, cpu) => cpuBase(plan, cpu));
  }
  #word(base: number, offset: number): number {
    return this.#options.shared.i32[(base + offset) >> 2]! >>> 0;
  }
  #set(base: number, offset: number, value: number): void {
    this.#options.shared.i32[(base + offset) >> 2] = value;
  }
}
