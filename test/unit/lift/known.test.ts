// An instruction whose first bytes were decoded before is read from its pattern: it must be what decoding it where it stands gives.
import { isDeepStrictEqual } from 'node:util';
import iced from 'iced-x86';
import { beforeEach, expect, test, vi } from 'vitest';
import { CodeReader, Patterns } from '../../../src/decode/decoder.ts';
import { Known } from '../../../src/decode/known.ts';
import { Mode } from '../../../src/layout/cpu.ts';

type Decoder = typeof import('../../../src/decode/decoder.ts');

/** Of each kind of operand some, and all kinds of near branches, with prefixes too. */
const CODE = [
  '55 89e5 83ec08 c3 c20400',
  '8b4308 8b84b300100000 668b4308 678b4708 648b0500000000 a100100000 8d742600',
  '750a 7f80 0f8400010000 660f840001 eb02 ebfe e900000080 66e9fdff e8fbffffff 66e81000 e2f0 67e2f0 e310 67e310',
  'ff25 00100000 ff5304 ea004000001000 9a004000001000 66ea00401000',
  'f3a4 f2ae 66a5 f0ff03 8703 0fc9 0fa2 0f01d0 0f0b',
  'dd4308 d9c0 0f6f03 0f28c1 f30f6f03 0f20c0 8ed8',
].map((hex) => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex')));
const MODES = [Mode.CODE32 | Mode.FLAT, Mode.CODE32, 0];
const EIPS = [0x1000, 0xc0123456, 0xfffffff8, 0xfff0];

async function fresh(): Promise<Decoder> {
  vi.resetModules();
  return import('../../../src/decode/decoder.ts');
}

/** All of the bytes from `eip` on; lifts are other functions in each copy of the modules. */
function all(decoder: Decoder, bytes: Uint8Array, eip: number, mode: number) {
  const reader = new decoder.CodeReader(bytes, mode);
  const found = [];
  for (let at = 0; at < bytes.length; at += found.at(-1)!.length) found.push({ ...reader.at(at, (eip + at) >>> 0), spec: undefined });
  reader.free();
  return found;
}

let known: Decoder;
beforeEach(async () => {
  known = await fresh();
});

test.each(MODES)('what is known is what it is anywhere else: mode %i', async (mode) => {
  for (const bytes of CODE) for (const other of MODES) all(known, bytes, 0x2000, other);
  for (const eip of EIPS) {
    const anew = await fresh();
    for (const bytes of CODE) expect(all(known, bytes, eip, mode)).toEqual(all(anew, bytes, eip, mode));
  }
});

function one(bytes: Uint8Array, mode: number, patterns: Patterns) {
  const reader = new CodeReader(bytes, mode, patterns);
  const x = reader.at(0, 0x7ffe);
  reader.free();
  return x;
}

const range = (n: number) => Array.from({ length: n }, (_, k) => k);
const OPCODES = [
  ...range(256).map((o) => [o]),
  ...range(256).map((o) => [0x0f, o]),
  ...range(256).flatMap((o) => [
    [0x0f, 0x38, o],
    [0x0f, 0x3a, o],
  ]),
];
const PREFIXES = [[], [0x66], [0x67], [0x64, 0x66, 0x67], [0xf3], [0xf0]];
/** With all kinds of displacements, a SIB byte and a register. */
const MODRMS = [0x00, 0x04, 0x05, 0x06, 0x40, 0x44, 0x80, 0x84, 0xc0, 0x2e, 0x7e, 0x91, 0xf9];
/** What may be SIB, displacement and immediates, and the same with other numbers behind a SIB byte. */
const TAIL = [0x05, 0x12, 0x23, 0x34, 0x45, 0x56, 0x67, 0x78];
const OTHERS = [
  [0x85, 0xf2, 0xe3, 0xd4, 0xc5, 0xb6, 0xa7, 0x98],
  [0x05, 0x80, 0xff, 0xfe, 0x9d, 0xfc, 0x8b, 0xfa],
];

test.each(MODES)('whatever the displacement and the immediate are, in every opcode: mode %i', (mode) => {
  const patterns = new Patterns();
  const none = new Patterns();
  let same = 0;
  for (const prefix of PREFIXES)
    for (const opcode of OPCODES)
      for (const modrm of MODRMS) {
        const first = [...prefix, ...opcode, modrm];
        patterns.forget();
        one(Uint8Array.of(...first, ...TAIL), mode, patterns);
        for (const tail of OTHERS) {
          const bytes = Uint8Array.of(...first, ...tail);
          if (patterns.list.find(bytes, 0) === undefined) continue;
          same++;
          none.forget();
          expect(one(bytes, mode, patterns), Buffer.from(bytes).toString('hex')).toEqual(one(bytes, mode, none));
        }
      }
  expect(same).toBeGreaterThan(30_000);
});

test.each(MODES)('whatever ModRM and SIB choose, in every opcode, once others of it are known: mode %i', (mode) => {
  const patterns = new Patterns();
  const none = new Patterns();
  let n = 0;
  for (const prefix of PREFIXES)
    for (const opcode of OPCODES) {
      patterns.forget();
      for (let k = 0; k < 32; k++) {
        n = (n * 141 + 28411) % 134456;
        const bytes = Uint8Array.of(...prefix, ...opcode, n >> 4, n >> 9, ...TAIL);
        none.forget();
        const [known, fresh] = [one(bytes, mode, patterns), one(bytes, mode, none)];
        if (!isDeepStrictEqual(known, fresh)) expect(known, Buffer.from(bytes).toString('hex')).toEqual(fresh);
      }
    }
});

test('siblings are not asked for', () => {
  const decodeOut = vi.spyOn(iced.Decoder.prototype, 'decodeOut');
  const patterns = new Patterns();
  for (let modrm = 0; modrm < 256; modrm++) one(Uint8Array.of(0x8b, modrm, 0x85, 1, 2, 3, 4), MODES[0]!, patterns);
  expect(decodeOut).toHaveBeenCalledTimes(2);
  for (let modrm = 0; modrm < 256; modrm++) one(Uint8Array.of(0x81, modrm, 0x85, 1, 2, 3, 4, 1, 2, 3, 4), MODES[0]!, patterns);
  expect(decodeOut).toHaveBeenCalledTimes(2 + 16);
  decodeOut.mockRestore();
});

test('what is cut off is not taken for what is known', () => {
  const bytes = Uint8Array.from(Buffer.from('8b84b300100000', 'hex'));
  expect(known.decode(bytes, 0, MODES[0]!).truncated).toBe(false);
  expect(known.decode(bytes.subarray(0, 6), 0, MODES[0]!).truncated).toBe(true);
});

test('more than there is room for makes room', () => {
  const list = new Known<number>();
  for (let n = 0; n < 20_000; n++) {
    const bytes = Uint8Array.of(n & 255, n >> 8, 0x40);
    expect(list.find(bytes, 0)).toBeUndefined();
    list.add(bytes, 0, 3, n);
    expect(list.find(bytes, 0)).toBe(n);
  }
});
