// RAM in the place of ROM below 1 MiB, by the host bridge's PAM registers: a ROM of our own goes through their four settings.
import { expect, it } from 'vitest';
import { Machine, MiB } from '../../../src/api/index.ts';

const SIZE = 0x10000;
/** The byte that is looked at, and code that prints a letter and goes on at BP. */
const [LOOKED_AT, PRINT_LETTER] = [0x8000, 0x9000];
const SHOW = 'a00080 e6e9'; // mov al, [0x8000]; out 0xe9, al

const CODE = [
  '66b858000080 baf80c 66ef bafd0c', // PCI register 0x58 of the host bridge; DX: the port of PAM0
  '8cc8 8ed8 8ec0', // DS and ES: F000
  'c606008077', // mov byte [0x8000], 'w'
  SHOW,
  'b020 ee 31f6 31ff b9ffff f3a4', // writes to RAM, reads from ROM: rep movsb over itself
  'c606008077',
  SHOW,
  'b030 ee', // all from RAM
  SHOW,
  'c606019073 bd4700 e9b98f', // mov byte [0x9001], 's'; mov bp, +0x47; jmp 0x9000
  'b010 ee c606008071', // read-only; mov byte [0x8000], 'q'
  SHOW,
  'b000 ee', // ROM
  SHOW,
  'bd6200 e99e8f', // mov bp, +0x62; jmp 0x9000
  'fa f4',
];

function rom(): Uint8Array {
  const image = Buffer.alloc(SIZE, 0x90);
  const put = (at: number, hex: string) => image.set(Buffer.from(hex.replaceAll(' ', ''), 'hex'), at);
  put(0, CODE.join(''));
  image[LOOKED_AT] = 'r'.charCodeAt(0);
  put(PRINT_LETTER, 'b06e e6e9 ffe5'); // mov al, 'n'; out 0xe9, al; jmp bp
  put(SIZE - 16, 'ea000000f0'); // jmp F000:0000
  return image;
}

it.each(['interpreter', 'jit'] as const)('ROM, write-only, RAM, read-only and ROM again (%s)', async (engine) => {
  const debug: Uint8Array[] = [];
  const machine = await Machine.create({ engine, memoryBytes: 16 * MiB, bios: rom(), onDebugConsole: (bytes) => debug.push(bytes) });
  expect(await machine.run()).toEqual({ kind: 'halted' });
  expect(Buffer.concat(debug).toString()).toBe('rrwswrn');
});
