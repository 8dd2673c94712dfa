// What becomes part of a region: callees of its own page and of others, how deep, how many, and what is asked before code of another page is gone on with.
import { expect, it } from 'vitest';
import { printBlock } from '../../../src/ir/blocks.ts';
import { Mode } from '../../../src/layout/cpu.ts';
import { PAGE } from '../../../src/layout/memory.ts';
import { growRegion, type Region } from '../../../src/translate/grow.ts';
import { liftRegion } from '../../../src/translate/lift.ts';
import { printRegion } from '../../../src/translate/text.ts';

const MODE = Mode.CODE32 | Mode.FLAT;
const START = 0xc1200000;
const NOP = 0x90;

/** Pages of code by their distance from the one at START, which has the entry at its first byte. */
function grown(code: Readonly<Record<number, string>>, mode = MODE, waits = true): Region {
  const pages = new Map<number, Uint8Array>();
  for (const [at, text] of Object.entries(code)) {
    const offset = Number(at);
    const by = offset & -PAGE;
    if (!pages.has(by)) pages.set(by, new Uint8Array(PAGE).fill(NOP));
    pages.get(by)!.set(Buffer.from(text.replaceAll(' ', ''), 'hex'), offset - by);
  }
  return growRegion(pages.get(0)!, START, 0x1200000, mode, (by) => pages.get(by), waits)!;
}
/** E8 or E9 at an offset to another one. */
function relative(opcode: number, at: number, to: number): string {
  const bytes = Buffer.alloc(5);
  bytes[0] = opcode;
  bytes.writeInt32LE(to - at - 5, 1);
  return bytes.toString('hex');
}
const call = (at: number, to: number) => relative(0xe8, at, to);
const jump = (at: number, to: number) => relative(0xe9, at, to);
const blocks = (region: Region) => [...region.blocks.keys()].map(printBlock).sort();
const RET = 'c3';
const INC = '40';

it('a callee of another page is part of its caller, behind a question whether the page is where it was', () => {
  const region = grown({ 0: `${call(0, 0x3000)} ${INC} ${RET}`, 12288: `${INC} ${RET}` });
  expect(blocks(region)).toEqual(['0xc1200000', '0xc1200005', '0xc1203000@1']);
  const text = printRegion(liftRegion(region));
  expect(text).toContain('ldstate32 codeFrom');
  expect(text).toMatch(/branch likely if %?\w+ to 0xc1203000@1, else 0xc1203000\n/);
  expect(text).toMatch(/ret %?\w+ to 0xc1200005/);
});

it('nothing is asked for a callee of the same page', () => {
  const text = printRegion(liftRegion(grown({ 0: `${call(0, 0x300)} ${INC} ${RET}`, 768: `${INC} ${RET}` })));
  expect(text).toContain('jump 0xc1200300@1');
  expect(text).not.toContain('branch');
});

it('callees of callees come along, three deep; back on the first page nothing is asked', () => {
  const region = grown({
    0: `${call(0, 0x1000)} ${RET}`,
    4096: `${call(0x1000, 0x100)} ${RET}`,
    256: `${call(0x100, 0x2000)} ${RET}`,
    8192: `${call(0x2000, 0x3000)} ${RET}`,
    12288: RET,
  });
  const copies = blocks(region).filter((id) => id.includes('@'));
  expect(copies).toEqual(['0xc1200100@2', '0xc1200105@2', '0xc1201000@1', '0xc1201005@1', '0xc1202000@3', '0xc1202005@3']);
  expect([...region.blocks.values()].filter(({ calleePage }) => calleePage !== undefined).map(({ eip }) => eip.toString(16))).toEqual([
    'c1200000',
    'c1200100',
  ]);
});

it('a jump out of a callee and an indirect one are calls that come back to its caller', () => {
  const text = printRegion(
    liftRegion(grown({ 0: `${call(0, 0x1000)} ${call(5, 0x1100)} ${RET}`, 4096: jump(0x1000, 0x9000), 4352: 'ffe0' })),
  );
  expect(text).toMatch(/call 0xc1209000, back 0xc1200005\n.*jump 0xc1200005/);
  expect(text).toMatch(/callIndirect %?\w+, back 0xc120000a\n.*jump 0xc120000a/);
});

it.each([
  ['has too many instructions', { 4096: `${INC.repeat(30)} ${RET}` }],
  ['goes over the end of its page', { 8176: `${NOP.toString(16).repeat(16)}` }],
  ['would be a lot of code', { 4096: `60 61 ${RET}` }],
  ['asks where it is', { 4096: `e800000000 58 ${RET}` }],
  ['returns from an interrupt', { 4096: 'cf' }],
  ['is on no page that may be looked at', {}],
])('a callee is called that %s', (_name, callees) => {
  const to = Number(Object.keys(callees)[0] ?? 0x1000);
  expect(blocks(grown({ 0: `${call(0, to)} ${RET}`, ...callees }))).toEqual(['0xc1200000', '0xc1200005']);
});

