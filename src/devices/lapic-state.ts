// The codes of the local APICs' registers (SDM vol. 3, chapter 11). What there is in shared memory is in layout/lapic.ts.
import type { Lapic } from '../layout/lapic.ts';
import type { View } from '../layout/view.ts';

/** One CPU's. */
export type LapicView = View<typeof Lapic>;

/** Entries of the LVT, in the order of their registers. */
export const Lvt = { TIMER: 0, THERMAL: 1, PERFORMANCE: 2, LINT0: 3, LINT1: 4, ERROR: 5 } as const;
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
