// What is asked of code that is made for a request, from what it may rely on: the translator's, and that of who explains a region (inspect/region-view.ts).
import { hasPoints, type RegionDemands } from '../emit/region/region.ts';
import type { Instrument } from '../instrument/index.ts';
import { Mode } from '../layout/cpu.ts';
import { DIRECT_START, Relax } from '../layout/memory.ts';
import type { Request } from './request.ts';

/** What is asked of code, and the relaxations that this comes from. */
export interface AskedDemands extends RegionDemands {
  readonly relax: number;
}

/** Relaxations that code is made by; of the others each CPU finds out while it runs. */
export const OF_CODE = Relax.DIRECTMAP | Relax.PRECISION | Relax.CACHE | Relax.RETURNS | Relax.SHARED | Relax.FRAMES | Relax.STACK;

/** What a machine's code may rely on, and what is known of the machine. */
export interface Grounds {
  /** Relax bits. */
  readonly relax: number;
  /** Where the kernel's direct map begins (Control.directOrigin); 0: it is not known. */
  readonly directOrigin: number;
  /** The code could not rely on its stack. */
  readonly plain: boolean;
  readonly instruments: readonly Instrument[];
  readonly ramBytes: number;
  /** Where points of regions come next. */
  readonly pointsAt: number;
  readonly atomic: boolean;
  readonly verify: boolean;
}

/**
 * Where the direct map begins that code of kernels may rely on. Without paging all of the RAM is one; code below its start (BIOSes, flat programs) keeps its stack and its data there as well.
 */
export function originFor({ phys, mode }: Request, { relax, directOrigin }: Pick<Grounds, 'relax' | 'directOrigin'>): number | undefined {
  if ((relax & Relax.DIRECTMAP) === 0) return undefined;
  if ((mode & Mode.PHYSICAL) !== 0) return (mode & Mode.FLAT) !== 0 && phys >= DIRECT_START ? DIRECT_START : undefined;
  return directOrigin || undefined;
}

/** Whether code may rely on its stack. */
export const mayHaveStack = (request: Request, grounds: Pick<Grounds, 'relax' | 'directOrigin'>): boolean =>
  (grounds.relax & Relax.STACK) !== 0 && originFor(request, grounds) !== undefined;

export function demandsBy(request: Request, grounds: Grounds): AskedDemands {
  const { relax, plain, instruments, ramBytes, pointsAt, atomic, verify } = grounds;
  return {
    relax,
    instruments,
    ramBytes,
    directOrigin: originFor(request, grounds),
    stack: mayHaveStack(request, grounds) && !plain,
    precise: (relax & Relax.PRECISION) === 0,
    otherPages: (relax & Relax.CACHE) !== 0,
    returns: (relax & Relax.RETURNS) !== 0,
    pointsAt: (relax & Relax.FRAMES) !== 0 || !hasPoints(request.mode) ? undefined : pointsAt,
    atomic,
    verify,
  };
}
