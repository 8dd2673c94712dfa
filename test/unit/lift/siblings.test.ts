// Where the decoder expects ModRM, in all maps of opcodes (SDM vol. 2, 2.1).
import { expect, test } from 'vitest';
import { modrmAt } from '../../../src/decode/siblings.ts';

test.each<[hex: string, modrm: number, override: boolean]>([
  ['8b 03', 1, false],
  ['0f b6 c0', 2, false],
  ['0f 38 f0 03', 3, false],
  ['0f 3a 0f c1 02', 3, false],
  ['66 0f 38 f1 03', 4, false],
  ['f2 0f 38 f0 c0', 4, false],
  ['64 67 0f 3a 16 03 01', 5, true],
  ['2e 66 8b 03', 3, true],
  ['38 03', 1, false],
  ['0f 0f', 2, false],
])('%s: ModRM at %i', (hex, modrm, override) => {
  expect(modrmAt(Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex')), 0)).toEqual({ modrm, override });
});
