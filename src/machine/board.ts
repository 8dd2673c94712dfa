// The parts of a machine that every thread builds for itself over the shared memory: clock and chipset.
import { attachMemory, type SharedMemory } from '../cpu/state.ts';
import { Chipset } from '../devices/chipset.ts';
import type { Clock, RunEnd } from '../devices/device.ts';
import { addVirtioDevices, type VirtioConfig, type VirtioDevices, type VirtioHost } from '../devices/virtio/index.ts';
import { host } from '../host/node.ts';
import { Cpu } from '../layout/cpu.ts';
import { CONTROL, Control, cpuBase, DEVICE_STATE, DEVICE_STATE_BYTES, type MemoryPlan, RAM } from '../layout/memory.ts';

/** What is the same on every thread and can be sent to one. */
export interface BoardConfig {
  readonly memory: WebAssembly.Memory;
  readonly plan: MemoryPlan;
  /** Monotonic milliseconds (all threads of a host agree) and Unix milliseconds at power-on. */
  readonly startMs: number;
  readonly startWallMs: number;
  readonly debugExitPort: number | undefined;
  readonly debugConsole: boolean;
  readonly logPost: boolean;
  readonly virtio: VirtioConfig;
}

/** What only one thread has. */
export interface ThreadRole {
  /** Not 0; different for every thread. */
  readonly thread: number;
  readonly isHost: boolean;
  readonly isFirst: boolean;
  readonly onEnd: (reason: RunEnd) => void;
  /** Default: the host's clock. */
  readonly clock?: Clock | undefined;
  readonly onConsole?: ((bytes: Uint8Array) => void) | undefined;
  readonly onDebugConsole?: ((bytes: Uint8Array) => void) | undefined;
  readonly onPost?: ((codes: Uint8Array) => void) | undefined;
  /** The host's ends of the virtio devices. */
  readonly virtio?: VirtioHost | undefined;
}

/**
 * What to add to performance.now() for the milliseconds of a clock that all threads of this process share. Each thread counts from its
 * own start, which performance.timeOrigin tells only as closely as the wall clock was read; the host's monotonic clock tells it to some
 * ten nanoseconds: a guest compares the time-stamp counters of its CPUs.
 */
function threadOffset(): number {
  if (typeof process === 'undefined' || process.hrtime === undefined) return performance.timeOrigin;
  let [closest, offset] = [Number.POSITIVE_INFINITY, 0];
  for (let n = 0; n < 200; n++) {
    const before = performance.now();
    const shared = Number(process.hrtime.bigint()) / 1e6;
    const took = performance.now() - before;
    if (took < closest) [closest, offset] = [took, shared - before - took / 2];
  }
  return offset;
}
const OFFSET_MS = threadOffset();

/** Milliseconds on a clock that all threads of this process share. */
export const monotonicMs = (): number => OFFSET_MS + performance.now();

export class BoardClock implements Clock {
  private readonly start: number;
  private readonly wall: number;
  constructor(config: BoardConfig) {
    // One reading of both clocks, then performance.now() alone: it never goes back.
    this.start = config.startMs - OFFSET_MS;
    this.wall = config.startWallMs;
  }
  now(): number {
    return (performance.now() - this.start) * 1e6;
  }
  wallMs(): number {
    return this.wall + (performance.now() - this.start);
  }
}

export interface Board {
  readonly shared: SharedMemory;
  readonly clock: Clock;
  readonly chipset: Chipset;
  readonly virtio: VirtioDevices;
}

export function buildBoard(config: BoardConfig, role: ThreadRole): Board {
  const shared = attachMemory(config.memory, config.plan);
  const { i32 } = shared;
  const word = (offset: number) => (CONTROL + offset) >> 2;
  const clock = role.clock ?? new BoardClock(config);
  const { ramBytes, cpuCount } = config.plan;
  const chipset = new Chipset({
    state: new Int32Array(config.memory.buffer, DEVICE_STATE, DEVICE_STATE_BYTES / 4),
    ram: new Uint8Array(config.memory.buffer, RAM, ramBytes),
    clock,
    thread: role.thread,
    mayWait: host.mayWait,
    isHost: role.isHost,
    isFirst: role.isFirst,
    hostSignal: { words: i32, index: word(Control.at.ioSignal) },
    timerSignal: { words: i32, index: word(Control.at.timerSignal) },
    onEnd: role.onEnd,
    stopped: () => Atomics.load(i32, word(Control.at.stop)) !== 0,
    cpuCount,
    ramBytes,
    memory: i32,
    pendingIndex: (cpu) => (cpuBase(config.plan, cpu) + Cpu.at.pending) >> 2,
    a20Index: word(Control.at.a20),
    shadowIndex: word(Control.at.shadowRam),
    serial: [role.onConsole ? { onOutput: role.onConsole } : {}],
    debug: {
      exitPort: config.debugExitPort,
      console: config.debugConsole,
      logPost: config.logPost,
      ...(role.onDebugConsole ? { onConsole: role.onDebugConsole } : {}),
      ...(role.onPost ? { onPost: role.onPost } : {}),
    },
  });
  const virtio = addVirtioDevices(chipset, config.virtio, role.virtio);
  return { shared, clock, chipset, virtio };
}
