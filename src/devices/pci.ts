// The PCI bus: configuration mechanism 1 (ports 0xCF8, 0xCFC), bus 0 only, functions with base address registers,
// a capability list and INTx. Configuration space is shared state; each thread maps the BARs it finds there.
//
// Interrupts: the line of slot `s`, pin `p` (INTA = 1) is I/O APIC input 16 + ((s + p - 1) & 7), and, for a kernel that uses
// the 8259s, ISA interrupt 10 or 11 (pciIsaIrq); interrupts.ts drives both. The tables say the same.
// Nobody's firmware runs before the kernel, so power-on leaves BARs assigned and decoding on, as firmware would.
import { array, struct, u8, u32 } from '../layout/struct.ts';
import type { View } from '../layout/view.ts';
import type { Aml } from './aml.ts';
import * as aml from './aml.ts';
import type { BusGeneration } from './bus.ts';
import type { Device, DeviceContext, IrqSink, MmioRead, MmioSpace, MmioWrite, PortRead, PortSpace, PortWrite } from './device.ts';

/** Registers of a type 0 header (PCI 2.2, 6.1). */
export const PciConfig = {
  VENDOR_ID: 0x00,
  DEVICE_ID: 0x02,
  COMMAND: 0x04,
  STATUS: 0x06,
  REVISION: 0x08,
  CLASS: 0x09,
  HEADER_TYPE: 0x0e,
  BAR0: 0x10,
  SUBSYSTEM_VENDOR_ID: 0x2c,
  SUBSYSTEM_ID: 0x2e,
  CAPABILITIES: 0x34,
  INTERRUPT_LINE: 0x3c,
  INTERRUPT_PIN: 0x3d,
} as const;
export const PciCommand = { IO: 1, MEMORY: 2, BUS_MASTER: 4, SPECIAL: 8, PARITY: 0x40, SERR: 0x100, INTX_DISABLE: 0x400 } as const;
const COMMAND_WRITABLE = 0x547;
const STATUS_INTERRUPT = 0x08;
const STATUS_CAPABILITIES = 0x10;

/** Where power-on assigns BARs; the window is the one that the DSDT's _CRS and the MP tables tell. */
export const PCI_MEMORY_BASE = 0xfd000000;
export const PCI_IO_BASE = 0xc000;
/** First I/O APIC input of the PCI lines, and their number. */
export const PCI_GSI_BASE = 16;
export const PCI_LINES = 8;

/** I/O APIC input of a slot's pin (1 = INTA). */
export const pciGsi = (slot: number, pin: number): number => PCI_GSI_BASE + ((slot + pin - 1) & (PCI_LINES - 1));
/** ISA interrupt of the same line, for kernels that use the 8259s: SeaBIOS's choice for a 440FX, whose four lines are 10, 10, 11 and 11 from slot 1, INTA on. */
export const pciIsaIrq = (gsi: number): number => 10 + (((gsi - 1) >> 1) & 1);

/** Memory that the host bridge passes on to the bus. */
const WINDOW_FIRST = 0xc0000000;
const WINDOW_LAST = 0xfebfffff;
const CONFIG_PORT = 0xcf8;
const CONFIG_PORTS = 8;

/** Routing of every slot's four pins: I/O APIC inputs, or ISA interrupts. */
function routing(apic: boolean): Aml {
  const pins: Aml[] = [];
  for (let slot = 1; slot < 32; slot++) {
    for (let pin = 0; pin < 4; pin++) {
      const gsi = pciGsi(slot, pin + 1);
      pins.push(aml.pack(aml.integer(slot * 0x10000 + 0xffff), aml.integer(pin), aml.integer(0), aml.integer(apic ? gsi : pciIsaIrq(gsi))));
    }
  }
  return aml.pack(...pins);
}

