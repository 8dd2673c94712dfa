// Where the ways out of a region lead.
import { expect, it } from 'vitest';
import { Emitter } from '../../../src/emit/module.ts';
import { emitRegion } from '../../../src/emit/region/region.ts';
import { Mode } from '../../../src/layout/cpu.ts';
import { PAGE } from '../../../src/layout/memory.ts';
import { growRegion } from '../../../src/translate/grow.ts';

it.each([0x0010_0000, 0x7fff_f000, 0x8000_0000, 0xffff_f000])('leads to a slot of its own page, at %i', (page) => {
  const places: [number, number][] = [];
  const slotOf = (phys: number, eip: number) => {
    places.push([phys, eip]);
    return 1;
  };
  // More INC EAX than a region has.
  const region = growRegion(new Uint8Array(PAGE).fill(0x40), 0xffff_f000, page, Mode.CODE32 | Mode.FLAT)!;
  emitRegion(new Emitter(), 'code', region, slotOf);
  const { instructionCount: count } = region;
  expect(places).toEqual([[page + count, 0xffff_f000 + count]]);
});
