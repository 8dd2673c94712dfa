// A run of a lockstep machine on the thread of its user: turns, in between the event loop, and the inputs that come from it. A turn begins when
// all that the one before it sent has been taken: how fast somebody reads changes nothing for the guest.
import type { Outlets } from '../../devices/outlet.ts';
import { host } from '../../host/node.ts';
import type { History } from '../../reverse/history.ts';
import type { InputKind, Inputs } from '../inputs.ts';
import type { Lockstep, Turn } from './lockstep.ts';
import { eventLine, type RecordedEvent } from './recording.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** The event loop has its turn so often. */
const WORK_MS = 8;
/** A wait that no timer ends: look again. */
const LONGEST_WAIT_MS = 1000;

export type LockstepEnd =
  | Exclude<Turn, { kind: 'ran' | 'idle' | 'debug' | 'limit' }>
  | { readonly kind: 'stopped' | 'diverged'; readonly text: string };

export interface LockstepRunOptions {
  readonly lockstep: Lockstep;
  readonly clock: VirtualClock;
  /** Nanoseconds that the machine does not run ahead of while all CPUs wait; undefined: it does. */
  readonly pace: (() => number) | undefined;
  /** Of the devices. */
  readonly inputs: Inputs;
  /** Gets the lines of the recording. */
  readonly onRecord: ((text: string) => void) | undefined;
  readonly outlets: Outlets;
  /** Inputs come from here alone. */
  readonly replay: readonly RecordedEvent[] | undefined;
  /** Of a machine that can go back. */
  readonly history: History | undefined;
  /** A CPU stopped for the host: no turn begins before resume(). */
  readonly onDebugStop: () => void;
  /** A turn that ends the run; or a recording that says so, or does not fit. */
  readonly onEnd: (end: LockstepEnd) => void;
  /** Between stretches of work. */
  readonly onPause: () => void;
}

export class LockstepRun {
  readonly #options: LockstepRunOptions;
  readonly #inputs: { readonly kind: InputKind; readonly bytes: Uint8Array }[] = [];
  #replayed = 0;
  #stopped = false;
  #wake: (() => void) | undefined;
  /** Turns are made right now. */
  #works = false;
  /** Between pause() and resume(): resolves when no turn is under way, nor begins; and when one may. */
  #rests: PromiseWithResolvers<void> | undefined;
  #goesOn: PromiseWithResolvers<void> | undefined;

  constructor(options: LockstepRunOptions) {
    this.#options = options;
  }

