// What the build asked iced-x86 (src/decode/book.ts) is what iced-x86 says, of every opcode, and nobody loads iced-x86 for it.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { expect, test } from 'vitest';
import { readBook } from '../../../src/decode/book.ts';
import { CodeReader, Patterns } from '../../../src/decode/decoder.ts';
import { Mode } from '../../../src/layout/cpu.ts';

const at = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
const books = readBook(readFileSync(at('build/patterns.txt'), 'utf8'));
const mode = Mode.CODE32 | Mode.FLAT;

function one(bytes: Uint8Array, mode: number, patterns: Patterns) {
  const reader = new CodeReader(bytes, mode, patterns);
  const x = reader.at(0, 0x7ffe);
  reader.free();
  return x;
}

const range = (n: number) => Array.from({ length: n }, (_, k) => k);
const OPCODES = [...range(256).map((o) => [o]), ...range(256).map((o) => [0x0f, o]), ...range(16).map((o) => [0x0f, 0x3a, o])];
const PREFIXES = [[], [], [0x66], [0xf3], [0xf2], [0xf0], [0x64], [0x3e], [0x67], [0x66, 0x64], [0x66, 0x66]];

test('it says of any instruction what iced-x86 says, and of one that is cut off', () => {
  const book = books(mode)!;
  const none = new Patterns();
  let found = 0;
  let n = mode;
  const random = () => {
    n = (n * 141 + 28411) % 134456;
    return n >> 5;
  };
  for (const prefix of PREFIXES)
    for (const opcode of OPCODES)
      for (let k = 0; k < 3; k++) {
        const bytes = Uint8Array.of(
          ...prefix,
          ...opcode,
          random(),
          random(),
          random(),
          random(),
          random(),
          random(),
          random(),
          random(),
          0,
          0,
        );
        const patterns = new Patterns(() => book);
        const x = patterns.find(bytes, 0) === undefined ? undefined : one(bytes, mode, patterns);
        none.forget();
        const asked = one(bytes, mode, none);
        if (x === undefined) continue;
        found++;
        if (!isDeepStrictEqual(x, asked)) expect(x, Buffer.from(bytes).toString('hex')).toEqual(asked);
        const part = bytes.subarray(0, 1 + (random() % x.length));
        none.forget();
        expect(one(part, mode, patterns), `${Buffer.from(part).toString('hex')}`).toEqual(one(part, mode, none));
      }
  expect(found).toBeGreaterThan(4000);
});

test('who decodes what programs are made of does not load iced-x86', () => {
  const program = `
    const { createRequire } = await import('node:module');
    const { decode } = await import(${JSON.stringify(new URL('../../../src/decode/decoder.ts', import.meta.url).href)});
    const loaded = () => Object.keys(createRequire(import.meta.url).cache).some((name) => name.includes('iced'));
    const text = (hex) => { const x = decode(Uint8Array.from(Buffer.from(hex, 'hex')), 0x1000, ${Mode.CODE32 | Mode.FLAT}); return [x.form.mnemonic, x.length]; };
    const known = ['55', '89e5', '83ec08', '648b1500000000', 'f3a4', '0fb6c0', 'f00fb10a', 'c3', '0f8400010000', 'd9c0', '8b84'].map(text);
    const before = loaded();
    text('26262626262626900000000000000000');
    console.log(JSON.stringify({ known, before, after: loaded() }));`;
  const { known, before, after } = JSON.parse(
    execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8', cwd: at('.') }),
  );
  expect(known.map(([mnemonic, length]: [string, number]) => `${mnemonic} ${length}`)).toEqual([
    ...['push 1', 'mov 2', 'sub 3', 'mov 7', 'movsb 2', 'movzx 3', 'cmpxchg 4', 'ret 1', 'je 6', 'fld 2', 'invalid 2'],
  ]);
  expect(before).toBe(false);
  expect(after).toBe(true);
});
