// That access hooks see of each form of each instruction what iced-x86 says that it reads and writes of memory. What its function of the runtime tells by itself while it transfers control
// (test/unit/clients/told-accesses.test.ts) is listed here, and what nobody sees.
import iced from 'iced-x86';
import { expect, it } from 'vitest';
import { enumerateForms, type KnownForm } from '../../../src/emit/interpreter/enumerate.ts';
import { RecordLeaves } from '../../../src/emit/interpreter/handlers.ts';
import { woven } from '../../../src/instrument/hooks.ts';
import { Builder } from '../../../src/ir/builder.ts';
import { Mode } from '../../../src/layout/cpu.ts';
import { Lifter } from '../../../src/lift/lifter.ts';

const { Decoder, DecoderOptions, InstructionInfoFactory, OpAccess } = iced;

type Kinds = 'r' | 'w' | 'rw' | '';

/** They push or pop in the runtime, beside what their code does. */
const TOLD = /^(int|int1|int3|into|iretd?|retf|call (far\d|m6|m4 o16)|sysenter|sysexit)\b/;
/** iced says something else. */
const OTHER: readonly (readonly [RegExp, Kinds])[] = [
  // Here with a nesting of 0, and so without links to read.
  [/^enter\b/, 'rw'],
];

const kindsOf = (reads: boolean, writes: boolean) => `${reads ? 'r' : ''}${writes ? 'w' : ''}` as Kinds;

/** What hooks see of a form. */
function seen({ form, spec }: KnownForm): Kinds {
  const b = new Builder();
  spec.lift(new Lifter(b, form, new RecordLeaves(b, form)));
  let [reads, writes] = [false, false];
  const access = (_b: Builder, at: { readonly reads: boolean; readonly writes: boolean }) => {
    reads ||= at.reads;
    writes ||= at.writes;
  };
  woven(b.code.ops, [{ name: 'seeing', access }], { engine: 'interpreter', level: 'kernel', ramBytes: 0, instruction: () => ({ form }) });
  return kindsOf(reads, writes);
}

/** What iced says of an instruction. */
function said({ code, mode }: KnownForm): Kinds {
  const decoder = new Decoder((mode & Mode.CODE32) !== 0 ? 32 : 16, code, DecoderOptions.None);
  const instruction = decoder.decode();
  const info = new InstructionInfoFactory().info(instruction);
  const accesses = info.usedMemory().map(({ access }) => access);
  const { Read, CondRead, ReadWrite, ReadCondWrite, Write, CondWrite } = OpAccess;
  const kinds = kindsOf(
    accesses.some((one) => [Read, CondRead, ReadWrite, ReadCondWrite].includes(one)),
    accesses.some((one) => [Write, CondWrite, ReadWrite, ReadCondWrite].includes(one)),
  );
  info.free();
  instruction.free();
  decoder.free();
  return kinds;
}

it('of each form', () => {
  const wrong: string[] = [];
  for (const [key, known] of enumerateForms()) {
    if (TOLD.test(key)) continue;
    const other = OTHER.find(([pattern]) => pattern.test(key));
    const [is, should] = [seen(known), other?.[1] ?? said(known)];
    if (is !== should) wrong.push(`${key}: ${is}, not ${should}`);
  }
  expect(wrong).toEqual([]);
}, 60_000);
