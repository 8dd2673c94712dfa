// Where the recorded processor (an AMD one) and this FPU may differ, by name, and how far. Everything else must be equal.
import type { Difference } from './vectors.ts';

interface Tolerance {
  readonly why: string;
  /** Results may differ by this many units in the last place. */
  readonly ulps: number;
  /** Bits of the status word that are not compared. */
  readonly status: number;
}

const C1 = 0x200;
const LAST_BIT: Tolerance = {
  why: 'Results here are correctly rounded; the processor promises less than one unit in the last place, and C1 tells of its own rounding.',
  ulps: 1,
  status: C1,
};
const COMPARE: Tolerance = { why: 'SDM vol. 2: FCOMI and its like set C1 to 0; the recorded processor leaves it.', ulps: 0, status: C1 };

export const TOLERANCES: Readonly<Record<string, Tolerance>> = {
  f2xm1: LAST_BIT,
  fyl2x: LAST_BIT,
  fyl2xp1: LAST_BIT,
  fpatan: LAST_BIT,
  fptan: LAST_BIT,
  fsin: LAST_BIT,
  fcos: LAST_BIT,
  fsincos: LAST_BIT,
  fcomi: COMPARE,
  fcomip: COMPARE,
  fucomi: COMPARE,
  fucomip: COMPARE,
};

/** Units in the last place between two registers written as "se:significand". */
export function ulpsBetween(a: string, b: string): number {
  // Sign, exponent, significand without its top bit as one number: neighbours differ by one, except that the lowest
  // significand of an exponent also neighbours the highest of the one below.
  const place = (s: string): bigint => {
    const [se, sig] = s.split(':').map((h) => BigInt(`0x${h}`)) as [bigint, bigint];
    const exp = se & 0x7fffn;
    const magnitude = ((exp === 0n ? 0n : exp - 1n) << 63n) + sig;
    return se >> 15n ? -magnitude : magnitude;
  };
  const d = place(a) - place(b);
  return Number(d < 0n ? -d : d);
}

export function tolerated(instruction: string, d: Difference): boolean {
  const t = TOLERANCES[instruction.split(' ')[0]!];
  if (t === undefined) return false;
  if (d.field === 'status') return ((Number.parseInt(d.expected, 16) ^ Number.parseInt(d.actual, 16)) & ~t.status) === 0;
  if (d.field === 'st0' || d.field === 'st1') return ulpsBetween(d.expected, d.actual) <= t.ulps;
  return false;
}
