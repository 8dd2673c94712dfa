// The I/O APIC (82093AA data sheet, 3.0 to 3.2; the EOI register and version 0x20 are those of later chips, ICH2 and on).
import type { Bench } from '../harness.ts';
import type { Register } from './register.ts';

export const IOAPIC = 0xfec00000;
const ALL = 0xffffffff;

type Kinds = Pick<Register, 'reset' | 'rw' | 'ro' | 'wo' | 'reserved' | 'effect' | 'firmware' | 'avoid'>;

/** A register behind IOREGSEL and IOWIN. */
const register = (index: number, name: string, source: string, kinds: Kinds): Register => ({
  name,
  source,
  width: 32,
  read: (b: Bench) => {
    b.write(IOAPIC, index);
    return b.read(IOAPIC + 0x10);
  },
  write: (b: Bench, value: number) => {
    b.write(IOAPIC, index);
    b.write(IOAPIC + 0x10, value);
  },
  ...kinds,
});

export const IOAPIC_REGISTERS: readonly Register[] = [
  {
    name: 'IOREGSEL',
    source: '3.1.1',
    width: 32,
    reset: 0,
    rw: 0xff,
    reserved: 0xffffff00,
    read: (b) => b.read(IOAPIC),
    write: (b, value) => b.write(IOAPIC, value),
  },
  register(0, 'IOAPICID', '3.2.1', {
    reset: 0x02000000,
    firmware: 'the first number that is no CPU',
    rw: 0x0f000000,
    reserved: 0xf0ffffff,
    effect: 'loads IOAPICARB',
  }),
  register(1, 'IOAPICVER', '3.2.2', { reset: 0x00170020, ro: 0x00ff00ff, reserved: 0xff00ff00 }),
  register(2, 'IOAPICARB', '3.2.3', { reset: 0x02000000, firmware: 'loaded with the ID', ro: 0x0f000000, reserved: 0xf0ffffff }),
  ...[3, 0x0f, 0x40, 0xff].map((index) => register(index, `no register (${index})`, '3.0', { reset: 0, reserved: ALL })),
  ...Array.from({ length: 24 }, (_, n) => [
    register(0x10 + 2 * n, `IOREDTBL${n}, low`, '3.2.4', {
      reset: 0x10000,
      rw: 0x1afff,
      // Delivery status, and the remote IRR of a level-triggered input that nobody has ended.
      ro: 0x5000,
      reserved: 0xfffe0000,
      effect: 'a level that is unmasked is delivered, an edge is not; edge clears the remote IRR',
    }),
    register(0x11 + 2 * n, `IOREDTBL${n}, high`, '3.2.4', { reset: 0, rw: 0xff000000, reserved: 0x00ffffff }),
  ]).flat(),
  {
    name: 'EOI',
    source: 'ICH2, 8.5.6',
    width: 32,
    reset: 0,
    wo: 0xff,
    reserved: 0xffffff00,
    effect: 'clears the remote IRR of inputs with the vector',
    read: (b) => b.read(IOAPIC + 0x40),
    write: (b, value) => b.write(IOAPIC + 0x40, value),
  },
];