/** The bus in the DSDT, with what is behind its bridges at fixed places. `picMode`: a name that is 1 where the kernel uses the I/O APIC. */
export const pciNode = (picMode: string, devices: readonly Aml[]): Aml =>
  aml.device(
    'PCI0',
    aml.define('_HID', aml.eisaId('PNP0A03')),
    aml.define('_UID', aml.integer(0)),
    aml.define('_BBN', aml.integer(0)),
    aml.define(
      '_CRS',
      aml.resources(
        aml.busNumbers(0, 0xff),
        aml.ioPorts(CONFIG_PORT, CONFIG_PORTS),
        aml.ioWindow(0, CONFIG_PORT - 1),
        aml.ioWindow(CONFIG_PORT + CONFIG_PORTS, 0xffff),
        aml.memoryWindow(WINDOW_FIRST, WINDOW_LAST),
      ),
    ),
    aml.define('PRTA', routing(true)),
    aml.define('PRTP', routing(false)),
    aml.method('_PRT', 0, aml.when(aml.name(picMode), aml.returns(aml.name('PRTA'))), aml.returns(aml.name('PRTP'))),
    ...devices,
  );

export interface PciBar {
  readonly kind: 'memory' | 'io';
  /** A power of two: at least 16 for memory, at least 4 for I/O. */
  readonly bytes: number;
  /** Offsets count from the start of the BAR, for both kinds. */
  readonly read: MmioRead;
  readonly write: MmioWrite;
  /** I/O only: the widest access the handlers take whole (4 by default). */
  readonly width?: 1 | 2 | 4;
}

export interface PciFunctionOptions {
  readonly name: string;
  /** Device number 0..31 on bus 0. */
  readonly slot: number;
  readonly function?: number;
  readonly vendorId: number;
  readonly deviceId: number;
  /** Class, subclass and programming interface, 24 bits: 0x010000 is a SCSI controller. */
  readonly classCode: number;
  readonly revision?: number;
  readonly subsystemVendorId?: number;
  readonly subsystemId?: number;
  /** 1 = INTA ... 4 = INTD; 0 or absent: no interrupt. */
  readonly interruptPin?: number;
  /** BARs 0..5; undefined leaves a hole. */
  readonly bars?: readonly (PciBar | undefined)[];
  /** Whole capabilities, first byte the id, second byte (next) ignored. They follow one another from 0x40, each aligned to 4. */
  readonly capabilities?: readonly (readonly number[])[];
  /** May answer a configuration read itself (for virtio's VIRTIO_PCI_CAP_PCI_CFG); undefined: the stored bytes. */
  readonly onConfigRead?: (offset: number, size: 1 | 2 | 4) => number | undefined;
  /** Runs after a configuration write was stored (through the masks). */
  readonly onConfigWrite?: (offset: number, size: 1 | 2 | 4, value: number) => void;
  /** Bytes of configuration space that the guest may write besides the standard ones: [offset, count] pairs, offsets absolute. */
  readonly writable?: readonly (readonly [offset: number, count: number])[];
}

const FunctionState = struct({
  config: array(256, u8),
  /** 1 while the function wants its interrupt. */
  interrupt: u32,
  /** Where power-on puts the BARs. */
  powerOn: array(6, u32),
});

/** One function of the bus. Everything that changes is in shared state. */
export class PciFunction {
  readonly name: string;
  readonly slot: number;
  readonly devfn: number;
  /** Offsets in configuration space of the capabilities, in the order given. */
  readonly capabilityOffsets: readonly number[];
  readonly gsi: number;
  readonly options: PciFunctionOptions;
  readonly #s: View<typeof FunctionState>;
  readonly #bytes: Uint8Array;
  readonly #mask = new Uint8Array(256);
  readonly #bus: PciBus;
  /** Where this thread's address spaces have each BAR now (-1: nowhere), and what takes it out of them. */
  readonly #placed = Array.from({ length: 6 }, () => ({ address: -1, remove: () => {} }));

