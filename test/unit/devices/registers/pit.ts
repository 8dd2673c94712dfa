// The 8254 (8254 data sheet) and port 61H (PIIX, NMI status and control). What counting does is in effects-pit.test.ts.
import type { Bench } from '../harness.ts';
import type { Register } from './register.ts';

/** The mode of a counter, as the status byte has it; written by a control word. RW = 0 would be the latch command. */
const counter = (n: number): Register => ({
  name: `mode of counter ${n}`,
  source: 'control word; read-back command, status byte',
  width: 8,
  reset: 0xf6,
  firmware: 'mode 3, both bytes; no gate for counter 2',
  rw: 0x3f,
  // OUT and "null count" follow from the mode and from what is counted.
  ro: 0xc0,
  avoid: (value) => (value & 0x30) === 0,
  read: (b: Bench) => {
    b.out(0x43, 0xe0 | (2 << n));
    // Between the control word and the count: null count. OUT is low in mode 0 alone.
    const status = b.in(0x40 + n);
    return (status & 0x3f) | 0xc0;
  },
  write: (b: Bench, value: number) => b.out(0x43, (n << 6) | (value & 0x3f)),
});

export const PIT_REGISTERS: readonly Register[] = [
  counter(0),
  counter(1),
  counter(2),
  {
    name: 'control word register',
    source: 'table of read and write operations: no read there',
    width: 8,
    reset: 0xff,
    wo: 0xff,
    read: (b) => b.in(0x43),
    write: (b, value) => b.out(0x43, value),
  },
  {
    name: 'port 61H',
    source: 'PIIX, 2.5.7',
    width: 8,
    // OUT of counter 2 is high: its gate is low in mode 3.
    reset: 0x20,
    // Gate of counter 2, speaker, disable SERR#, disable IOCHK#; refresh, OUT, and the causes of NMIs, of which there are none.
    rw: 0x0f,
    ro: 0xf0,
    read: (b) => b.in(0x61),
    write: (b, value) => b.out(0x61, value),
    effect: 'the gate of counter 2',
  },
];
