// What guards of loops' copies are made of.
import { expect, it } from 'vitest';
import { Emitter } from '../../../src/emit/module.ts';
import { emitRegion } from '../../../src/emit/region/region.ts';
import { Mode } from '../../../src/layout/cpu.ts';
import { PAGE } from '../../../src/layout/memory.ts';
import { runtime } from '../../../src/runtime/abi.ts';
import { growRegion } from '../../../src/translate/grow.ts';

const EIP = 0x1000;
/** DEC ECX, JNZ to the page's start, RET. */
const turn = (code: string) => `${code} 49 75${(0xfd - Buffer.from(code, 'hex').length).toString(16)} c3`.replaceAll(' ', '');

it.each([
  ['MOV [EBX], EAX', '8903', true],
  ['MOV EAX, [EBX]', '8b03', false],
  ['MOV [EBX+ECX*4], EAX', '89048b', false],
])('a module imports what looks beside code where a store stands still: %s', (_name, code, expected) => {
  const page = new Uint8Array(PAGE);
  page.set(Buffer.from(turn(code), 'hex'));
  const e = new Emitter();
  const region = growRegion(page, EIP, EIP, Mode.CODE32 | Mode.FLAT)!;
  emitRegion(e, 'code', region, (_phys, eip) => eip);
  const imports = WebAssembly.Module.imports(new WebAssembly.Module(e.finish() as Uint8Array<ArrayBuffer>));
  expect(region.loopHeads.size).toBe(1);
  expect(imports.some(({ name }) => name === runtime.hostBesideCode.name)).toBe(expected);
});