  /** An input from outside: it reaches the guest before the next turn. Ignored where a recording is run again. */
  input(kind: InputKind, bytes: Uint8Array): void {
    if (this.#stopped || this.#options.replay !== undefined) return;
    this.#inputs.push({ kind, bytes: bytes.slice() });
    this.#wake?.();
  }

  /** Those that no device has got yet. */
  get inputs(): readonly { readonly kind: InputKind; readonly bytes: Uint8Array }[] {
    return [...this.#inputs];
  }

  /** Bytes of such input that no device has got yet. */
  inputWaiting(kind: InputKind): number {
    return this.#inputs.reduce((sum, one) => (one.kind === kind ? sum + one.bytes.length : sum), 0);
  }

  /** No turn begins after this. `reason`: the run is ended from outside, and a recording must say so. */
  stop(reason?: string): void {
    if (this.#stopped) return;
    this.#stopped = true;
    if (reason !== undefined) this.#record('stop', reason);
    this.#wake?.();
    if (!this.#works) this.#rests?.resolve();
    this.#goesOn?.resolve();
  }

  /** Resolves when no turn is under way, and none begins before resume(); or behind stop(). */
  pause(): Promise<void> {
    this.#goesOn ??= Promise.withResolvers<void>();
    this.#rests ??= Promise.withResolvers<void>();
    if (!this.#works) this.#rests.resolve();
    this.#wake?.();
    return this.#rests.promise;
  }

  resume(): void {
    this.#goesOn?.resolve();
    this.#goesOn = undefined;
    this.#rests = undefined;
  }

  /** Works until stop(). What a callback throws comes out here. */
  async run(): Promise<void> {
    const { onPause, outlets } = this.#options;
    while (!this.#stopped) {
      while (this.#goesOn !== undefined && !this.#stopped) {
        this.#rests?.resolve();
        await this.#goesOn.promise;
      }
      if (this.#stopped) return;
      this.#works = true;
      const waitMs = this.#work();
      this.#works = false;
      onPause();
      if (this.#stopped) this.#rests?.resolve();
      for (let idle = outlets.idle(); idle !== undefined && !this.#stopped; idle = outlets.idle()) await this.#until(idle);
      if (this.#stopped) return;
      await this.#pause(waitMs);
    }
  }

  /** Until then, or until the run is stopped. */
  async #until(idle: Promise<void>): Promise<void> {
    const stopped = new Promise<void>((resolve) => {
      this.#wake = () => this.#stopped && resolve();
    });
    await Promise.race([idle, stopped]);
    this.#wake = undefined;
  }

  async #pause(waitMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      if (waitMs === 0) {
        host.soon(resolve);
        return;
      }
      const timer = setTimeout(resolve, Math.min(waitMs, LONGEST_WAIT_MS));
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = undefined;
  }

  /** Some milliseconds of turns; how long nothing is to be done then. */
  #work(): number {
    const { lockstep, onEnd, onDebugStop, outlets, history } = this.#options;
    const until = performance.now() + WORK_MS;
    while (!this.#stopped && !outlets.busy && this.#goesOn === undefined) {
      if (!lockstep.isInTurn) this.#takeInputs();
      if (this.#stopped) return 0;
      const turn = lockstep.turn();
      if (turn.kind === 'limit') {
        history?.arrives();
        continue;
      }
      if (turn.kind === 'debug') {
        this.#goesOn = Promise.withResolvers<void>();
        onDebugStop();
        return 0;
      }
      if (turn.kind === 'idle') {
        const waitMs = this.#idle(turn.until);
        if (waitMs > 0) return waitMs;
      } else if (turn.kind !== 'ran') {
        // A callback may have stopped the run in this very turn.
        if (!this.#stopped) onEnd(turn);
        return 0;
      }
      if (performance.now() >= until) return 0;
    }
    return 0;
  }

  /** All CPUs wait until a time of the guest's clock: jumps there, or says how long it is until then. */
  #idle(until: number): number {
    const { clock, pace, replay, lockstep, history } = this.#options;
    if (history?.inPast) {
      const to = history.waitsUntil(until);
      if (to === Number.POSITIVE_INFINITY) return this.#diverged('the guest waits for an input that its past does not have');
      clock.jump(to);
      return 0;
    }
    if (replay !== undefined) {
      const next = replay[this.#replayed];
      if (next !== undefined && next.turn === lockstep.turns && next.time <= until) clock.jump(next.time);
      else if (until === Number.POSITIVE_INFINITY) return this.#diverged('the guest waits for an input that the recording does not have');
      else clock.jump(until);
      return 0;
    }
    const limit = pace === undefined ? until : pace();
    if (limit !== Number.POSITIVE_INFINITY) clock.jump(Math.min(until, limit));
    if (until <= limit && until !== Number.POSITIVE_INFINITY) return 0;
    return this.#inputs.length > 0 ? 0 : until === Number.POSITIVE_INFINITY ? LONGEST_WAIT_MS : Math.max((until - limit) / 1e6, 0.01);
  }

  #takeInputs(): void {
    const { inputs, lockstep, clock, replay, onEnd, history } = this.#options;
    if (history?.inPast && this.#isPast(history)) return;
    history?.look();
    for (const { kind, bytes } of this.#inputs.splice(0)) {
      history?.note(kind, bytes);
      this.#record(kind, host.toBase64(bytes));
      inputs.push(kind, bytes);
    }
    if (replay === undefined) return;
    for (let next = replay[this.#replayed]; next !== undefined && next.turn <= lockstep.turns; next = replay[this.#replayed]) {
      // The guest still waits for the time of it.
      if (next.turn === lockstep.turns && next.time > clock.now()) return;
      if (next.turn !== lockstep.turns || next.time !== clock.now()) {
        this.#diverged(`turn ${next.turn} was at ${next.time} ns when it was recorded; it is turn ${lockstep.turns}, ${clock.now()} ns`);
        return;
      }
      this.#replayed++;
      if (next.kind === 'stop') {
        this.#stopped = true;
        onEnd({ kind: 'stopped', text: next.data });
        return;
      }
      inputs.push(next.kind, host.fromBase64(next.data));
    }
  }

  /** Gives devices what is due of the past. False: that is over, or somebody has an input for another future. */
  #isPast(history: History): boolean {
    const { inputs, lockstep, clock } = this.#options;
    history.passes();
    if (this.#inputs.length > 0 && history.isBeforePresent) {
      // Also what was typed here then is of the future that was.
      history.fork();
      return false;
    }
    for (let next = history.next(); next?.turn === lockstep.turns && next.ns <= clock.now(); next = history.next()) {
      inputs.push(next.kind, next.bytes);
      history.take();
    }
    return !history.arrives();
  }

  #diverged(text: string): number {
    this.#stopped = true;
    this.#options.onEnd({ kind: 'diverged', text });
    return 0;
  }

  #record(kind: RecordedEvent['kind'], data: string): void {
    const { onRecord, lockstep, clock } = this.#options;
    onRecord?.(eventLine({ turn: lockstep.turns, time: clock.now(), kind, data }));
  }
}
