// The interpreter's records: one that is copied from its pattern's is what is written of the instruction itself.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { RecordWriter } from '../../../src/cache/records.ts';
import type { SharedMemory } from '../../../src/cpu/state.ts';
import { CodeReader, Patterns } from '../../../src/decode/decoder.ts';
import { Mode } from '../../../src/layout/cpu.ts';
import { Record } from '../../../src/layout/memory.ts';

const { keys } = JSON.parse(readFileSync(new URL('../../../build/handlers.json', import.meta.url), 'utf8')) as { keys: string[] };
const FLAT = Mode.CODE32 | Mode.FLAT;
const CPU = 0x10000;
const WORDS = Record.size / 4;

const range = (n: number) => Array.from({ length: n }, (_, k) => k);
const OPCODES = [...range(256).map((o) => [o]), ...range(256).map((o) => [0x0f, o])];
const PREFIXES = [[], [0x66], [0x67], [0x64]];
const MODRMS = [0x00, 0x04, 0x05, 0x44, 0x86, 0xc0, 0x2e, 0x7e, 0xf9];
/** SIB, displacement and immediates: with the same SIB in the first two, and others. */
const TAILS = [
  [0x05, 0x12, 0x23, 0x34, 0x45, 0x56, 0x67, 0x78],
  [0x05, 0x80, 0xff, 0xfe, 0x9d, 0xfc, 0x8b, 0xfa],
  [0x85, 0xf2, 0xe3, 0xd4, 0xc5, 0xb6, 0xa7, 0x98],
];

/** A writer, and the words of a record that had others before. */
function writer(cpu: number) {
  const i32 = new Int32Array(2 * WORDS);
  const records = new RecordWriter({ i32 } as unknown as SharedMemory, cpu, keys);
  return (write: (records: RecordWriter, at: number) => void) => {
    i32.fill(-1);
    write(records, Record.size);
    expect(i32.subarray(0, WORDS).every((word) => word === -1)).toBe(true);
    return [...i32.subarray(WORDS)];
  };
}

/** Each instruction whose pattern is known, with that and its EIP; of one pattern some, one behind the other. */
function* instructions() {
  const patterns = new Patterns();
  for (const prefix of PREFIXES)
    for (const opcode of OPCODES)
      for (const modrm of MODRMS)
        for (const [k, tail] of TAILS.entries()) {
          const bytes = Uint8Array.of(...prefix, ...opcode, modrm, ...tail);
          const reader = new CodeReader(bytes, FLAT, patterns);
          const eip = 0x7ff8 + 4 * k;
          const x = reader.at(0, eip);
          reader.free();
          const pattern = reader.patternAt(0);
          if (pattern !== undefined) yield { bytes, eip, x, pattern };
        }
}

test('of every opcode, with other numbers and at other places', () => {
  const [copy, itself] = [writer(CPU), writer(CPU)];
  let count = 0;
  for (const { bytes, eip, x, pattern } of instructions()) {
    count++;
    const got = copy((records, at) => records.copy(at, pattern, bytes, 0, eip, FLAT));
    const want = itself((records, at) => records.write(at, x, FLAT));
    if (got.some((word, k) => word !== want[k])) expect(got, Buffer.from(bytes).toString('hex')).toEqual(want);
  }
  expect(count).toBeGreaterThan(20_000);
});

test('of two CPUs in one thread, by turns', () => {
  const cpus = [CPU, 2 * CPU].map((cpu) => ({ copy: writer(cpu), itself: writer(cpu) }));
  const bytes = Uint8Array.of(0x8b, 0x43, 0x08);
  const reader = new CodeReader(bytes, FLAT, new Patterns());
  const x = reader.at(0, 0);
  reader.free();
  const pattern = reader.patternAt(0)!;
  for (const { copy, itself } of [...cpus, ...cpus])
    for (let n = 0; n < 2; n++)
      expect(copy((records, at) => records.copy(at, pattern, bytes, 0, 0, FLAT))).toEqual(
        itself((records, at) => records.write(at, x, FLAT)),
      );
});
