// Layout of the local APICs' shared words and the codes of their registers (SDM vol. 3, chapter 11).

/** Offsets in the words of one CPU. ISR, TMR and IRR are eight words each, in the order of their registers. */
export const AT = {
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
export const CPU_WORDS = 48;

export const LVT_COUNT = 6;
export const LVT_MASKED = 0x10000;
export const SVR_ENABLE = 0x100;
export const ID_SHIFT = 24;

export const TIMER_ONE_SHOT = 0;
export const TIMER_PERIODIC = 1;
export const TIMER_TSC_DEADLINE = 2;

/**
 * Who sees to a CPU's timer: the timekeeper's thread; the CPU, which is in HLT and sleeps no longer than until its deadline;
 * or nobody for a moment, because the CPU left HLT and is expected back in it before the deadline.
 */
export const KEEPER = { TIMEKEEPER: 0, CPU: 1, LEASED: 2 } as const;

/** Delivery modes of the ICR, the LVT and the I/O APIC. */
export const DELIVERY = { FIXED: 0, LOWEST: 1, SMI: 2, NMI: 4, INIT: 5, STARTUP: 6, EXTINT: 7 } as const;
