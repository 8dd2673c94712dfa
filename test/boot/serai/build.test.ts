// The image of serai in the repository, and the map of its names, are what its source gives: the same compiler and linker make the same bytes of it.
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { changed, SERAI, whyNot } from '../../../guests/serai.ts';

/** A hundred runs of the compiler, on a machine with other things to do. */
const BUILD_MS = 180_000;

const reason = whyNot();

it.skipIf(reason !== undefined)(
  `serai and its map are built to the same bytes${reason === undefined ? '' : ` (skipped: ${reason})`}`,
  () => {
    expect(changed()).toEqual([]);
  },
  BUILD_MS,
);

it('is small', () => {
  expect(readFileSync(SERAI).length).toBeLessThan(100 * 1024);
});
