import { expect, test } from 'vitest';
import { eipOf } from '../../src/ir/blocks.ts';
import { dirtyRegisters } from '../../src/passes/dirty-registers.ts';
import { readRegion } from '../../src/translate/text.ts';

const dirty = (text: string): Record<string, number> =>
  Object.fromEntries([...dirtyRegisters(readRegion(text))].map(([id, registers]) => [eipOf(id), registers]));

test('what was set on any way is dirty', () => {
  const text = `
0x1:
  set eax, 1
  branch if 1 to 0x2, else 0x3
0x2:
  set ecx, 1
  jump 0x4
0x3:
  jump 0x4
0x4:
  set edx, 1
  leave`;
  expect(dirty(text)).toEqual({ 1: 0, 2: 1, 3: 1, 4: 3 });
});

test('a loop brings what it sets back to its head', () => {
  const text = `
0x1:
  jump 0x2
0x2:
  branch if 1 to 0x3, else 0x4
0x3:
  set ebp, 1
  jump 0x2
0x4:
  leave`;
  expect(dirty(text)).toEqual({ 1: 0, 2: 32, 3: 32, 4: 32 });
});

test('behind a helper or a call that is given all registers and may change all, none is dirty', () => {
  const text = (calls: string) => `
0x1:
  set eax, 1
  ${calls}
  set ebx, 1
  jump 0x2
0x2:
  set ecx, 1
  helper h() [reads ecx; writes all]
  jump 0x3
0x3:
  leave`;
  expect(dirty(text('helper h() [reads all; writes all]'))).toEqual({ 1: 0, 2: 8, 3: 10 });
  expect(dirty(text('call 0x9, back 0x5'))).toEqual({ 1: 0, 2: 8, 3: 10 });
});
