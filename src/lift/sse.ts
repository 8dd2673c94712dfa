// SSE, SSE2 and SSE3 (and with them most of MMX), by family.
import type { LiftTable } from './lifter.ts';
import { lifts as arith } from './sse-arith.ts';
import { lifts as compare } from './sse-compare.ts';
import { lifts as convert } from './sse-convert.ts';
import { lifts as integer } from './sse-integer.ts';
import { lifts as move } from './sse-move.ts';
import { lifts as shuffle } from './sse-shuffle.ts';
import { lifts as state } from './sse-state.ts';

export const lifts: LiftTable = { ...move, ...arith, ...compare, ...convert, ...shuffle, ...integer, ...state };
