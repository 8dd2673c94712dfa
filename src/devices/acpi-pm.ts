// ACPI's fixed hardware (ACPI 5.0, 4.8): PM1 event and control blocks at 0x600 and 0x604, the PM timer at 0x608. The
// machine is in ACPI mode from power-on (no SMI command port). SLP_TYP 0 with SLP_EN is S5: power off.
import { struct, u32 } from '../layout/struct.ts';
import { clear, type View } from '../layout/view.ts';
import type { Aml } from './aml.ts';
import * as aml from './aml.ts';
import type { AccessSize, Device, DeviceContext } from './device.ts';

export const PM1_EVENT_PORT = 0x600;
export const PM1_CONTROL_PORT = 0x604;
export const PM_TIMER_PORT = 0x608;
export const PM_TIMER_HZ = 3579545;
export const SCI_IRQ = 9;
/** SLP_TYP of \_S5. */
export const SLEEP_S5 = 0;

const NS_PER_TICK = 1e9 / PM_TIMER_HZ;
/** The status bit is set whenever bit 23 changes. */
const HALF_WRAP = 0x800000;

const PmState = struct({
  /** Of the PM1 event block. */
  status: u32,
  enable: u32,
  control: u32,
  /** Changes of bit 23 of the timer seen so far. */
  wraps: u32,
});

const TIMER = 0x0001;
const POWER_BUTTON = 0x0100;
const WAKE = 0x8000;
const ENABLE_WRITABLE = 0x0721;
const STATUS_CLEARABLE = 0x8731;
const SCI_EN = 0x0001;
const SLP_EN = 0x2000;

/** How to power off, in the DSDT. */
export const sleepNode: Aml = aml.define('\\_S5', aml.pack(aml.integer(SLEEP_S5), aml.integer(SLEEP_S5), aml.integer(0), aml.integer(0)));

/** The fixed hardware's ports in the DSDT, and `others` (first, count): they belong to the board, and nobody else may be put there. */
export const pmNode = (others: readonly (readonly [first: number, count: number])[]): Aml =>
  aml.device(
    'PM',
    aml.define('_HID', aml.eisaId('PNP0C02')),
    aml.define('_UID', aml.integer(1)),
    aml.define('_CRS', aml.resources(aml.ioPorts(PM1_EVENT_PORT, 16), ...others.map(([first, count]) => aml.ioPorts(first, count)))),
  );

export class AcpiPm implements Device {
  readonly name = 'acpi';
  readonly #context: DeviceContext;
  readonly #s: View<typeof PmState>;

  constructor(context: DeviceContext) {
    this.#context = context;
    this.#s = context.state(PmState);
    context.ports.map(PM1_EVENT_PORT, 4, {
      width: 2,
      read: (port, size) => {
        this.#sync();
        return part((port & 2) === 0 ? this.#s.status : this.#s.enable, port & 1, size);
      },
      write: (port, size, value) => this.#writeEvent((port & 2) !== 0, port & 1, size, value),
    });
    context.ports.map(PM1_CONTROL_PORT, 2, {
      width: 2,
      read: (port, size) => part(this.#s.control, port & 1, size),
      write: (port, size, value) => this.#writeControl(port & 1, size, value),
    });
    context.ports.map(PM_TIMER_PORT, 4, { width: 4, read: (port, size) => this.#readTimer(port & 3, size) });
    if (context.isFirst) this.reset();
  }

  reset(): void {
    clear(this.#s);
    this.#s.control = SCI_EN;
    this.#s.wraps = this.#wraps();
    this.#updateIrq();
  }

  /** Asks the guest to shut down. Device lock held. */
  pressPowerButton(): void {
    this.#s.status |= POWER_BUTTON;
    this.#updateIrq();
  }

  nextDeadline(): number {
    const s = this.#s;
    if ((s.enable & TIMER) === 0 || (s.status & TIMER) !== 0) return Number.POSITIVE_INFINITY;
    return (this.#wraps() + 1) * HALF_WRAP * NS_PER_TICK;
  }

  onTimer(_now: number): void {
    this.#sync();
  }

  #readTimer(byte: number, size: AccessSize): number {
    this.#context.clock.timerRead?.();
    return part(this.#ticks() & 0xffffff, byte, size);
  }

  #ticks(): number {
    return Math.floor(this.#context.clock.now() / NS_PER_TICK + 1e-6);
  }

  /** Changes of bit 23 since power-on (it fits 31 bits for 150 years). */
  #wraps(): number {
    return Math.floor(this.#ticks() / HALF_WRAP);
  }

  #sync(): void {
    const wraps = this.#wraps();
    if (wraps === this.#s.wraps) return;
    this.#s.wraps = wraps;
    this.#s.status |= TIMER;
    this.#updateIrq();
  }

  #updateIrq(): void {
    const s = this.#s;
    this.#context.irq.setIrq(SCI_IRQ, (s.status & s.enable) !== 0);
  }

  #writeEvent(enable: boolean, shift: number, size: AccessSize, value: number): void {
    const s = this.#s;
    this.#sync();
    if (enable) {
      s.enable = merge(s.enable, shift, size, value) & ENABLE_WRITABLE;
      if ((s.enable & TIMER) !== 0) this.#context.deadlineChanged?.(this.nextDeadline());
    } else {
      s.status &= ~(merge(0, shift, size, value) & STATUS_CLEARABLE);
    }
    this.#updateIrq();
  }

  #writeControl(shift: number, size: AccessSize, value: number): void {
    const s = this.#s;
    const next = merge(s.control, shift, size, value);
    // SCI_EN is the hardware's to change; GBL_RLS and SLP_EN read as 0.
    s.control = (next & 0x1c02) | SCI_EN;
    if ((next & SLP_EN) === 0) return;
    const type = (next >> 10) & 7;
    if (type === SLEEP_S5) this.#context.endRun({ kind: 'power-off' });
    else s.status |= WAKE;
  }
}

const part = (value: number, shift: number, size: AccessSize): number =>
  (value >>> (8 * shift)) & (size === 4 ? -1 : (1 << (8 * size)) - 1);

const merge = (old: number, shift: number, size: AccessSize, value: number): number => {
  if (size !== 1) return value & 0xffff;
  return shift === 0 ? (old & 0xff00) | value : (old & 0xff) | (value << 8);
};
