// What `dragoman disasm` says about a region.
import { expect, it } from 'vitest';
import { locate } from '../../../src/cli/disasm.ts';
import { explain } from '../../../src/cli/explain.ts';
import { bzImage, expectError, multibootCode } from '../loaders/images.ts';
import { ENTRY, kernel } from './programs.ts';

const at = (code: string, bits: 16 | 32 = 32) => explain(locate(kernel(code), 'kernel', { kernel: 'kernel', address: ENTRY, bits }));

it('shows x86, IR and WebAssembly of a loop', () => {
  // mov ecx, 10; again: add eax, ecx; dec ecx; jnz again; ret
  const text = at('b90a000000 01c8 49 75fb c3');
  expect(text).toMatch(/^region at 00100020 \(physical 00100020\), 32-bit: 5 instructions, 3 blocks\n\nx86\n/);
  expect(text).toMatch(/^ {2}01 c8 +add eax, ecx$/m);
  expect(text).toMatch(/^00100025:$/m);
  expect(text).toMatch(/\nIR\n\n[\s\S]* {2}insn 0x100025\S* {2}add eax, ecx\n[\s\S]*\nWebAssembly /);
  expect(text).toMatch(/^\(func \$region [\s\S]*\(loop [\s\S]*\(return_call [\s\S]*\n\)$/m);
});

it('shows 16-bit code', () => {
  expect(at('b80100 c3', 16)).toMatch(/16-bit: 2 instructions[\s\S]*mov ax, 1/);
});

it('says where there is no region', () => {
  expect(at('0f0a')).toMatch(/^00100020: \(bad\)\n.*interpreter/);
});

it.each([
  ['a bzImage', bzImage()],
  ['a multiboot kernel with addresses', multibootCode(256, 3, [0x100000, 0x100000, 0, 0, 0x100020])],
])('refuses addresses outside of the bytes of %s', (_, file) => {
  const find = (address: number) => locate(file, 'kernel', { kernel: 'kernel', address, bits: 32 });
  expect(find(0x100000).physical).toBe(0x100000);
  for (const address of [0, 0xfffff, 0x1000000, 0xc0100000])
    expectError(() => find(address), 'BAD_OPTION', /ADDRESS: 0x[0-9a-f]+ lies outside the kernel's image/);
});
