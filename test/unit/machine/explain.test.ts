// What `dragoman disasm` says about a region.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { DragomanError } from '../../../src/api/errors.ts';
import { parseCommand } from '../../../src/cli/arguments.ts';
import { disasm, locate } from '../../../src/cli/disasm.ts';
import { explain, listing } from '../../../src/cli/explain.ts';
import { withSymbols } from '../inspect/elf-file.ts';
import { bzImage, expectError, multibootCode } from '../loaders/images.ts';
import { ENTRY, kernel } from './programs.ts';

const hexOf = (n: number) => `0x${n.toString(16)}`;
const at = (code: string, bits: 16 | 32 = 32) => explain(locate(kernel(code), 'kernel', { address: ENTRY, bits }));

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
  const find = (address: number) => locate(file, 'kernel', { address, bits: 32 });
  expect(find(0x100000).physical).toBe(0x100000);
  for (const address of [0, 0xfffff, 0x1000000, 0xc0100000])
    expectError(() => find(address), 'BAD_OPTION', /ADDRESS: 0x[0-9a-f]+ lies outside the kernel's image/);
});

describe('by name', () => {
  const folder = mkdtempSync(join(tmpdir(), 'dragoman-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const write = (name: string, bytes: Uint8Array) => {
    writeFileSync(join(folder, name), bytes);
    return join(folder, name);
  };
  // first: nop; call second; ret; second: inc eax; ret; then data
  const plain = kernel('90 e801000000 c3 40 c3 deadbeef');
  const symbols = [
    { name: 'first', value: ENTRY, type: 2, section: 1 },
    { name: 'second', value: ENTRY + 7, type: 2, section: 1 },
    { name: 'table', value: ENTRY + 9, type: 1, section: 2 },
    { name: 'last', value: ENTRY + 9, type: 2, section: 1 },
    { name: 'far_away', value: 0xd0000000, type: 2, section: 1 },
  ];
  const named = write('named', withSymbols(plain, symbols));
  const bare = write('bare', plain);
  const image = write('bzImage', bzImage());
  const show = (...args: string[]) => {
    const command = parseCommand(['disasm', ...args]);
    if (command.name !== 'disasm') throw new Error('another command');
    return disasm(command.arguments, { region: explain, listing });
  };

  it('shows a region, as by its address', async () => {
    const region = await show(named, hexOf(ENTRY + 7));
    expect(region).toMatch(/^region at 00100027 [\s\S]*inc eax/);
    expect(await show(named, 'second')).toBe(region);
    expect(await show(named, '--at', 'second')).toBe(region);
    expect(await show(named, '--at', hexOf(ENTRY + 7))).toBe(region);
  });

  it('shows the instructions of functions and of stretches', async () => {
    const second =
      '00100027 <second>:\n  00100027  40                             inc eax\n  00100028  c3                             ret\n';
    expect(await show(named, '--at', 'second-second')).toBe(second);
    expect(await show(named, '--at', 'first-second')).toBe(
      `00100020 <first>:\n  00100020  90                             nop\n` +
        `  00100021  e8 01 00 00 00                 call 0x00100027 <second>\n  00100026  c3                             ret\n${second}`,
    );
    expect(await show(bare, '--at', '0x100026-0x100027')).toBe(
      '  00100026  c3                             ret\n  00100027  40                             inc eax\n',
    );
    expect(await show(named, '--at', 'second-0x100027', '--16')).toMatch(/inc ax\n$/);
    // It goes as far as the image does.
    expect(await show(named, '--at', 'last-last')).toMatch(/^00100029 <last>:\n {2}00100029 {2}de ad be ef[\s\S]*\n {2}00100ff[de] .*\n$/);
  });

  it.each([
    [[named, '--at', 'secnod'], "secnod: the kernel has no name 'secnod'; is 'second' meant?"],
    [[bare, 'second'], 'second: no name is known: '],
    [[image, '--at', 'second'], 'second: no name is known: no ELF file, which alone can have a symbol table'],
    [[named, '--at', 'c0100000'], "--at: 'c0100000' is neither an address nor a name; is 0xc0100000 meant?"],
    [[named, '100020h'], "ADDRESS: '100020h' is neither an address such as 0x100000 nor a name"],
    [[named, 'fade'], "fade: the kernel has no name 'fade'; is 0xfade meant?"],
    [[named, '100020'], "ADDRESS: 0x186b4 lies outside the kernel's image; 100020 is decimal: is 0x100020 meant?"],
    [[named, '--at', 'second-first'], "ADDRESS: 'first' lies before 'second'"],
    [[named, '--at', 'first-far_away'], 'ADDRESS: 3488612321 bytes are too many: at most 262144'],
    [[named, '--at', '0x100020-0x102000'], "ADDRESS: 0x102000 lies outside the kernel's image"],
    [[named, '--at', 'a-b-c'], "--at: 'a-b-c' is not an address, a name, or two of them as in A-B"],
    [[named, '0x100020', '--at', 'first'], 'disasm takes KERNEL and --at, not 2 arguments'],
    [[named], 'disasm takes KERNEL and ADDRESS, not 1 arguments'],
  ])('refuses %j', async (args, message) => {
    const error = await Promise.resolve()
      .then(() => show(...args))
      .then(
        () => undefined,
        (thrown: unknown) => thrown as DragomanError,
      );
    expect([error?.code, error?.message.slice(0, message.length)]).toEqual(['BAD_OPTION', message]);
  });
});
