// Binaryen, which shares nothing with our encoder, reads the regions that it writes and finds them valid.
import binaryen from 'binaryen';
import { expect, test } from 'vitest';
import { Emitter } from '../../src/emit/module.ts';
import { emitRegion, type RegionExtras } from '../../src/emit/regions.ts';
import { Mode } from '../../src/layout/cpu.ts';
import { PAGE } from '../../src/layout/memory.ts';
import { growRegion } from '../../src/translate/grow.ts';

/** A loop with a locked addition, a call and memory of both kinds. */
const CODE = '8b06 f0830701 0fb64b03 894e04 e80a000000 83c604 4a 75ea c3 90 85c0 7401 40 c3';

test.each<[string, RegionExtras]>([
  ['plain', {}],
  ['atomic', { atomic: true }],
  ['counting and tracing', { counts: true, traces: true }],
  ['in lockstep', { budget: true, counts: true }],
])('a region is valid: %s', (_name, extras) => {
  const page = new Uint8Array(PAGE);
  page.set(Buffer.from(CODE.replaceAll(' ', ''), 'hex'));
  const region = growRegion(page, 0x1000, 0x1000, Mode.CODE32 | Mode.FLAT)!;
  expect(region.blocks.size).toBeGreaterThan(2);
  const e = new Emitter();
  emitRegion(e, 'r1', region, () => 1, extras);
  const bytes = e.finish();
  const module = binaryen.readBinary(bytes);
  module.setFeatures(binaryen.Features.All);
  expect(module.validate()).toBe(1);
  expect(module.emitText().includes('i32.atomic.rmw.cmpxchg')).toBe(extras.atomic === true);
  module.dispose();
});