  constructor(bus: PciBus, state: View<typeof FunctionState>, options: PciFunctionOptions) {
    this.#bus = bus;
    this.#s = state;
    this.#bytes = state.config;
    this.options = options;
    this.name = options.name;
    this.slot = options.slot;
    this.devfn = (options.slot << 3) | (options.function ?? 0);
    this.gsi = options.interruptPin ? pciGsi(options.slot, options.interruptPin) : 0;
    const offsets: number[] = [];
    let at = 0x40;
    for (const capability of options.capabilities ?? []) {
      offsets.push(at);
      at = (at + capability.length + 3) & ~3;
    }
    this.capabilityOffsets = offsets;
    const mask = this.#mask;
    mask[PciConfig.COMMAND] = COMMAND_WRITABLE & 0xff;
    mask[PciConfig.COMMAND + 1] = COMMAND_WRITABLE >> 8;
    mask[0x0c] = 0xff;
    mask[0x0d] = 0xff;
    mask[PciConfig.INTERRUPT_LINE] = 0xff;
    for (let i = 0; i < 6; i++) {
      const bar = options.bars?.[i];
      if (bar === undefined) continue;
      const writable = bar.kind === 'memory' ? -bar.bytes & ~0xf : -bar.bytes & 0xfffc;
      for (let k = 0; k < 4; k++) mask[PciConfig.BAR0 + 4 * i + k] = (writable >>> (8 * k)) & 0xff;
    }
    for (const [first, count] of options.writable ?? []) mask.fill(0xff, first, first + count);
  }

