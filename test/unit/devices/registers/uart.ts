// The 16550A (PC16550D data sheet, section 8, table II; reset: table I). What it does with bytes is in effects-uart.test.ts.
import type { Bench } from '../harness.ts';
import type { Register } from './register.ts';

export const COM1 = 0x3f8;
const at = (offset: number) => ({
  width: 8 as const,
  read: (b: Bench) => b.in(COM1 + offset),
  write: (b: Bench, value: number) => b.out(COM1 + offset, value),
});
/** With LCR.DLAB set. */
const latch = (offset: number) => ({
  width: 8 as const,
  read: (b: Bench) => {
    b.out(COM1 + 3, 0x80);
    return b.in(COM1 + offset);
  },
  write: (b: Bench, value: number) => {
    b.out(COM1 + 3, 0x80);
    b.out(COM1 + offset, value);
  },
});

export const UART_REGISTERS: readonly Register[] = [
  { name: 'THR, RBR', source: '8.0, tables I and II', reset: 0, wo: 0xff, effect: 'sends; a read takes what came', ...at(0) },
  { name: 'DLL', source: '8.3', reset: 1, firmware: '115,200 Bd', rw: 0xff, ...latch(0) },
  { name: 'DLM', source: '8.3', reset: 0, rw: 0xff, ...latch(1) },
  { name: 'IER', source: '8.6', reset: 0, rw: 0x0f, reserved: 0xf0, effect: 'ETBEI interrupts at once where THR is empty', ...at(1) },
  // Bits 6 and 7 follow FCR bit 0, without which the others are not programmed.
  {
    name: 'IIR',
    source: '8.5, table IV',
    reset: 0x01,
    ro: 0xcf,
    reserved: 0x30,
    ...at(2),
    write: (b: Bench, value: number) => b.out(COM1 + 2, value & 0xfe),
  },
  {
    name: 'IIR with FIFOs',
    source: '8.4, 8.5',
    reset: 0xc1,
    ro: 0xcf,
    reserved: 0x30,
    ...at(2),
    readReset: (b: Bench) => {
      b.out(COM1 + 2, 1);
      return b.in(COM1 + 2);
    },
    write: (b: Bench, value: number) => b.out(COM1 + 2, value | 1),
  },
  // DLAB (bit 7) changes what offsets 0 and 1 are.
  { name: 'LCR', source: '8.1', reset: 0, rw: 0xff, ...at(3) },
  { name: 'MCR', source: '8.7', reset: 0, rw: 0x1f, reserved: 0xe0, effect: 'loop-back', ...at(4) },
  { name: 'LSR', source: '8.4: for factory tests alone', reset: 0x60, ro: 0xff, effect: 'a read clears the errors', ...at(5) },
  { name: 'MSR', source: '8.8', reset: 0xb0, ro: 0xff, effect: 'a read clears the changes', ...at(6) },
  { name: 'SCR', source: '8.9', reset: 0, rw: 0xff, ...at(7) },
];
