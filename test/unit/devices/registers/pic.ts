// The 8259A pair (8259A data sheet) and the edge/level registers of the ISA bridge (PIIX, ELCR1 and ELCR2). The command words ICW1 to ICW4, OCW2 and OCW3 are
// written for what they do: effects-pic.test.ts.
import type { Bench } from '../harness.ts';
import { initPic } from '../harness.ts';
import type { Register } from './register.ts';

const at = (port: number) => ({ read: (b: Bench) => b.in(port), write: (b: Bench, value: number) => b.out(port, value) });
const status = (port: number, command: number) => ({
  read: (b: Bench) => {
    b.out(port, command);
    return b.in(port);
  },
});

export const PIC_REGISTERS: readonly Register[] = [
  { name: 'IMR, master', source: 'OCW1', width: 8, reset: 0xb8, firmware: 'masks of SeaBIOS', rw: 0xff, ...at(0x21) },
  { name: 'IMR, slave', source: 'OCW1', width: 8, reset: 0x8e, firmware: 'masks of SeaBIOS', rw: 0xff, ...at(0xa1) },
  {
    name: 'IMR behind ICW4',
    source: 'initialization sequence',
    width: 8,
    reset: 0,
    rw: 0xff,
    ...at(0x21),
    readReset: (b) => {
      initPic(b, 0xffff);
      return b.in(0x21);
    },
  },
  ...(
    [
      ['master', 0x20],
      ['slave', 0xa0],
    ] as const
  ).flatMap(([chip, port]) => [
    { name: `IRR, ${chip}`, source: 'OCW3, RR and RIS', width: 8, reset: 0, ro: 0xff, ...status(port, 0x0a) } as const,
    { name: `ISR, ${chip}`, source: 'OCW3, RR and RIS', width: 8, reset: 0, ro: 0xff, ...status(port, 0x0b) } as const,
    // No request is up: bit 7 is clear.
    { name: `poll, ${chip}`, source: 'poll command', width: 8, reset: 0, ro: 0x87, reserved: 0x78, ...status(port, 0x0c) } as const,
  ]),
  // Timer, keyboard and cascade; RTC and coprocessor: always edges.
  { name: 'ELCR1', source: 'PIIX, 2.5.9', width: 8, reset: 0, rw: 0xf8, reserved: 0x07, ...at(0x4d0) },
  {
    name: 'ELCR2',
    source: 'PIIX, 2.5.9',
    width: 8,
    reset: 0x0e,
    firmware: 'SCI and PCI are levels',
    rw: 0xde,
    reserved: 0x21,
    ...at(0x4d1),
  },
];
