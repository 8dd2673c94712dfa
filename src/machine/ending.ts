// The end of a run: its result is said once, all CPUs stop, all that the guest has written is handed over and is in its disks and shares, and then everything is given back.
import { EndEvent } from '../api/debug.ts';
import type { RunResult } from '../api/ending.ts';
import type { SharedMemory } from '../cpu/state.ts';
import type { Parts } from '../devices/list.ts';
import type { Outlets } from '../devices/outlet.ts';
import type { Disk } from '../disks/disk.ts';
import { host } from '../host/node.ts';
import { Cpu, Pending } from '../layout/cpu.ts';
import { Control, controlWord, cpuBase } from '../layout/memory.ts';
import { closeShares, type Share } from '../share/open.ts';
import { monotonicMs } from './board/host-clock.ts';
import type { Executor } from './executor.ts';
import { releaseTracers } from './report/trace.ts';

/** Turns of the host's ends of the devices behind the end of a run: enough for all that a guest may have left in its queues. */
const LAST_TURNS = 256;
const firstOf = (waits: readonly (Promise<void> | undefined)[]) => waits.find((wait) => wait !== undefined);

export interface EndingParts {
  readonly shared: SharedMemory;
  readonly outlets: Outlets;
  readonly disks: readonly Disk[];
  readonly shares: readonly Share[];
  readonly devices: () => Parts;
  readonly executor: () => Executor;
  /** Lets the devices' host ends work. */
  readonly serve: () => void;
  /** The run has a result; CPUs may still be at work. */
  readonly onResult: (result: RunResult) => void;
  /** Nothing runs, and all is written: what others hold is given back. */
  readonly release: () => void;
  /** With all that can be said now that the CPUs stand still. */
  readonly explain: (result: RunResult) => Promise<RunResult>;
  /** All is given back. */
  readonly onGone: (event: EndEvent) => void;
}

export class Ending {
  readonly #parts: EndingParts;
  #result: RunResult | undefined;
  #endedAt = 0;
  #closed = false;
  /** What a callback threw. */
  #failure: { readonly error: unknown } | undefined;
  #finish: ((result: RunResult | Promise<never>) => void) | undefined;
  /** Resolves when nobody is to be waited for any more. */
  readonly #hurried = Promise.withResolvers<void>();
  readonly #gone = Promise.withResolvers<void>();

  constructor(parts: EndingParts) {
    this.#parts = parts;
  }

  /** Undefined: the run has not ended. */
  get result(): RunResult | undefined {
    return this.#result;
  }
  /** monotonicMs(); 0 before the end. */
  get endedAt(): number {
    return this.#endedAt;
  }
  /** All that the guest sent has been handed over. */
  get closed(): boolean {
    return this.#closed;
  }
  /** Resolves when all is given back. */
  get gone(): Promise<void> {
    return this.#gone.promise;
  }

  /** What run() gives: the result, when all is given back. Rejects with what a callback threw. */
  outcome(): Promise<RunResult> {
    return new Promise((resolve) => (this.#finish = resolve));
  }

  /** Ends the run once; everything the guest has written reaches its callbacks first. */
  end(result: RunResult): void {
    if (this.#result !== undefined) return;
    this.#result = result;
    this.#endedAt = monotonicMs();
    this.#parts.onResult(result);
    const { i32, plan } = this.#parts.shared;
    Atomics.store(i32, controlWord(Control.at.stop), 1);
    for (const offset of [Control.at.heatSignal, Control.at.timerSignal, Control.at.ioSignal, Control.at.consumedSignal]) {
      Atomics.add(i32, controlWord(offset), 1);
      Atomics.notify(i32, controlWord(offset));
    }
    for (let cpu = 0; cpu < plan.cpuCount; cpu++) {
      const pending = (cpuBase(plan, cpu) + Cpu.at.pending) >> 2;
      Atomics.or(i32, pending, Pending.STOP);
      Atomics.notify(i32, pending);
    }
    releaseTracers(this.#parts.shared);
    this.#parts.executor().stop(result.kind === 'stopped' ? result.reason : undefined);
    if (result.kind === 'stopped') this.#hurry();
    void this.#giveBack(result);
  }

  stop(reason: string): void {
    this.end({ kind: 'stopped', reason });
    this.#hurry();
  }

  /** A callback threw. */
  failed(error: unknown): void {
    this.#failure ??= { error };
    this.stop('a callback of the host failed');
  }

  /** Nobody is waited for any more: what the devices have accepted from the guest is handed over at once. */
  #hurry(): void {
    this.#parts.outlets.hurry();
    this.#hurried.resolve();
  }

  async #giveBack(result: RunResult): Promise<void> {
    const { executor, outlets, disks, shares, devices, release, explain, onGone } = this.#parts;
    await executor().gone();
    // Those that were begun for a run that never came.
    if (this.#finish === undefined) await host.endIdleWorkers();
    this.#serveLast();
    // How slow somebody reads does not matter where the guest ended the run: it is waited for.
    for (let idle = outlets.idle(); idle !== undefined && !outlets.hurried; idle = outlets.idle()) {
      await Promise.race([idle, this.#hurried.promise]);
      this.#serveLast();
    }
    // What the guest has written is not lost, however the run ended.
    for (let written = this.#written(); written !== undefined; written = this.#written()) {
      await written;
      this.#serveLast();
    }
    for (const disk of disks) disk.close();
    for (const share of devices().shares) await share.end();
    closeShares(shares);
    try {
      release();
    } catch (error) {
      this.#failure ??= { error };
    }
    this.#closed = true;
    const explained = await explain(result);
    onGone(new EndEvent(explained));
    this.#gone.resolve();
    this.#finish?.(this.#failure === undefined ? explained : Promise.reject(this.#failure.error));
  }

  /** Resolves when a disk or a share has taken what it was given of the guest's; undefined: all have. */
  #written(): Promise<void> | undefined {
    const { disks, shares } = this.#parts.devices();
    return firstOf([...disks.map((disk) => disk.written()), ...shares.map((share) => share.settled())]);
  }

  /** Resolves when a device has done what it does behind the guest's back; undefined: all have. */
  settled(): Promise<void> | undefined {
    const { disks, shares } = this.#parts.devices();
    return firstOf([...disks, ...shares].map((device) => device.settled()));
  }

  /** Lets the devices' host ends work, all threads being gone, until they have nothing to do (or somebody asks to wait). */
  #serveLast(): void {
    const { shared, serve } = this.#parts;
    // A device that has more to do than fits in its turn signals itself.
    const at = controlWord(Control.at.ioSignal);
    for (let turn = 0, seen = -1; turn < LAST_TURNS && seen !== shared.i32[at]; turn++) {
      seen = shared.i32[at]!;
      serve();
    }
  }
}
