// The parts of a machine that every thread builds for itself over the shared memory: clock and chipset.
import { attachMemory, type SharedMemory } from '../../cpu/state.ts';
import { Chipset } from '../../devices/chipset.ts';
import type { Clock, RunEnd } from '../../devices/device.ts';
import type { WaitingCpu } from '../../devices/hub.ts';
import type { Outlets, Receiver } from '../../devices/outlet.ts';
import type { VirtioConfig, VirtioHost } from '../../devices/virtio/index.ts';
import { host } from '../../host/node.ts';
import { Cpu } from '../../layout/cpu.ts';
import { Control, controlWord, cpuBase, DEVICE_STATE, DEVICE_STATE_BYTES, type MemoryPlan, RAM } from '../../layout/memory.ts';
import { SharedWord } from '../../layout/view.ts';
import { firmwareConfig } from '../firmware/config.ts';
import { HostClock } from './host-clock.ts';

/** What is the same on every thread and can be sent to one. */
export interface BoardConfig {
  readonly memory: WebAssembly.Memory;
  readonly plan: MemoryPlan;
  /** Unix milliseconds at power-on. */
  readonly startWallMs: number;
  readonly debugExitPort: number | undefined;
  readonly debugConsole: boolean;
  readonly logPost: boolean;
  readonly testDevice: boolean;
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
  /** The host's: the callbacks' end of the devices. */
  readonly outlets?: Outlets | undefined;
  readonly onConsole?: Receiver<Uint8Array> | undefined;
  readonly onConsoleInputTaken?: (() => void) | undefined;
  readonly onDebugConsole?: Receiver<Uint8Array> | undefined;
  readonly onPost?: Receiver<Uint8Array> | undefined;
  /** A CPU's. */
  readonly waiting?: WaitingCpu | undefined;
  /** The host's ends of the virtio devices. */
  readonly virtio?: VirtioHost | undefined;
}

export interface Board {
  readonly shared: SharedMemory;
  readonly clock: Clock;
  readonly chipset: Chipset;
}

export function buildBoard(config: BoardConfig, role: ThreadRole): Board {
  const shared = attachMemory(config.memory, config.plan);
  const { i32 } = shared;
  const sharedWord = (offset: number) => new SharedWord(i32, controlWord(offset));
  const clock = role.clock ?? new HostClock(config);
  const { ramBytes, cpuCount } = config.plan;
  const chipset = new Chipset({
    state: new Int32Array(config.memory.buffer, DEVICE_STATE, DEVICE_STATE_BYTES / 4),
    ram: new Uint8Array(config.memory.buffer, RAM, ramBytes),
    clock,
    thread: role.thread,
    mayWait: host.mayWait,
    isHost: role.isHost,
    isFirst: role.isFirst,
    hostSignal: sharedWord(Control.at.ioSignal),
    timerSignal: sharedWord(Control.at.timerSignal),
    onEnd: role.onEnd,
    stopped: () => Atomics.load(i32, controlWord(Control.at.stop)) !== 0,
    outlets: role.outlets,
    waiting: role.waiting,
    cpuCount,
    ramBytes,
    pending: (cpu) => new SharedWord(i32, (cpuBase(config.plan, cpu) + Cpu.at.pending) >> 2),
    a20: sharedWord(Control.at.a20),
    shadowRam: sharedWord(Control.at.shadowRam),
    serial: [{ ...(role.onConsole ? { onOutput: role.onConsole } : {}), onInputTaken: role.onConsoleInputTaken }],
    debug: {
      exitPort: config.debugExitPort,
      console: config.debugConsole,
      logPost: config.logPost,
      ...(role.onDebugConsole ? { onConsole: role.onDebugConsole } : {}),
      ...(role.onPost ? { onPost: role.onPost } : {}),
    },
    firmware: () => firmwareConfig({ cpuCount, ramBytes }),
    testDevice: config.testDevice,
    virtio: config.virtio,
    virtioHost: role.virtio,
  });
  if (role.isFirst) {
    i32[controlWord(Control.at.lapics)] = chipset.parts.lapic.addresses.state;
    i32[controlWord(Control.at.lapicTable)] = chipset.parts.lapic.addresses.table;
  }
  return { shared, clock, chipset };
}
