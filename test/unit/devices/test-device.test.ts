// The test device: what kvm-unit-tests ask of QEMU's pc-testdev.
import { expect, it } from 'vitest';
import { Machine, MiB } from '../../../src/api/index.ts';
import { kernel } from '../machine/programs.ts';
import { bench, initPic } from './harness.ts';

const MEMORY = 0xff000000;

it('has a latch of 32 bits, whole and by its parts', () => {
  const b = bench(1, { testDevice: true });
  b.out(0xe0, 0x12345678, 4);
  expect([b.in(0xe0, 4), b.in(0xe0, 2), b.in(0xe2, 2), b.in(0xe1), b.in(0xe3)]).toEqual([0x12345678, 0x5678, 0x1234, 0x56, 0x12]);
  b.out(0xe2, 0xabcd, 2);
  b.out(0xe1, 0xee);
  expect([b.in(0xe0, 4), b.in(0xe8, 4), b.in(0xea)]).toEqual([0xabcdee78, 0xabcdee78, 0xcd]);
  b.out(0xe8, 0x11223344, 4);
  expect(b.attach().portIn(0, 0xe0, 4)).toBe(0x11223344);
  b.out(0xe4, 0x1000, 4);
  expect([b.in(0xe4), b.in(0xe0, 4)]).toEqual([0, 0x11223344]);
});

it('drives interrupt lines, PCI lines too', () => {
  const b = bench(1, { testDevice: true });
  initPic(b, 0x20);
  b.out(0x2005, 1);
  expect([b.pc.interruptAck(0), b.pc.interruptAck(0)]).toEqual([0x35, -1]);
  b.out(0x20, 0x20);
  b.out(0x2005, 1);
  expect(b.pc.interruptAck(0)).toBe(-1);
  b.out(0x2005, 0);
  b.out(0x2005, 0xff);
  expect(b.pc.interruptAck(0)).toBe(0x35);
  // Local APIC on; input 20 of the I/O APIC is vector 44H.
  b.write(0xfee000f0, 0x1ff);
  b.write(0xfec00000, 0x10 + 2 * 20);
  b.write(0xfec00010, 0x44);
  b.out(0x2014, 1);
  expect(b.pc.interruptAck(0)).toBe(0x44);
});

it('has 64 KiB of memory that is a device', () => {
  const b = bench(1, { testDevice: true });
  b.write(MEMORY, 0x04030201);
  b.pc.mmioWrite(0, MEMORY + 0xfffe, 2, 0xbeef);
  expect([b.read(MEMORY), b.pc.mmioRead(0, MEMORY + 2, 2), b.pc.mmioRead(0, MEMORY + 0xffff, 1)]).toEqual([0x04030201, 0x0403, 0xbe]);
  expect(b.read(MEMORY + 0x10000)).toBe(0xffffffff);
});

it('is not there unless somebody asked for it', () => {
  const b = bench();
  b.out(0xe0, 0, 4);
  b.write(MEMORY, 0);
  expect([b.in(0xe0, 4), b.read(MEMORY)]).toEqual([0xffffffff, 0xffffffff]);
});

it('leaves the debug console its port, and there is room for it beside all other devices', async () => {
  // mov dword [0xff000000], 'hi'; mov esi, 0xff000000; mov ecx, 2; mov dx, 0xe9; rep outsb; mov al, 0x61; out 0xe8, al; in al, 0xe0; out 0xe9, al; cli; hlt
  const code = 'c705000000ff68690000 be000000ff b902000000 66bae900 f36e b061 e6e8 e4e0 e6e9 fa f4';
  const said: Uint8Array[] = [];
  const machine = await Machine.create({
    kernel: kernel(code),
    memoryBytes: 16 * MiB,
    cpus: 64,
    testDevice: true,
    engine: 'interpreter',
    lockstep: { paced: false },
    net: { onFrame: () => {} },
    onVirtioConsole: () => {},
    onDebugConsole: (bytes) => said.push(bytes),
  });
  expect(await machine.run()).toEqual({ kind: 'halted' });
  expect(Buffer.concat(said).toString()).toBe('hia');
});
