// Instructions, lifts and handlers are the same set: each instruction of iced-x86's table that CPUID announces has a lift, each lift a handler. That any other
// encoding is #UD is tested in encodings.test.ts.
import { readFileSync } from 'node:fs';
import iced from 'iced-x86';
import { expect, test } from 'vitest';
import { isAnnounced } from '../../../src/decode/asked.ts';
import { announcedOpcodes } from '../../../src/decode/opcodes.ts';
import { LIFTS } from '../../../src/lift/index.ts';

const { keys } = JSON.parse(readFileSync(new URL('../../../build/handlers.json', import.meta.url), 'utf8')) as { keys: string[] };
const handled = new Set(keys.map((key) => key.split(' ')[0]!));

const names: string[] = [];
for (const [name, value] of Object.entries(iced.Mnemonic)) if (typeof value === 'number') names[value] = name.toLowerCase();

/** Hints are reserved NOPs to the decoder, whatever later processors call them. */
const HINTS = /^(prefetch(nta|t[012])|reservednop)$/;

test('each lift has a handler', () => {
  expect([...LIFTS.keys()].filter((mnemonic) => !handled.has(mnemonic))).toEqual([]);
});

test('each instruction that CPUID announces has a lift, and so a handler', () => {
  const opcodes = announcedOpcodes();
  const mnemonics = new Set<string>();
  for (const code of new Set(opcodes.flatMap(({ codes }) => codes))) {
    const op = iced.CodeExt.opCode(code);
    mnemonics.add(names[op.mnemonic]!);
    op.free();
  }
  expect([...mnemonics].filter((mnemonic) => !(LIFTS.has(mnemonic) && handled.has(mnemonic)) && !HINTS.test(mnemonic))).toEqual([]);
  expect(mnemonics.size).toBeGreaterThan(400);
});

test('each opcode but prefixes is some instruction', () => {
  const all = new Set(announcedOpcodes().map(({ bytes }) => Buffer.from(bytes).toString('hex')));
  const oneByte = Array.from({ length: 256 }, (_, opcode) => opcode.toString(16).padStart(2, '0'));
  expect(oneByte.filter((opcode) => !all.has(opcode)).join(' ')).toBe('0f 26 2e 36 3e 64 65 66 67 f0 f2 f3');
});

test('a number of the table is announced where all of its features are', () => {
  expect(isAnnounced(iced.Code.Addps_xmm_xmmm128)).toBe(true);
  expect(isAnnounced(iced.Code.VEX_Vaddps_xmm_xmm_xmmm128)).toBe(false);
  expect(isAnnounced(iced.Code.INVALID)).toBe(false);
});
