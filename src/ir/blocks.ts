// Names of the blocks of a region, which terminators lead to.
import type { Immediate } from './immediates.ts';

/** A block is named by its EIP; one of a copy by its EIP plus a multiple of COPY: every inlined callee and every copied loop has its own. */
export type BlockId = number;
export const COPY = 2 ** 32;
export const eipOf = (id: BlockId): number => (id < COPY ? id : id % COPY);

/** "0x1000"; in copy number 3 "0x1000@3". */
export const printBlock = (id: BlockId): string => `0x${eipOf(id).toString(16)}${id < COPY ? '' : `@${(id - eipOf(id)) / COPY}`}`;
export function readBlock(text: string): BlockId {
  const [eip, copy = '0'] = text.split('@') as [string, string?];
  return Number(eip) + Number(copy) * COPY;
}

/** Where a terminator leads to. */
export const target: Immediate<BlockId> = { pattern: '0x[0-9a-f]+(?:@\\d+)?', print: printBlock, read: readBlock };
