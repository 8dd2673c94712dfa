// The local APIC in xAPIC mode (SDM vol. 3, chapter 11, table 11-1). Values at reset are those of a CPU that no firmware has set up: the second one's.
import type { Bench } from '../harness.ts';
import type { Register } from './register.ts';

export const LAPIC = 0xfee00000;

type Kinds = Pick<Register, 'reset' | 'rw' | 'ro' | 'wo' | 'reserved' | 'effect' | 'avoid'>;

const register = (offset: number, name: string, source: string, kinds: Kinds): Register => ({
  name,
  source,
  width: 32,
  read: (b: Bench) => b.read(LAPIC + offset),
  readReset: (b: Bench) => b.read(LAPIC + offset, 1),
  write: (b: Bench, value: number) => b.write(LAPIC + offset, value),
  ...kinds,
});

const ALL = 0xffffffff;
const lvt = (offset: number, name: string, rw: number, ro: number, effect?: string): Register =>
  register(offset, name, '11.5.1, figure 11-8', { reset: 0x10000, rw, ro, reserved: (ALL & ~rw & ~ro) >>> 0, effect });
const bitmap = (base: number, name: string): Register[] =>
  Array.from({ length: 8 }, (_, n) => register(base + 16 * n, `${name} bits ${32 * n} to ${32 * n + 31}`, '11.8.4', { reset: 0, ro: ALL }));

export const LAPIC_REGISTERS: readonly Register[] = [
  {
    ...register(0x20, 'ID', '11.4.6', { reset: 0x01000000, rw: 0xff000000, reserved: 0x00ffffff }),
    // Each CPU has another.
    readReset: (b) => b.read(LAPIC + 0x20, 1),
  },
  register(0x30, 'version', '11.4.8', { reset: 0x50014, ro: 0x00ff00ff, reserved: 0xff00ff00 }),
  register(0x80, 'TPR', '11.8.3.1', { reset: 0, rw: 0xff, reserved: 0xffffff00, effect: 'holds back what is not higher' }),
  register(0x90, 'APR', '11.6.2.4', { reset: 0, ro: 0xff, reserved: 0xffffff00 }),
  // Follows the TPR here, as nothing is in service: it is not written by a write of its own.
  register(0xa0, 'PPR', '11.8.3.1', { reset: 0, ro: 0xff, reserved: 0xffffff00 }),
  register(0xb0, 'EOI', '11.8.5', {
    reset: 0,
    wo: ALL,
    effect: 'ends what is in service; the TMR stays; a level-triggered one is ended at the I/O APIC',
  }),
  register(0xc0, 'remote read', '11.4.1, table 11-1', { reset: 0, ro: ALL }),
  register(0xd0, 'LDR', '11.6.2.2', { reset: 0, rw: 0xff000000, reserved: 0x00ffffff }),
  register(0xe0, 'DFR', '11.6.2.2', { reset: ALL, rw: 0xf0000000, reserved: 0x0fffffff }),
  register(0xf0, 'SVR', '11.9', {
    reset: 0xff,
    // Focus checking; no suppression of EOI broadcasts (version, bit 24).
    rw: 0x3ff,
    reserved: 0xfffffc00,
    effect: 'bit 8 clear: masks the LVT, accepts nothing more; what was accepted goes on',
  }),
  ...bitmap(0x100, 'ISR'),
  ...bitmap(0x180, 'TMR'),
  ...bitmap(0x200, 'IRR'),
  register(0x280, 'ESR', '11.5.3', {
    reset: 0,
    wo: 0xff,
    reserved: 0xffffff00,
    effect: 'a write shows what was collected, and arms the interrupt',
  }),
  register(0x300, 'ICR, low', '11.6.1', {
    reset: 0,
    rw: 0xccfff & ~0x1000,
    ro: 0x1000,
    reserved: 0xfff32000,
    effect: 'sends an IPI',
    // INIT to itself resets the register.
    avoid: (value) => (value & 0x700) === 0x500,
  }),
  register(0x310, 'ICR, high', '11.6.1', { reset: 0, rw: 0xff000000, reserved: 0x00ffffff }),
  lvt(0x320, 'LVT timer', 0x700ff, 0x1000, 'a change from or to TSC-deadline mode disarms'),
  lvt(0x330, 'LVT thermal', 0x107ff, 0x1000),
  lvt(0x340, 'LVT performance', 0x107ff, 0x1000),
  { ...lvt(0x350, 'LVT LINT0', 0x1a7ff, 0x5000, 'the 8259s'), readReset: (b) => b.read(LAPIC + 0x350, 1) },
  lvt(0x360, 'LVT LINT1', 0x1a7ff, 0x5000),
  lvt(0x370, 'LVT error', 0x100ff, 0x1000),
  register(0x380, 'initial count', '11.5.4', { reset: 0, rw: ALL, effect: 'starts the count; ignored in TSC-deadline mode' }),
  {
    ...register(0x390, 'current count', '11.5.4', { reset: 0, ro: ALL }),
  },
  register(0x3e0, 'divide configuration', '11.5.4, figure 11-10', { reset: 0, rw: 0xb, reserved: 0xfffffff4 }),
];

/** Offsets in the page that no register is at: accesses are an error (ESR bit 7, 11.5.3). */
export const LAPIC_NOTHING: readonly number[] = [
  0x00, 0x10, 0x40, 0x50, 0x60, 0x70, 0x290, 0x2a0, 0x2b0, 0x2c0, 0x2d0, 0x2e0, 0x2f0, 0x3a0, 0x3b0, 0x3c0, 0x3d0, 0x3f0, 0x400, 0xff0,
];
