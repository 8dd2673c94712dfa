// The chip set of threads.test.ts as each of its threads has it: four CPUs, and all state in one memory.

import { Chipset } from '../../../src/devices/chipset.ts';
import type { ChipsetOptions } from '../../../src/devices/list.ts';
import { SharedWord } from '../../../src/layout/view.ts';

const CPUS = 4;
/** Words of the devices' state; behind them the CPUs' pending words, then the host's signal and the A20 gate. */
const WORDS = 0x20000;

export const newMemory = () => new Int32Array(new SharedArrayBuffer((WORDS + 64) * 4));

/** `own`: what differs between the threads. */
export function threadsChipset(memory: Int32Array, own: Pick<ChipsetOptions, 'thread' | 'isHost' | 'isFirst' | 'serial'>): Chipset {
  return new Chipset({
    state: memory.subarray(0, WORDS),
    pending: (cpu) => new SharedWord(memory, WORDS + cpu),
    a20: new SharedWord(memory, WORDS + 63),
    ram: new Uint8Array(0x1000),
    ramBytes: 64 << 20,
    cpuCount: CPUS,
    clock: { now: () => 0, wallMs: () => 0 },
    mayWait: true,
    onEnd: () => {},
    ...(own.isHost ? {} : { hostSignal: new SharedWord(memory, WORDS + 62) }),
    ...own,
  });
}
