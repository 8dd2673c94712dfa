// Lifts of integer instructions against recorded vectors, with no engine between: the IR itself is evaluated.
// Cannot prove: lowering, helpers of the runtime (REP forms and system instructions are left out), segments, paging.
import { expect, test } from 'vitest';
import { decode } from '../../../src/decode/decoder.ts';
import type { Code } from '../../../src/ir/operations.ts';
import { Cpu, Eflags, GPR_STRIDE, Gpr, Mode } from '../../../src/layout/cpu.ts';
import { describe } from '../../harness/compare.ts';
import { baseState, CODE, readForms, SCRATCH, SCRATCH_BYTES, type Vector } from '../../harness/vectors.ts';
import { undefinedFlags } from '../../vectors/undefined-flags.ts';
import { Machine } from './evaluate.ts';
import { lift } from './leaves.ts';

const GPRS = Object.keys(Gpr);
const hex = (v: number) => `0x${(v >>> 0).toString(16)}`;

function runVector(code: Code, next: number, target: number | undefined, v: Vector): string | undefined {
  const window = v.in.memory.slice();
  const machine = new Machine({
    // The window lies in two mapped pages; the bytes around it are of no interest.
    read: (at) => (at >= SCRATCH && at < SCRATCH + SCRATCH_BYTES ? window[at - SCRATCH] : at >>> 13 === 0x20000000 >>> 13 ? 0 : undefined),
    write: (at, byte) => {
      if (at >= SCRATCH && at < SCRATCH + SCRATCH_BYTES) window[at - SCRATCH] = byte;
    },
  });
  v.in.gpr.forEach((n, i) => {
    machine.cpu.setUint32(Cpu.at.gpr + i * GPR_STRIDE, n, true);
  });
  machine.cpu.setUint32(Cpu.at.eflags, v.in.eflags & ~Eflags.ARITH, true);
  machine.cpu.setUint32(Cpu.at.stackMask, 0xffffffff, true);
  machine.arith = v.in.eflags;
  const out = machine.run(code);
  if (out.kind === 'fault' || v.fault !== undefined)
    if (out.kind !== 'fault' || out.vector !== v.fault)
      return `fault: expected ${v.fault}, got ${out.kind === 'fault' ? out.vector : 'none'}`;
  for (const [i, name] of GPRS.entries()) {
    const got = machine.cpu.getUint32(Cpu.at.gpr + i * GPR_STRIDE, true);
    if (got !== v.out.gpr[i]) return `${name}: expected ${hex(v.out.gpr[i]!)}, got ${hex(got)}`;
  }
  const info = describe(v.bytes);
  const count = info.count === 'cl' ? v.in.gpr[1]! & 0x1f : info.count;
  const mask = ~(undefinedFlags(info.mnemonic, { count, bits: info.bits }) | 0x10000);
  const flags = machine.arith | machine.cpu.getUint32(Cpu.at.eflags, true);
  if ((flags & mask) !== (v.out.eflags & mask)) return `eflags: expected ${hex(v.out.eflags & mask)}, got ${hex(flags & mask)}`;
  for (let i = 0; i < SCRATCH_BYTES; i++)
    if (window[i] !== v.out.memory[i]) return `memory ${hex(SCRATCH + i)}: expected ${hex(v.out.memory[i]!)}, got ${hex(window[i]!)}`;
  const eip =
    out.kind === 'fault' || out.kind === 'repeat' ? CODE : out.kind === 'jump' ? target! : out.kind === 'indirect' ? out.eip : next;
  if (eip !== v.out.eip) return `eip: expected ${hex(v.out.eip)}, got ${hex(eip)}`;
  return undefined;
}

/** What only the runtime can do: forms that a helper carries out. */
const usesHelper = (code: Code) => code.ops.some((op) => op.kind === 'helper' || op.kind === 'cross');

test('the base state is what these tests take it for', () => {
  expect(baseState().eip).toBe(CODE);
});

for (const file of ['integer.bin.gz', 'string.bin.gz']) {
  test(`lifts give what ${file} recorded`, () => {
    const failures: string[] = [];
    const left: string[] = [];
    let ran = 0;
    for (const form of readForms(file)) {
      const i = decode(form.bytes, CODE, Mode.CODE32 | Mode.FLAT);
      const text = describe(form.bytes).text;
      if (i.spec === undefined) {
        if (form.vectors.some((v) => v.fault === undefined)) failures.push(`${text}: no lift`);
        continue;
      }
      const code = lift(i);
      if (usesHelper(code)) {
        left.push(text);
        continue;
      }
      for (const v of form.vectors) {
        ran++;
        let difference: string | undefined;
        try {
          difference = runVector(code, i.next, i.target, v);
        } catch (error) {
          difference = String(error);
        }
        if (difference !== undefined) failures.push(`${text} [${v.id}] ${difference}`);
      }
    }
    expect(ran).toBeGreaterThan(100);
    if (failures.length > 0)
      throw new Error(`${failures.length} of ${ran} differ (${left.length} forms left out):\n${failures.slice(0, 60).join('\n')}`);
  });
}
