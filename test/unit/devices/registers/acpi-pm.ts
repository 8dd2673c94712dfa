// ACPI's fixed hardware (ACPI 5.0, 4.8.3): power management 1 and the PM timer.
import { PM_TIMER_PORT, PM1_CONTROL_PORT, PM1_EVENT_PORT } from '../../../../src/devices/acpi-pm.ts';
import type { Bench } from '../harness.ts';
import type { Register } from './register.ts';

const at = (port: number) => ({
  width: 16 as const,
  read: (b: Bench) => b.in(port, 2),
  write: (b: Bench, value: number) => b.out(port, value, 2),
});

export const ACPI_PM_REGISTERS: readonly Register[] = [
  // Timer, bus master, global lock, power button, sleep button, RTC, wake; no PCI Express.
  { name: 'PM1 status', source: '4.8.3.1.1', reset: 0, w1c: 0x8731, reserved: 0x78ce, effect: 'SCI while enabled', ...at(PM1_EVENT_PORT) },
  { name: 'PM1 enable', source: '4.8.3.1.2', reset: 0, rw: 0x0721, reserved: 0xf8de, effect: 'SCI', ...at(PM1_EVENT_PORT + 2) },
  {
    name: 'PM1 control',
    source: '4.8.3.2.1',
    reset: 1,
    firmware: 'ACPI mode: there is no other',
    // BM_RLD and SLP_TYP; GBL_RLS and SLP_EN read as 0.
    rw: 0x1c02,
    ro: 0x0001,
    wo: 0x2004,
    reserved: 0xc3f8,
    effect: 'SLP_EN with the type of S5 ends the run',
    ...at(PM1_CONTROL_PORT),
  },
  {
    name: 'PM timer',
    source: '4.8.3.3',
    width: 32,
    reset: 0,
    // 24 bits: TMR_VAL_EXT of the FADT is clear.
    ro: 0x00ffffff,
    reserved: 0xff000000,
    read: (b) => b.in(PM_TIMER_PORT, 4),
    write: (b, value) => b.out(PM_TIMER_PORT, value, 4),
  },
];
