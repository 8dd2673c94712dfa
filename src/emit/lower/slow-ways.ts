// The functions of the runtime that accesses to guest memory call where the TLB does not do, by their width.
import type { Type } from '../../ir/types.ts';
import { type AccessWay, type RuntimeFunction, runtime } from '../../runtime/abi.ts';

/** By bytes: 1, 2, 4, 8 and perhaps 16. */
type ByWidth<F> = Readonly<Record<number, F>>;
/** (address, EIP). */
export type Loads = ByWidth<AccessWay<readonly ['i32', 'i32']>>;
/** (address, value, EIP). */
export type Stores = ByWidth<AccessWay<readonly ['i32', Type, 'i32']>>;

/** How stores to pages with code end: they are done (handlers), or refused (regions). */
export interface SlowWays {
  readonly rmw: Loads;
  readonly store: Stores;
}

export const LOAD: Loads = {
  1: runtime.slowLoad8,
  2: runtime.slowLoad16,
  4: runtime.slowLoad32,
  8: runtime.slowLoad64,
  16: runtime.slowLoad128,
};

export const HANDLER: SlowWays = {
  rmw: { 1: runtime.slowRmw8, 2: runtime.slowRmw16, 4: runtime.slowRmw32, 8: runtime.slowRmw64 },
  store: { 1: runtime.slowStore8, 2: runtime.slowStore16, 4: runtime.slowStore32, 8: runtime.slowStore64, 16: runtime.slowStore128 },
};

export const REGION: SlowWays = {
  rmw: { 1: runtime.regionRmw8, 2: runtime.regionRmw16, 4: runtime.regionRmw32, 8: runtime.regionRmw64 },
  store: {
    1: runtime.regionStore8,
    2: runtime.regionStore16,
    4: runtime.regionStore32,
    8: runtime.regionStore64,
    16: runtime.regionStore128,
  },
};

/** For accesses by their distance from the direct map's origin. */
export const DIRECT_LOAD: Loads = {
  1: runtime.directLoad8,
  2: runtime.directLoad16,
  4: runtime.directLoad32,
  8: runtime.directLoad64,
  16: runtime.directLoad128,
};
export const DIRECT: SlowWays = {
  rmw: { 1: runtime.directRmw8, 2: runtime.directRmw16, 4: runtime.directRmw32, 8: runtime.directRmw64 },
  store: {
    1: runtime.directStore8,
    2: runtime.directStore16,
    4: runtime.directStore32,
    8: runtime.directStore64,
    16: runtime.directStore128,
  },
};

export const LOCKED_LOAD: ByWidth<RuntimeFunction<readonly ['i32']>> = {
  1: runtime.lockedLoad8,
  2: runtime.lockedLoad16,
  4: runtime.lockedLoad32,
  8: runtime.lockedLoad64,
};
export const LOCKED_STORE: ByWidth<RuntimeFunction<readonly ['i32', Type]>> = {
  1: runtime.lockedStore8,
  2: runtime.lockedStore16,
  4: runtime.lockedStore32,
  8: runtime.lockedStore64,
};