it('so many callees that a region stays small', () => {
  const small = `${INC.repeat(12)} ${RET}`;
  const region = grown({ 0: `${Array.from({ length: 20 }, (_, k) => call(k * 5, 0x1000)).join('')} ${RET}`, 4096: small });
  expect(region.instructionCount).toBeLessThanOrEqual(130);
  const copies = blocks(region).filter((id) => id.includes('@'));
  expect(copies.length).toBeGreaterThan(3);
  expect(copies.length).toBeLessThan(10);
});

it('code that is not flat calls', () => {
  expect(blocks(grown({ 0: `${call(0, 0x1000)} ${RET}`, 4096: RET }, Mode.CODE32)).filter((id) => id.includes('@'))).toEqual([]);
});

it('without waiting a region ends at each call, and what is behind it is no part of it', () => {
  const region = grown({ 0: `${call(0, 0x300)} ${INC} ${RET}`, 768: `${INC} ${RET}` }, MODE, false);
  expect(blocks(region)).toEqual(['0xc1200000']);
  expect(printRegion(liftRegion(region))).toMatch(/store32 .*\n\s*set esp.*\n\s*exit 0xc1200300/);
  // An indirect one is a jump as well, also where something else leads behind it: jz to 0xc1200004; call eax.
  const other = grown({ 0: `7402 ffd0 ${INC} ${RET}` }, MODE, false);
  expect(blocks(other)).toEqual(['0xc1200000', '0xc1200002', '0xc1200004']);
  expect(printRegion(liftRegion(other))).not.toContain('callIndirect');
});

it('goes over the end of its page, behind a question whether the next one is where it was', () => {
  // inc eax .. at the end of the page: 05 00 01 | 00 01 (add eax, 1000100H); inc eax; ret
  const region = grown({ 0: jump(0, 0xff0), 4080: `${INC.repeat(13)} 050001`, 4096: `0001 ${INC} ${RET}` });
  expect(blocks(region)).toEqual(['0xc1200000', '0xc1200ff0', '0xc1200ffd', '0xc1201002']);
  const text = printRegion(liftRegion(region));
  expect(text).toMatch(/jump 0xc1200ffd@512\n/);
  expect(text).toMatch(/0xc1200ffd@512:\n.*ldstate32 codeFrom(?:.|\n)*branch likely if %?\w+ to 0xc1200ffd, else 0xc1200ffd@513\n/);
  expect(text).toMatch(/jump 0xc1201002\n/);
});

it('asks on each way to a page beside its own from another one, and on no way back', () => {
  // jz to the next page, and back from there: 0: 74.. is too near, so 0F 84
  const jz = (at: number, to: number) => `0f84${relative(0, at + 1, to).slice(2)}`;
  const region = grown({ 0: `${jz(0, 0x1000)} ${INC} ${RET}`, 4096: `${INC} ${jz(0x1001, 0x1000)} ${jump(0x1007, 6)}` });
  const text = printRegion(liftRegion(region));
  expect(blocks(region)).toEqual(['0xc1200000', '0xc1200006', '0xc1201000', '0xc1201007']);
  expect(text).toMatch(/branch if .* to 0xc1201000@512, else 0xc1200006\n/);
  expect(text).toMatch(/branch if .* to 0xc1201000, else 0xc1201007\n/);
  expect(text).toMatch(/jump 0xc1200006\n/);
});

it("asks for the page of a return point that is behind the end of the call's", () => {
  const region = grown({
    0: jump(0, 0xff0),
    4080: `${INC.repeat(11)} ${call(0xffb, 0x2000)}`,
    4096: `${INC} ${RET}`,
    8192: `${INC} ${RET}`,
  });
  const text = printRegion(liftRegion(region));
  expect(text).toMatch(/ret %?\w+ to 0xc1201000@512\n/);
});

it.each([
  ['two pages on', { 0: jump(0, 0x2000), 8192: RET }],
  ['that may not be looked at', { 0: jump(0, 0x1000) }],
])('does not go on to a page %s', (_name, code) => {
  expect(blocks(grown(code))).toEqual(['0xc1200000']);
});

it('without waiting a region ends with its page', () => {
  expect(blocks(grown({ 0: jump(0, 0xfff), 4095: INC, 4096: RET }, MODE, false))).toEqual(['0xc1200000', '0xc1200fff']);
});

it('has no region where the first instruction goes over the end', () => {
  const page = new Uint8Array(PAGE).fill(NOP);
  page.set([0x05, 0, 1], PAGE - 3);
  const next = new Uint8Array(PAGE);
  expect(growRegion(page, START + PAGE - 3, 0x1200000 + PAGE - 3, MODE, (by) => (by === PAGE ? next : undefined))).toBeUndefined();
});
