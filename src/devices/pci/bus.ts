// The PCI bus: its functions, the places that their BARs get, and the lines that they share. Configuration space is shared state; each thread maps the
// BARs it finds there. Nobody's firmware runs before the kernel, so power-on leaves BARs assigned and decoding on, as firmware would.
import { struct, u32 } from '../../layout/struct.ts';
import type { View } from '../../layout/view.ts';
import type { BusGeneration } from '../bus.ts';
import type { Device, DeviceContext } from '../device.ts';
import { ConfigPorts, type ResetPort } from './config-ports.ts';
import { type FunctionBus, FunctionState, PciFunction } from './function.ts';
import type { PciBar, PciFunctionOptions } from './options.ts';

/** Where power-on assigns BARs; the window is the one that the DSDT's _CRS and the MP tables tell. */
export const PCI_MEMORY_BASE = 0xfd000000;
export const PCI_IO_BASE = 0xc000;

const BusState = struct({
  /** The next free addresses at power-on. */
  nextMemory: u32,
  nextIo: u32,
});

export class PciBus implements Device, FunctionBus {
  readonly name = 'pci';
  readonly functions: PciFunction[] = [];
  readonly #context: DeviceContext;
  readonly #generation: BusGeneration;
  readonly #byDevfn: (PciFunction | undefined)[] = new Array(256).fill(undefined);
  readonly #configPorts: ConfigPorts;
  readonly #s: View<typeof BusState>;

  constructor(context: DeviceContext, generation: BusGeneration, resetPort?: ResetPort) {
    this.#context = context;
    this.#generation = generation;
    this.#s = context.state(BusState);
    if (context.isFirst) {
      this.#s.nextMemory = PCI_MEMORY_BASE;
      this.#s.nextIo = PCI_IO_BASE;
    }
    this.#configPorts = new ConfigPorts(context, (devfn) => this.#byDevfn[devfn], resetPort);
    generation.listeners.push(() => this.#remap());
  }

  /** Adds a function; the same calls in the same order on every thread. */
  add(options: PciFunctionOptions): PciFunction {
    const context = this.#context;
    const added = new PciFunction(this, context.state(FunctionState), options);
    const earlier = this.#byDevfn[options.slot << 3];
    this.functions.push(added);
    this.#byDevfn[added.devfn] = added;
    if (context.isFirst) {
      added.bars.assign((bar) => this.#allocate(bar));
      if (earlier !== undefined && earlier !== added) earlier.setMultiFunction();
      added.reset();
    } else {
      // Attaching: map what is there before the next access.
      this.#generation.seen = -1;
    }
    return added;
  }

  isMultiFunction(slot: number): boolean {
    for (let i = 1; i < 8; i++) if (this.#byDevfn[(slot << 3) | i] !== undefined) return true;
    return false;
  }

  /** The function at a slot, if there is one. */
  at(slot: number, number = 0): PciFunction | undefined {
    return this.#byDevfn[(slot << 3) | number];
  }

  /** The lowest slot from `first` on that has no function. */
  freeSlot(first: number): number {
    let slot = first;
    while (this.at(slot) !== undefined) slot++;
    return slot;
  }

  reset(): void {
    this.#configPorts.reset();
    for (const one of this.functions) one.reset();
  }

  remapped(): void {
    this.#generation.bump();
  }

  /** Drives a shared line to the OR of the functions on it. */
  updateLine(gsi: number): void {
    let level = false;
    for (const one of this.functions) level ||= one.gsi === gsi && one.asserted;
    this.#context.irq.setIrq(gsi, level);
  }

  #allocate(bar: PciBar): number {
    const next = bar.kind === 'memory' ? 'nextMemory' : 'nextIo';
    const size = bar.kind === 'memory' ? Math.max(bar.bytes, 0x1000) : bar.bytes;
    const address = Math.ceil(this.#s[next] / size) * size;
    this.#s[next] = address + size;
    return address;
  }

  /** All of them, where one moved: it may have given a place up that another one is at as well. */
  #remap(): void {
    if (!this.functions.some((one) => one.bars.moved)) return;
    for (const one of this.functions) one.bars.unmap();
    for (const one of this.functions) one.bars.map(this.#context.ports, this.#context.mmio);
  }
}
