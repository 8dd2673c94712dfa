// The MC146818A (data sheet, "registers" and "update cycle") behind ports 70H and 71H. What it does in time is in effects-rtc.test.ts.
import type { Bench } from '../harness.ts';
import type { Register } from './register.ts';

const cell = (index: number) => ({
  width: 8 as const,
  read: (b: Bench) => {
    b.out(0x70, index);
    return b.in(0x71);
  },
  write: (b: Bench, value: number) => {
    b.out(0x70, index);
    b.out(0x71, value);
  },
});

/** A byte of the time, as it is while register B's SET stops its updates. */
const time = (index: number, name: string, reset: number, rw = 0xff): Register => ({
  name,
  source: 'time, calendar and alarm',
  reset,
  firmware: '23:59:50 on 28 February 2024',
  rw,
  reserved: 0xff & ~rw,
  ...cell(index),
  readReset: (b) => {
    const value = cell(index).read(b);
    cell(0x0b).write(b, 0x82);
    return value;
  },
});

const ram = (index: number, reset = 0): Register => ({
  name: `byte ${index.toString(16)}`,
  source: '50 bytes of RAM; PC: 114',
  reset,
  rw: 0xff,
  ...cell(index),
});
/** What firmware leaves for kernels: equipment, memory sizes, the sum over 10H to 2DH. */
const FIRMWARE: Readonly<Record<number, number>> = {
  20: 2,
  21: 0x80,
  22: 2,
  23: 0,
  24: 0xfc,
  46: 1,
  47: 0x80,
  48: 0,
  49: 0xfc,
  52: 0,
  53: 3,
};

export const RTC_REGISTERS: readonly Register[] = [
  {
    name: 'index',
    source: 'PIIX, 2.5.6: bit 7 masks NMI; no read there',
    width: 8,
    reset: 0xff,
    wo: 0xff,
    read: (b) => b.in(0x70),
    write: (b, value) => b.out(0x70, value),
  },
  // "Bit 7 of the seconds byte is read-only."
  time(0, 'seconds', 0x50, 0x7f),
  time(2, 'minutes', 0x59),
  time(4, 'hours', 0x23),
  time(6, 'day of the week', 4),
  time(7, 'day of the month', 0x28),
  time(8, 'month', 2),
  time(9, 'year', 0x24),
  time(0x32, 'century', 0x20),
  ...[1, 3, 5].map((index) => ({ ...ram(index), name: `${['seconds', 'minutes', 'hours'][(index - 1) >> 1]} alarm` })),
  {
    name: 'register A',
    source: 'register A',
    reset: 0x26,
    firmware: '32,768 Hz, 1,024 interrupts a second',
    rw: 0x7f,
    ro: 0x80,
    effect: 'DV other than 010 stops the divider; half a second after 010 the first update comes',
    ...cell(0x0a),
  },
  {
    name: 'register B',
    source: 'register B',
    reset: 0x02,
    firmware: '24 hours, BCD',
    rw: 0xff,
    // SET clears UIE.
    avoid: (value) => (value & 0x90) === 0x90,
    effect: 'SET stops updates, and clears UIE',
    ...cell(0x0b),
  },
  {
    name: 'register C',
    source: 'register C',
    reset: 0,
    ro: 0xf0,
    reserved: 0x0f,
    effect: 'a read clears the flags and the interrupt',
    ...cell(0x0c),
  },
  { name: 'register D', source: 'register D', reset: 0x80, ro: 0x80, reserved: 0x7f, ...cell(0x0d) },
  ...Array.from({ length: 0x80 - 0x0e }, (_, n) => 0x0e + n)
    .filter((index) => index !== 0x32)
    .map((index) => ram(index, FIRMWARE[index])),
];
