// The local APICs' shared words, which devices (src/devices/lapic*.ts) and the runtime (wasm/system/lapic.ts) know.

/** Where the registers of a CPU's local APIC are, for that CPU. */
export const LAPIC_BASE = 0xfee00000;
export const LAPIC_EOI = 0xb0;

/** Offsets in the words of one CPU. ISR, TMR and IRR are eight words each, in the order of their registers. */
export const LAPIC_WORD = {
  ID: 0,
  TPR: 1,
  LDR: 2,
  DFR: 3,
  SVR: 4,
  ESR: 5,
  ESR_NEXT: 6,
  ICR_LOW: 7,
  ICR_HIGH: 8,
  INITIAL: 9,
  DIVIDE: 10,
  /** IA32_APIC_BASE bit 11. */
  GLOBAL: 11,
  /** The CPU waits for a start-up IPI. */
  WAITING: 12,
  SIPI: 13,
  /** An I/O APIC input connects the 8259s to this CPU. */
  EXTINT: 14,
  /** Who sees to the CPU's timer (KEEPER). */
  KEEPER: 15,
  LVT: 16,
  ISR: 24,
  TMR: 32,
  IRR: 40,
} as const;
export const LAPIC_WORDS = 48;

/** The word that a register is, where reading it is reading a word (SDM vol. 3, table 11-1); undefined: there is more to it. */
export function lapicRegisterWord(offset: number): number | undefined {
  const eighth = (offset >> 4) & 7;
  if (offset >= 0x100 && offset < 0x180) return LAPIC_WORD.ISR + eighth;
  if (offset >= 0x180 && offset < 0x200) return LAPIC_WORD.TMR + eighth;
  if (offset >= 0x200 && offset < 0x280) return LAPIC_WORD.IRR + eighth;
  if (offset >= 0x320 && offset <= 0x370) return LAPIC_WORD.LVT + ((offset - 0x320) >> 4);
  return SINGLE_WORDS.get(offset);
}
const SINGLE_WORDS = new Map<number, number>([
  [0x20, LAPIC_WORD.ID],
  [0x80, LAPIC_WORD.TPR],
  [0xd0, LAPIC_WORD.LDR],
  [0xe0, LAPIC_WORD.DFR],
  [0xf0, LAPIC_WORD.SVR],
  [0x280, LAPIC_WORD.ESR],
  [0x300, LAPIC_WORD.ICR_LOW],
  [0x310, LAPIC_WORD.ICR_HIGH],
  [0x380, LAPIC_WORD.INITIAL],
  [0x3e0, LAPIC_WORD.DIVIDE],
]);
/** Bytes of the table for the runtime: for each 16 bytes of the registers' page 1 + lapicRegisterWord, or 0. */
export const LAPIC_TABLE_BYTES = 256;
