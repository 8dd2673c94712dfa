// Names of a kernel's code, as System.map and /proc/kallsyms have them.
import { expect, it } from 'vitest';
import { codeName, readSymbols, symbolAt } from '../../../src/machine/report/symbols.ts';

const TEXT = `c1000000 T startup_32
c1000000 T _stext
c1000040 t local_one
c1000060 D some_data
c1000080 W weak_one
c1000100 t of_a_module\t[virtio_net]
not a line
`;
const { code: symbols, data } = readSymbols(TEXT, 'symbols');

it.each([
  [0xc0ffffff, undefined],
  [0xc1000000, '_stext'],
  [0xc100003f, '_stext+0x3f'],
  [0xc1000040, 'local_one'],
  [0xc1000060, 'local_one+0x20'],
  [0xc1000080, 'weak_one'],
  [0xc1000101, 'of_a_module+0x1'],
  [0xc11000ff, 'of_a_module+0xfffff'],
  [0xc1100100, undefined],
] as const)('%#x', (address, name) => {
  expect(symbolAt(symbols, address)).toBe(name);
});

it('data has its names, too', () => {
  expect(symbolAt(data, 0xc1000064)).toBe('some_data+0x4');
});

it('code without a symbol has its EIP as a name', () => {
  expect(codeName(0x8049000, symbols)).toBe('x86:0x8049000');
  expect(codeName(0xc1000040, undefined)).toBe('x86:0xc1000040');
});

it.each(['', 'no symbols', 'c1000000 D only_data', '00000000 T hidden\n00000000 t from_us'])('refuses %j', (text) => {
  expect(() => readSymbols(text, 'symbols')).toThrow(expect.objectContaining({ code: 'BAD_OPTION', where: 'symbols' }));
});
