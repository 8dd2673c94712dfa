// MOVSD and CMPSD of SSE2, whose names string instructions have too: told apart by an xmm operand.
import type { LiftTable } from './lifter.ts';
import { cmpsd } from './sse-compare.ts';
import { movsd } from './sse-move.ts';

export const lifts: LiftTable = { movsd, cmpsd };
