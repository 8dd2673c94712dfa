// What the code of a region relies on, by name.
import { RELAXATIONS, type Relaxation } from '../api/relax.ts';
import { OF_CODE } from '../cache/demands.ts';
import type { LoggedRegion } from '../cache/region-log.ts';
import { Mode } from '../layout/cpu.ts';
import { Relax } from '../layout/memory.ts';

/** All names. */
export const RELAXATION_NAMES = Object.keys(RELAXATIONS) as readonly Relaxation[];

/** Whether a relaxation decides about code. */
export const isOfCode = (name: Relaxation): boolean => (RELAXATIONS[name] & OF_CODE) !== 0;

/** The relaxations that the code of a region relies on. That of the user relies on none. */
export function reliedOn({ mode, relax, directOrigin, stack }: LoggedRegion): Relaxation[] {
  if ((mode & Mode.USER) !== 0) return [];
  const bits = relax & OF_CODE & ~(directOrigin === 0 ? Relax.DIRECTMAP : 0) & ~(stack ? 0 : Relax.STACK);
  return RELAXATION_NAMES.filter((name) => (bits & RELAXATIONS[name]) !== 0);
}
