// Layout of the local APICs' shared words and the codes of their registers (SDM vol. 3, chapter 11).

export { LAPIC_WORD as AT, LAPIC_WORDS as CPU_WORDS, LVT_COUNT } from '../layout/lapic.ts';

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
