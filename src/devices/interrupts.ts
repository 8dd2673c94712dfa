// The machine's interrupt system as a whole: lines go to the 8259 pair and to the I/O APIC at the same time, and both end
// at the local APICs, which drive the CPUs' pending words.
//
// The interrupt model, which the ACPI and MP tables describe:
//   ISA lines 0..15    8259 input n; I/O APIC input n, but line 0 (timer) is input 2 and the 8259's INT is input 0 (ExtINT).
//   PCI lines          I/O APIC inputs 16..23 (level), by slot and pin; and ISA interrupts 10 and 11 (pciIsaIrq), for the 8259s and for MP tables that know no others.
//   SCI                ISA line 9, level-triggered.
//   Local APICs        LINT0 of the boot CPU is the 8259's INT (virtual wire at power-on), LINT1 is NMI.
import { PENDING_HELD_SHIFT, Pending } from '../layout/cpu.ts';
import { struct, u32 } from '../layout/struct.ts';
import type { SharedWord, View } from '../layout/view.ts';
import type { DeviceContext, IrqSink } from './device.ts';
import { IoApic } from './ioapic.ts';
import { Lapic, type LapicOptions } from './lapic.ts';
import { PCI_GSI_BASE, PCI_LINES, pciIsaIrq } from './pci/routing.ts';
import { Pic } from './pic.ts';

export interface InterruptsOptions {
  readonly cpuCount: number;
  readonly current: { readonly index: number };
  /** Cpu.pending of a CPU. */
  readonly pending: (cpu: number) => SharedWord;
}

const LinesState = struct({
  /** Of ISA lines (bits 0..15) and of PCI lines (bits 16..23). */
  levels: u32,
});

const orHeld = (bits: number): number => bits | (bits << PENDING_HELD_SHIFT);

/** By ISA interrupt: the PCI lines that are routed to it. */
const PCI_LINES_OF: number[] = [];
for (let line = PCI_GSI_BASE; line < PCI_GSI_BASE + PCI_LINES; line++) PCI_LINES_OF[pciIsaIrq(line)] |= 1 << line;

/** I/O APIC id in the tables and the register. Ids of CPUs are 0, 1, 2 ... */
export const ioApicId = (cpuCount: number): number => Math.min(cpuCount, 15);

export class Interrupts implements IrqSink {
  readonly pic: Pic;
  readonly lapic: Lapic;
  readonly ioapic: IoApic;
  readonly #pending: readonly SharedWord[];
  readonly #s: View<typeof LinesState>;

  constructor(context: DeviceContext, options: InterruptsOptions) {
    this.#pending = Array.from({ length: options.cpuCount }, (_, cpu) => options.pending(cpu));
    this.#s = context.state(LinesState);
    // The pieces call each other, but not before all of them are there: power-on states change no line.
    let lapic: Lapic | undefined;
    let ioapic: IoApic | undefined;
    const onOutput = (level: boolean): void => {
      lapic?.delivery.picChanged(level);
      ioapic?.setInput(0, level);
    };
    this.pic = context.build('pic', () => new Pic(context, onOutput));
    const lapicOptions: LapicOptions = {
      cpuCount: options.cpuCount,
      current: options.current,
      signals: {
        setIntr: (cpu, level) => (level ? this.notifyCpu(cpu, Pending.INTR) : this.#clear(cpu, orHeld(Pending.INTR))),
        nmi: (cpu) => this.notifyCpu(cpu, this.#isPending(cpu, orHeld(Pending.NMI)) ? Pending.NMI_AGAIN : Pending.NMI),
        init: (cpu) => this.notifyCpu(cpu, Pending.INIT),
        startup: (cpu) => this.notifyCpu(cpu, Pending.SIPI),
      },
      onEoi: (vector) => ioapic?.endOfInterrupt(vector),
      picOutput: () => this.pic.output,
      picAcknowledge: () => this.pic.acknowledge(),
    };
    this.lapic = lapic = context.build('lapic', () => new Lapic(context, lapicOptions));
    const { delivery } = lapic;
    this.ioapic = ioapic = context.build('ioapic', () => new IoApic(context, delivery, ioApicId(options.cpuCount)));
  }

  setIrq(line: number, level: boolean): void {
    const bit = 1 << line;
    if (((this.#s.levels & bit) !== 0) === level) return;
    this.#s.levels ^= bit;
    if (line >= 16) this.ioapic.setInput(line, level);
    this.#driveIsa(line < 16 ? line : pciIsaIrq(line));
  }

  /** An ISA interrupt is the OR of its ISA line and the PCI lines routed to it. */
  #driveIsa(irq: number): void {
    const level = (this.#s.levels & ((1 << irq) | (PCI_LINES_OF[irq] ?? 0))) !== 0;
    this.pic.setIrq(irq, level);
    this.ioapic.setInput(irq === 0 ? 2 : irq, level);
  }

  /** True when the CPU has an interrupt to take (its INTR input is up). Device lock held. */
  hasInterrupt(cpu: number): boolean {
    return this.lapic.delivery.hasInterrupt(cpu);
  }

  /** The CPU takes an interrupt: its vector, or -1 where none is left. Device lock held. */
  interruptAck(cpu: number): number {
    return this.lapic.delivery.acknowledge(cpu);
  }

  /** Sets bits of a CPU's pending word and wakes it. Any thread, lock or not. */
  notifyCpu(cpu: number, bits: number): void {
    const pending = this.#pending[cpu];
    if ((pending.or(bits) & bits) !== bits) pending.notify();
  }

  #isPending(cpu: number, bits: number): boolean {
    return (this.#pending[cpu].load() & bits) !== 0;
  }

  #clear(cpu: number, bits: number): void {
    if (this.#isPending(cpu, bits)) this.#pending[cpu].and(~bits);
  }
}