  /** True while the guest lets the function master the bus. */
  get busMaster(): boolean {
    return (this.#bytes[PciConfig.COMMAND] & PciCommand.BUS_MASTER) !== 0;
  }

  /** True while the function drives its interrupt line. */
  get asserted(): boolean {
    return this.#s.interrupt !== 0 && (this.#bytes[PciConfig.COMMAND + 1] & (PciCommand.INTX_DISABLE >> 8)) === 0;
  }

  /** Raises or lowers the function's INTx. */
  setInterrupt(level: boolean): void {
    const value = level ? 1 : 0;
    if (this.#s.interrupt === value || this.gsi === 0) return;
    this.#s.interrupt = value;
    if (level) this.#bytes[PciConfig.STATUS] |= STATUS_INTERRUPT;
    else this.#bytes[PciConfig.STATUS] &= ~STATUS_INTERRUPT;
    this.#bus.updateLine(this.gsi);
  }

  /** The bytes of configuration space as stored, for the device's own use (little-endian). */
  configByte(offset: number): number {
    return this.#bytes[offset & 0xff];
  }

  setConfigByte(offset: number, value: number): void {
    this.#bytes[offset & 0xff] = value;
  }

  readConfig(offset: number, size: 1 | 2 | 4): number {
    const own = this.options.onConfigRead?.(offset, size);
    if (own !== undefined) return own;
    return this.#stored(offset, size);
  }

  #stored(offset: number, size: 1 | 2 | 4): number {
    let value = 0;
    for (let i = 0; i < size; i++) value |= this.#bytes[(offset + i) & 0xff] << (8 * i);
    return value >>> 0;
  }

  writeConfig(offset: number, size: 1 | 2 | 4, value: number): void {
    const bytes = this.#bytes;
    for (let i = 0; i < size; i++) {
      const at = (offset + i) & 0xff;
      const mask = this.#mask[at];
      bytes[at] = (bytes[at] & ~mask) | ((value >>> (8 * i)) & mask);
    }
    const last = offset + size - 1;
    if (offset <= 5 && last >= PciConfig.COMMAND) {
      this.#bus.remapped();
      if (this.gsi !== 0) this.#bus.updateLine(this.gsi);
    } else if (last >= PciConfig.BAR0 && offset < 0x28) {
      this.#bus.remapped();
    }
    this.options.onConfigWrite?.(offset, size, value);
  }

  /** Address of BAR `i` while it is decoded; -1 otherwise. */
  barAddress(i: number): number {
    const bar = this.options.bars?.[i];
    if (bar === undefined) return -1;
    const needed = bar.kind === 'memory' ? PciCommand.MEMORY : PciCommand.IO;
    if ((this.#bytes[PciConfig.COMMAND] & needed) === 0) return -1;
    const raw = this.#stored(PciConfig.BAR0 + 4 * i, 4);
    const address = bar.kind === 'memory' ? (raw & ~0xf) >>> 0 : raw & 0xfffc;
    // Sizing writes all ones for a moment: such an address decodes nothing. Nor does 0, as nobody assigned it.
    const top = bar.kind === 'memory' ? 0x100000000 : 0x10000;
    return address === 0 || address + bar.bytes >= top ? -1 : address;
  }

  /** Sets configuration space to its power-on contents. */
  reset(): void {
    const options = this.options;
    const bytes = this.#bytes;
    bytes.fill(0);
    const put = (offset: number, size: number, value: number) => {
      for (let i = 0; i < size; i++) bytes[offset + i] = (value >>> (8 * i)) & 0xff;
    };
    put(PciConfig.VENDOR_ID, 2, options.vendorId);
    put(PciConfig.DEVICE_ID, 2, options.deviceId);
    put(PciConfig.REVISION, 1, options.revision ?? 0);
    put(PciConfig.CLASS, 3, options.classCode);
    put(PciConfig.SUBSYSTEM_VENDOR_ID, 2, options.subsystemVendorId ?? 0);
    put(PciConfig.SUBSYSTEM_ID, 2, options.subsystemId ?? 0);
    put(PciConfig.INTERRUPT_PIN, 1, options.interruptPin ?? 0);
    put(PciConfig.INTERRUPT_LINE, 1, this.gsi === 0 ? 0 : pciIsaIrq(this.gsi));
    if (this.#bus.isMultiFunction(this.slot)) bytes[PciConfig.HEADER_TYPE] = 0x80;
    let command = 0;
    for (let i = 0; i < 6; i++) {
      const bar = options.bars?.[i];
      if (bar === undefined) continue;
      put(PciConfig.BAR0 + 4 * i, 4, this.#s.powerOn[i] | (bar.kind === 'io' ? 1 : 0));
      command |= bar.kind === 'io' ? PciCommand.IO : PciCommand.MEMORY;
    }
    put(PciConfig.COMMAND, 2, command);
    const capabilities = options.capabilities ?? [];
    for (let i = 0; i < capabilities.length; i++) {
      bytes.set(capabilities[i], this.capabilityOffsets[i]);
      bytes[this.capabilityOffsets[i] + 1] = this.capabilityOffsets[i + 1] ?? 0;
    }
    if (capabilities.length > 0) {
      bytes[PciConfig.STATUS] |= STATUS_CAPABILITIES;
      bytes[PciConfig.CAPABILITIES] = this.capabilityOffsets[0];
    }
    this.#s.interrupt = 0;
    this.#bus.remapped();
    if (this.gsi !== 0) this.#bus.updateLine(this.gsi);
  }

  /** Remembers where power-on puts BAR `i`. */
  assign(i: number, address: number): void {
    this.#s.powerOn[i] = address;
  }

  /** Whether a BAR is not where this thread's address spaces have it. */
  get moved(): boolean {
    return this.#placed.some(({ address }, i) => address !== this.barAddress(i));
  }

  /** Takes the BARs out of this thread's address spaces. */
  unmap(): void {
    for (const placed of this.#placed) {
      placed.remove();
      placed.address = -1;
      placed.remove = () => {};
    }
  }

  /** Puts the BARs into this thread's address spaces, where they are now. */
  map(ports: PortSpace, mmio: MmioSpace): void {
    this.#placed.forEach((placed, i) => {
      const address = this.barAddress(i);
      if (address < 0) return;
      const bar = this.options.bars?.[i] as PciBar;
      placed.address = address;
      if (bar.kind === 'memory') {
        placed.remove = mmio.place(address, bar.bytes, { read: bar.read, write: bar.write });
      } else {
        const read: PortRead = (port, size) => bar.read(port - address, size);
        const write: PortWrite = (port, size, value) => bar.write(port - address, size, value);
        placed.remove = ports.place(address, bar.bytes, { read, write, width: bar.width ?? 4 });
      }
    });
  }
}

/** Port 0xCF9 lies inside the address register's dword; byte accesses to it go here. */
export interface ResetPort {
  read(): number;
  write(value: number): void;
}

const BusState = struct({
  /** Port CF8H. */
  address: u32,
  /** The next free addresses at power-on. */
  nextMemory: u32,
  nextIo: u32,
});

export class PciBus implements Device {
  readonly name = 'pci';
  readonly functions: PciFunction[] = [];
  readonly #context: DeviceContext;
  readonly #irq: IrqSink;
  readonly #generation: BusGeneration;
  readonly #byDevfn: (PciFunction | undefined)[] = new Array(256).fill(undefined);
  readonly #s: View<typeof BusState>;

  constructor(context: DeviceContext, generation: BusGeneration, resetPort?: ResetPort) {
    this.#context = context;
    this.#irq = context.irq;
    this.#generation = generation;
    this.#s = context.state(BusState);
    if (context.isFirst) {
      this.#s.nextMemory = PCI_MEMORY_BASE;
      this.#s.nextIo = PCI_IO_BASE;
    }
    context.ports.map(0xcf8, 4, {
      width: 4,
      read: (port, size) => {
        if (size === 4 && port === 0xcf8) return this.#s.address;
        return size === 1 && port === 0xcf9 && resetPort !== undefined ? resetPort.read() : 0xffffffff;
      },
      write: (port, size, value) => {
        if (size === 4 && port === 0xcf8) this.#s.address = value & 0x80fffffc;
        else if (size === 1 && port === 0xcf9) resetPort?.write(value);
      },
    });
    context.ports.map(0xcfc, 4, {
      width: 4,
      read: (port, size) => this.#selected()?.readConfig((this.#s.address & 0xfc) | (port & 3), size) ?? 0xffffffff,
      write: (port, size, value) => this.#selected()?.writeConfig((this.#s.address & 0xfc) | (port & 3), size, value),
    });
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
      for (let i = 0; i < 6; i++) {
        const bar = options.bars?.[i];
        if (bar !== undefined) added.assign(i, this.#allocate(bar));
      }
      if (earlier !== undefined && earlier !== added) earlier.setConfigByte(PciConfig.HEADER_TYPE, 0x80);
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

  reset(): void {
    this.#s.address = 0;
    for (const one of this.functions) one.reset();
  }

  /** Some function's mapping changed: every thread must look. */
  remapped(): void {
    this.#generation.bump();
  }

  /** Drives a shared line to the OR of the functions on it. */
  updateLine(gsi: number): void {
    let level = false;
    for (const one of this.functions) level ||= one.gsi === gsi && one.asserted;
    this.#irq.setIrq(gsi, level);
  }

  #selected(): PciFunction | undefined {
    const address = this.#s.address;
    // Enable bit set, bus 0.
    return (address & 0x80ff0000) === (0x80000000 | 0) ? this.#byDevfn[(address >>> 8) & 0xff] : undefined;
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
    if (!this.functions.some((one) => one.moved)) return;
    for (const one of this.functions) one.unmap();
    for (const one of this.functions) one.map(this.#context.ports, this.#context.mmio);
  }
}

/** Registers PAM0 to PAM6 of the 440FX: what is below 1 MiB, ROM or RAM. */
const PAM = 0x59;
const PAM_COUNT = 7;

/**
 * The host bridge (a 440FX by its ids) at slot 0. `onShadow` is told which of the eight blocks of 16 KiB from E0000H to FFFFFH are RAM where there
 * would be ROM: for reads bit n, for writes bit 8 + n. What is below E0000H is RAM in any case.
 */
export function addHostBridge(bus: PciBus, onShadow?: (blocks: number) => void): PciFunction {
  const bridge = bus.add({
    name: 'host-bridge',
    slot: 0,
    vendorId: 0x8086,
    deviceId: 0x1237,
    classCode: 0x060000,
    revision: 2,
    // What SeaBIOS knows QEMU by, and so that there is a fw_cfg device.
    subsystemVendorId: 0x1af4,
    subsystemId: 0x1100,
    writable: [[PAM, PAM_COUNT]],
    onConfigWrite: (offset, size) => {
      if (offset + size > PAM && offset < PAM + PAM_COUNT) onShadow?.(shadowBlocks(bridge));
    },
  });
  return bridge;
}

function shadowBlocks(bridge: PciFunction): number {
  let blocks = 0;
  // PAM5 and PAM6 have two blocks each, in their nibbles (bit 0 read, bit 1 write); the upper nibble of PAM0 is for all of F0000H.
  for (let n = 0; n < 8; n++) {
    const nibble = n < 4 ? bridge.configByte(PAM + 5 + (n >> 1)) >> (4 * (n & 1)) : bridge.configByte(PAM) >> 4;
    blocks |= ((nibble & 1) << n) | (((nibble >> 1) & 1) << (8 + n));
  }
  return blocks;
}
