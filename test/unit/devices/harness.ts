// A chipset on a hand-driven clock, for register-level tests of the devices.

import { Chipset } from '../../../src/devices/chipset.ts';
import type { RunEnd } from '../../../src/devices/device.ts';
import type { ChipsetOptions } from '../../../src/devices/list.ts';
import { SharedWord } from '../../../src/layout/view.ts';

/** Device state in words, and one `pending` word for each CPU behind it. */
const STATE_WORDS = 0x20000;

export interface Bench {
  readonly pc: Chipset;
  readonly ends: RunEnd[];
  readonly memory: Int32Array;
  readonly time: { now: number };
  in(port: number, size?: 1 | 2 | 4): number;
  out(port: number, value: number, size?: 1 | 2 | 4): void;
  read(address: number, cpu?: number): number;
  write(address: number, value: number, cpu?: number): void;
  /** Moves the clock on, deadline by deadline. Calls `each` behind each. */
  advance(nanoseconds: number, each?: () => void): void;
  pending(cpu: number): number;
  /** Another thread's view of the same machine. */
  attach(extra?: Partial<ChipsetOptions>): Chipset;
}

export const EPOCH = Date.UTC(2024, 1, 28, 23, 59, 50);

export function bench(cpuCount = 1, extra: Partial<ChipsetOptions> = {}): Bench {
  const memory = new Int32Array(new SharedArrayBuffer((STATE_WORDS + 64) * 4));
  const time = { now: 0 };
  const ends: RunEnd[] = [];
  const make = (first: boolean, more: Partial<ChipsetOptions> = {}): Chipset =>
    new Chipset({
      state: memory.subarray(0, STATE_WORDS),
      pending: (cpu) => new SharedWord(memory, STATE_WORDS + cpu),
      a20: new SharedWord(memory, STATE_WORDS + 63),
      ram: new Uint8Array(0x1000),
      ramBytes: 64 << 20,
      cpuCount,
      clock: { now: () => time.now, wallMs: () => EPOCH + time.now / 1e6 },
      thread: first ? 1 : 2,
      mayWait: true,
      isHost: first,
      isFirst: first,
      onEnd: (reason) => ends.push(reason),
      ...extra,
      ...more,
    });
  const pc = make(true);
  return {
    pc,
    ends,
    memory,
    time,
    in: (port, size = 1) => pc.portIn(0, port, size),
    out: (port, value, size = 1) => pc.portOut(0, port, size, value),
    read: (address, cpu = 0) => pc.mmioRead(cpu, address, 4),
    write: (address, value, cpu = 0) => pc.mmioWrite(cpu, address, 4, value),
    advance: (nanoseconds, each) => {
      const end = time.now + nanoseconds;
      for (;;) {
        const next = pc.hub.nextDeadline();
        if (next > end) break;
        time.now = Math.max(time.now, next);
        pc.hub.runTimers(time.now);
        each?.();
      }
      time.now = end;
    },
    pending: (cpu) => memory[STATE_WORDS + cpu],
    attach: (more) => make(false, more),
  };
}

/** Linux's init_8259A: vectors 0x30 and 0x38, everything masked but `unmasked`. */
export function initPic(b: Bench, unmasked: number, autoEoi = false): void {
  b.out(0x21, 0xff);
  b.out(0x20, 0x11);
  b.out(0x21, 0x30);
  b.out(0x21, 0x04);
  b.out(0x21, autoEoi ? 3 : 1);
  b.out(0xa0, 0x11);
  b.out(0xa1, 0x38);
  b.out(0xa1, 0x02);
  b.out(0xa1, 0x01);
  b.out(0x21, ~unmasked & 0xff);
  b.out(0xa1, (~unmasked >> 8) & 0xff);
}
