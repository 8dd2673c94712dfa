// The local APICs' shared words, which devices (src/devices/lapic*.ts) and the runtime (wasm/system/lapic.ts) know.
import { array, shared32, struct, u32, wordsOf } from './struct.ts';

/** Where the registers of a CPU's local APIC are, for that CPU. */
export const LAPIC_BASE = 0xfee00000;
export const LAPIC_EOI = 0xb0;

/** Entries of the local vector table: timer, thermal, performance, LINT0, LINT1, error. */
export const LVT_COUNT = 6;

/** The local APIC of one CPU. ISR, TMR and IRR are eight words each, in the order of their registers. */
export const Lapic = struct({
  id: u32,
  tpr: u32,
  ldr: u32,
  dfr: u32,
  svr: u32,
  esr: u32,
  esrNext: u32,
  icrLow: u32,
  icrHigh: u32,
  initial: u32,
  divide: u32,
  /** IA32_APIC_BASE bit 11. */
  global: u32,
  /** The CPU waits for a start-up IPI. */
  waiting: u32,
  sipi: u32,
  /** An I/O APIC input connects the 8259s to this CPU. */
  extint: u32,
  /** Who sees to the CPU's timer (KEEPER). */
  keeper: u32,
  lvt: array(LVT_COUNT, u32),
  isr: array(8, shared32),
  tmr: array(8, u32),
  irr: array(8, shared32),
});
/** The same for those who have the words of all CPUs as an array: which word of a CPU's each field is, and how many a CPU has. */
export const LAPIC_WORD = wordsOf(Lapic);
export const LAPIC_WORDS = Lapic.size / 4;

/** The word that a register is, where reading it is reading a word (SDM vol. 3, table 11-1); undefined: there is more to it. */
export function lapicRegisterWord(offset: number): number | undefined {
  const eighth = (offset >> 4) & 7;
  if (offset >= 0x100 && offset < 0x180) return LAPIC_WORD.isr + eighth;
  if (offset >= 0x180 && offset < 0x200) return LAPIC_WORD.tmr + eighth;
  if (offset >= 0x200 && offset < 0x280) return LAPIC_WORD.irr + eighth;
  if (offset >= 0x320 && offset <= 0x370) return LAPIC_WORD.lvt + ((offset - 0x320) >> 4);
  return SINGLE_WORDS.get(offset);
}
const SINGLE_WORDS = new Map<number, number>([
  [0x20, LAPIC_WORD.id],
  [0x80, LAPIC_WORD.tpr],
  [0xd0, LAPIC_WORD.ldr],
  [0xe0, LAPIC_WORD.dfr],
  [0xf0, LAPIC_WORD.svr],
  [0x280, LAPIC_WORD.esr],
  [0x300, LAPIC_WORD.icrLow],
  [0x310, LAPIC_WORD.icrHigh],
  [0x380, LAPIC_WORD.initial],
  [0x3e0, LAPIC_WORD.divide],
]);
/** Bytes of the table for the runtime: for each 16 bytes of the registers' page 1 + lapicRegisterWord, or 0. */
export const LAPIC_TABLE_BYTES = 256;
