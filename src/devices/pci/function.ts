// One function of the PCI bus: its configuration space, its BARs and its interrupt. Everything that changes is in shared state.

import { array, struct, u8, u32 } from '../../layout/struct.ts';
import type { View } from '../../layout/view.ts';
import type { AccessSize } from '../device.ts';
import { BARS, Bars } from './bars.ts';
import { placeCapabilities, putCapabilities } from './capabilities.ts';
import { CONFIG_BYTES, ConfigSpace } from './config-space.ts';
import { PciCommand, PciConfig, PciStatus } from './header.ts';
import type { PciFunctionOptions } from './options.ts';
import { pciGsi, pciIsaIrq } from './routing.ts';

/** Header type: bit 7. */
const MULTI_FUNCTION = 0x80;

export const FunctionState = struct({
  config: array(CONFIG_BYTES, u8),
  /** 1 while the function wants its interrupt. */
  interrupt: u32,
  /** Where power-on puts the BARs. */
  powerOn: array(BARS, u32),
});

/** The bus, as a function sees it. */
export interface FunctionBus {
  /** Some function's BARs changed: every thread must remap them before its next access. */
  remapped(): void;
  /** Some function on the line asserts it, or no longer. */
  updateLine(gsi: number): void;
  /** Whether the slot has more functions than the first. */
  isMultiFunction(slot: number): boolean;
}

export class PciFunction {
  readonly name: string;
  readonly slot: number;
  readonly devfn: number;
  /** Offsets in configuration space of the capabilities, in the order given. */
  readonly capabilityOffsets: readonly number[];
  readonly gsi: number;
  readonly options: PciFunctionOptions;
  readonly bars: Bars;
  readonly #s: View<typeof FunctionState>;
  readonly #config: ConfigSpace;
  readonly #bus: FunctionBus;

  constructor(bus: FunctionBus, state: View<typeof FunctionState>, options: PciFunctionOptions) {
    this.#bus = bus;
    this.#s = state;
    this.options = options;
    this.name = options.name;
    this.slot = options.slot;
    this.devfn = (options.slot << 3) | (options.function ?? 0);
    this.gsi = options.interruptPin ? pciGsi(options.slot, options.interruptPin) : 0;
    this.capabilityOffsets = placeCapabilities(options.capabilities ?? []);
    this.#config = new ConfigSpace(state.config, options.writable);
    this.bars = new Bars(this.#config, state.powerOn, options.bars ?? []);
  }

  /** True while the guest lets the function master the bus. */
  get busMaster(): boolean {
    return (this.#config.byte(PciConfig.COMMAND) & PciCommand.BUS_MASTER) !== 0;
  }

  /** True while the function drives its interrupt line. */
  get asserted(): boolean {
    return this.#s.interrupt !== 0 && (this.#config.byte(PciConfig.COMMAND + 1) & (PciCommand.INTX_DISABLE >> 8)) === 0;
  }

  /** Asserts the function's INTx, or no longer. */
  setInterrupt(level: boolean): void {
    const value = level ? 1 : 0;
    if (this.#s.interrupt === value || this.gsi === 0) return;
    this.#s.interrupt = value;
    const others = this.#config.byte(PciConfig.STATUS) & ~PciStatus.INTERRUPT;
    this.#config.put(PciConfig.STATUS, 1, others | (level ? PciStatus.INTERRUPT : 0));
    this.#bus.updateLine(this.gsi);
  }

  /** The bytes of configuration space as stored, for the device's own use (little-endian). */
  configByte(offset: number): number {
    return this.#config.byte(offset);
  }

  setMultiFunction(): void {
    this.#config.put(PciConfig.HEADER_TYPE, 1, MULTI_FUNCTION);
  }

  readConfig(offset: number, size: AccessSize): number {
    return this.options.onConfigRead?.(offset, size) ?? this.#config.read(offset, size);
  }

  writeConfig(offset: number, size: AccessSize, value: number): void {
    this.#config.write(offset, size, value);
    const last = offset + size - 1;
    if (offset <= PciConfig.COMMAND + 1 && last >= PciConfig.COMMAND) {
      this.#bus.remapped();
      if (this.gsi !== 0) this.#bus.updateLine(this.gsi);
    } else if (last >= PciConfig.BAR0 && offset < PciConfig.BAR0 + 4 * BARS) {
      this.#bus.remapped();
    }
    this.options.onConfigWrite?.(offset, size, value);
  }

  /** Sets configuration space to its power-on contents. */
  reset(): void {
    const options = this.options;
    const config = this.#config;
    config.clear();
    config.put(PciConfig.VENDOR_ID, 2, options.vendorId);
    config.put(PciConfig.DEVICE_ID, 2, options.deviceId);
    config.put(PciConfig.REVISION, 1, options.revision ?? 0);
    config.put(PciConfig.CLASS, 3, options.classCode);
    config.put(PciConfig.SUBSYSTEM_VENDOR_ID, 2, options.subsystemVendorId ?? 0);
    config.put(PciConfig.SUBSYSTEM_ID, 2, options.subsystemId ?? 0);
    config.put(PciConfig.INTERRUPT_PIN, 1, options.interruptPin ?? 0);
    config.put(PciConfig.INTERRUPT_LINE, 1, this.gsi === 0 ? 0 : pciIsaIrq(this.gsi));
    if (this.#bus.isMultiFunction(this.slot)) this.setMultiFunction();
    this.bars.reset();
    putCapabilities(config, options.capabilities ?? [], this.capabilityOffsets);
    this.#s.interrupt = 0;
    this.#bus.remapped();
    if (this.gsi !== 0) this.#bus.updateLine(this.gsi);
  }
}
