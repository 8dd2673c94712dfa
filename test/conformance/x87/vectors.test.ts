// The x87 against recordings of a real one: test/vectors/data/x87.gz, made by test/vectors/gen/x87.c.
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { loadRuntime, openFpu } from './immediate.ts';
import { TOLERANCES, tolerated } from './tolerance.ts';
import { describe, INSTRUCTIONS, RECORD, runRecord } from './vectors.ts';

const data = gunzipSync(readFileSync(new URL('../../vectors/data/x87.gz', import.meta.url)));
const view = new DataView(data.buffer, data.byteOffset, data.length);
const records = new Map<string, number[]>();
for (let at = 0; at < data.length; at += RECORD) {
  const name = INSTRUCTIONS[view.getUint16(at, true)]!;
  records.set(name, [...(records.get(name) ?? []), at]);
}
const fpu = openFpu(loadRuntime());

test('every instruction was recorded', () => {
  expect([...records.keys()].sort()).toEqual([...INSTRUCTIONS].sort());
});

test.each(INSTRUCTIONS)('%s', (name) => {
  const failures: string[] = [];
  for (const at of records.get(name)!) {
    const differences = runRecord(fpu, view, at).filter((d) => !tolerated(name, d));
    if (differences.length)
      failures.push(`${describe(view, at)}\n${differences.map((d) => `  ${d.field}: recorded ${d.expected}, is ${d.actual}`).join('\n')}`);
  }
  if (failures.length)
    throw new Error(`${failures.length} of ${records.get(name)!.length} records differ:\n${failures.slice(0, 8).join('\n')}`);
});

test('tolerances are for instructions that exist', () => {
  const mnemonics = new Set(INSTRUCTIONS.map((i) => i.split(' ')[0]!));
  for (const name of Object.keys(TOLERANCES)) expect(mnemonics).toContain(name);
});
