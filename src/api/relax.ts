// What translated code of kernels may rely on, by name (docs/relaxations.md).
import { Relax } from '../layout/memory.ts';

/** The relaxations that there are: docs/relaxations.md says what each relies on. */
export type Relaxation = 'directmap' | 'holes' | 'precision' | 'segments' | 'cache' | 'returns' | 'entries' | 'shared' | 'frames' | 'stack';

export const RELAXATIONS: Readonly<Record<Relaxation, number>> = {
  directmap: Relax.DIRECTMAP,
  holes: Relax.HOLES,
  precision: Relax.PRECISION,
  segments: Relax.SEGMENTS,
  cache: Relax.CACHE,
  returns: Relax.RETURNS,
  entries: Relax.ENTRIES,
  shared: Relax.SHARED,
  frames: Relax.FRAMES,
  stack: Relax.STACK,
};
/** One of them, or without one of them; all of them, or none. */
export type RelaxTerm = Relaxation | `-${Relaxation}` | 'all' | 'off';

const NAMES = Object.keys(RELAXATIONS) as Relaxation[];
export const RELAX_TERMS: readonly RelaxTerm[] = ['all', 'off', ...NAMES, ...NAMES.map((name): RelaxTerm => `-${name}`)];
export const ALL_RELAXATIONS = NAMES.reduce((bits, name) => bits | RELAXATIONS[name], 0);

/** By bits of Relax. */
export const relaxationsOf = (bits: number): Relaxation[] => NAMES.filter((name) => (bits & RELAXATIONS[name]) !== 0);

/** Those that no guest can tell from none. */
export const EXACT: readonly RelaxTerm[] = ['directmap', 'segments', 'cache', 'returns', 'entries', 'shared', 'frames', 'stack'];

/** Modes are settings of these names: all, what no guest can tell from none, or none, which is how translators of the kind were built before. */
export type Mode = 'relaxed' | 'transparent' | 'classic';
export const MODES: Readonly<Record<Mode, readonly RelaxTerm[]>> = { relaxed: ['all'], transparent: EXACT, classic: ['off'] };
export const DEFAULT_MODE: Mode = 'relaxed';

/** Bits of Relax, from terms in their order. A list that begins with what to go without begins with what the mode has. */
export function relaxBits(terms: readonly RelaxTerm[], mode: Mode = DEFAULT_MODE): number {
  let bits = terms[0]?.startsWith('-') ? relaxBits(MODES[mode]) : 0;
  for (const term of terms) {
    if (term === 'all') bits = ALL_RELAXATIONS;
    else if (term === 'off') bits = 0;
    else if (term.startsWith('-')) bits &= ~RELAXATIONS[term.slice(1) as Relaxation];
    else bits |= RELAXATIONS[term as Relaxation];
  }
  return bits;
}
