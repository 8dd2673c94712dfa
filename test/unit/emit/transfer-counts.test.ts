// Where the client prof counts, and that nothing of it is in code that nobody asked to count.
import { expect, it } from 'vitest';
import { enumerateForms } from '../../../src/emit/interpreter/enumerate.ts';
import { emitHandlers } from '../../../src/emit/interpreter/handlers.ts';
import { Emitter } from '../../../src/emit/module.ts';
import { emitRegion, type RegionDemands } from '../../../src/emit/region/region.ts';
import { counting, prof } from '../../../src/instrument/index.ts';
import { Cpu, Mode } from '../../../src/layout/cpu.ts';
import { CpuArea, PAGE } from '../../../src/layout/memory.ts';
import { PROF_LEVELS, ProfCounts } from '../../../src/layout/prof.ts';
import { growRegion } from '../../../src/translate/grow.ts';

const EIP = 0x1100;
const KERNEL = Mode.CODE32 | Mode.FLAT;
/** Each way out of a region: CALL to another page, CALL EAX, INT 80H, CLI, REP MOVSB, MOV [EAX], ECX, JNZ back, JMP EAX, RET. */
const WAYS = ['e8fb2e0000 c3', 'ffd0 c3', 'cd80', 'fa c3', 'f3a4 c3', '8908 75fc c3', 'ffe0', 'e801000000 c3 40 c3'];

function region(code: string, mode: number, demands: RegionDemands): { readonly bytes: Uint8Array; readonly text: string } {
  const page = new Uint8Array(PAGE);
  page.set(Buffer.from(code.replaceAll(' ', ''), 'hex'), EIP & (PAGE - 1));
  const make = (texts: boolean) => {
    const e = new Emitter({ texts });
    emitRegion(e, 'code', growRegion(page, EIP, EIP, mode)!, (_phys, eip) => eip, demands);
    return e;
  };
  return { bytes: make(false).finish(), text: make(true).text('code') };
}

/** Offsets of memory accesses in the text of a function. */
const offsets = (text: string): number[] => [...text.matchAll(/offset=(\d+)/g)].map(([, offset]) => Number(offset));
const isCount = (offset: number) => offset >= CpuArea.at.prof && offset < CpuArea.at.prof + PROF_LEVELS * ProfCounts.size;
const counts = (text: string) => offsets(text).filter((offset) => isCount(offset) || offset === Cpu.at.profWhy);

it.each(WAYS)('a region of %s counts where somebody asked, and is else as it is', (code) => {
  for (const mode of [KERNEL, KERNEL | Mode.USER]) {
    const plain = region(code, mode, {});
    expect(offsets(plain.text).length).toBeGreaterThan(0);
    expect(counts(plain.text)).toEqual([]);
    // Whoever asks for something else gets nothing of it either, and nobody's code is another one for having no instruments.
    expect(counts(region(code, mode, { instruments: [counting] }).text)).toEqual([]);
    expect(Buffer.compare(region(code, mode, { instruments: [] }).bytes, plain.bytes)).toBe(0);
    const counted = counts(region(code, mode, { instruments: [prof] }).text).filter(isCount);
    expect(counted.length).toBeGreaterThan(2);
    // All of its own level.
    const levels = new Set(counted.map((offset) => Math.floor((offset - CpuArea.at.prof) / ProfCounts.size)));
    expect([...levels]).toEqual([mode & Mode.USER ? 1 : 0]);
  }
});

it('handlers have nothing of it but where they are to count', () => {
  const forms = new Map([...enumerateForms()].filter(([key]) => /^(ret|jmp|call|iretd|mov r4 r4)\b/.test(key)));
  expect(forms.size).toBeGreaterThan(5);
  const constants = (bytes: Uint8Array) => Buffer.from(bytes).includes(leb(Cpu.at.profWhy));
  expect(constants(emitHandlers(forms).bytes)).toBe(false);
  expect(constants(emitHandlers(forms, { instruments: [prof] }).bytes)).toBe(true);
});

/** The offset of an i32.load or i32.store of 4 bytes, as it is encoded behind its alignment. */
function leb(n: number): Buffer {
  const bytes = [2];
  for (let rest = n; ; rest >>>= 7) {
    bytes.push(rest > 0x7f ? (rest & 0x7f) | 0x80 : rest);
    if (rest <= 0x7f) return Buffer.from(bytes);
  }
}
