// All devices of a PC but the virtio ones, built in one order on every thread, and the calls a CPU makes into them,
// each under the device lock. A thread makes one Chipset, then adds its PCI functions to `pci`.
import { DragomanError } from '../api/errors.ts';
import { A20 } from './a20.ts';
import { AcpiPm, pmNode } from './acpi-pm.ts';
import type { Aml } from './aml.ts';
import { DEBUG_PORTS, DebugPorts, type DebugPortsOptions } from './debug-ports.ts';
import { FpuError } from './fpu-error.ts';
import { FwCfg, type FwCfgContents } from './fw-cfg.ts';
import { Hpet, hpetNode } from './hpet.ts';
import { DeviceHub, type HubOptions } from './hub.ts';
import { Interrupts } from './interrupts.ts';
import { LegacyIrqs } from './legacy-irqs.ts';
import { addHostBridge, PciBus } from './pci.ts';
import { Pit } from './pit.ts';
import { ResetControl } from './reset.ts';
import { Rtc, rtcNode } from './rtc.ts';
import { TestDevice } from './test-device.ts';
import { Uart, type UartOptions, uartNode } from './uart.ts';
import { Vga } from './vga.ts';

export interface ChipsetOptions extends HubOptions {
  readonly cpuCount: number;
  readonly ramBytes: number;
  /** The whole shared memory, and the index (in words) of each CPU's `pending`. */
  readonly memory: Int32Array;
  readonly pendingIndex: (cpu: number) => number;
  /** Word of the A20 gate. */
  readonly a20Index: number;
  /** Word of the blocks of RAM in the place of ROM (see addHostBridge). */
  readonly shadowIndex?: number;
  readonly serial?: readonly UartOptions[];
  readonly debug?: DebugPortsOptions;
  /** What firmware is told; without it there is no fw_cfg device. The same on every thread. */
  readonly firmware?: () => FwCfgContents;
  /** There is a test device; it keeps its hands off the debug console's port. */
  readonly testDevice?: boolean;
}

/** Ports and lines of COM1 to COM4. */
const SERIAL = [
  { base: 0x3f8, irq: 4 },
  { base: 0x2f8, irq: 3 },
  { base: 0x3e8, irq: 4 },
  { base: 0x2e8, irq: 3 },
] as const;

/** The devices at fixed places that a kernel finds by ACPI, as the DSDT has them. */
export const ACPI_DEVICES: readonly Aml[] = [rtcNode, uartNode(1, SERIAL[0].base, SERIAL[0].irq), hpetNode, pmNode(DEBUG_PORTS)];

export class Chipset {
  readonly hub: DeviceHub;
  readonly interrupts: Interrupts;
  readonly pit: Pit;
  readonly rtc: Rtc;
  readonly hpet: Hpet;
  readonly serial: readonly Uart[];
  readonly acpi: AcpiPm;
  readonly resetControl: ResetControl;
  readonly debug: DebugPorts;
  readonly fpu: FpuError;
  readonly vga: Vga;
  readonly a20: A20;
  readonly pci: PciBus;
  /** The CPU this thread runs now; an executor with several CPUs a thread sets it before it lets one run. */
  readonly current = { index: 0 };

  constructor(options: ChipsetOptions) {
    const hub = new DeviceHub(options);
    this.hub = hub;
    this.interrupts = new Interrupts(hub, { ...options, current: this.current });
    hub.connect(this.interrupts);
    hub.add(this.interrupts.pic);
    hub.add(this.interrupts.lapic);
    hub.add(this.interrupts.ioapic);
    this.a20 = new A20(options.memory, options.a20Index);
    this.resetControl = hub.add(new ResetControl(hub, this.a20));
    const legacyIrqs = new LegacyIrqs(hub);
    this.pit = hub.add(new Pit(hub, legacyIrqs));
    this.rtc = hub.add(new Rtc(hub, legacyIrqs, options.ramBytes));
    this.hpet = hub.add(new Hpet(hub, legacyIrqs));
    this.acpi = hub.add(new AcpiPm(hub));
    this.debug = hub.add(new DebugPorts(hub, options.debug));
    this.fpu = hub.add(new FpuError(hub));
    this.vga = hub.add(new Vga(hub));
    this.serial = (options.serial ?? [{}]).map((one, i) => hub.add(new Uart(hub, { name: `serial${i}`, ...SERIAL[i & 3], ...one })));
    this.pci = hub.add(new PciBus(hub, hub.generation, this.resetControl));
    if (options.firmware !== undefined) hub.add(new FwCfg(hub, options.firmware));
    if (options.testDevice === true) hub.add(new TestDevice(hub));
    const { memory, shadowIndex } = options;
    if (!this.debug.mapExit())
      throw new DragomanError(
        'BAD_OPTION',
        `a device of the machine answers at port 0x${options.debug?.exitPort?.toString(16)}`,
        'debugExitPort',
      );
    addHostBridge(this.pci, (blocks) => {
      if (shadowIndex !== undefined) memory[shadowIndex] = blocks;
    });
  }

  portIn(cpu: number, port: number, size: 1 | 2 | 4): number {
    const hub = this.hub;
    hub.lock.enter();
    this.current.index = cpu;
    try {
      return hub.ports.read(port, size);
    } finally {
      hub.lock.leave();
    }
  }

  portOut(cpu: number, port: number, size: 1 | 2 | 4, value: number): void {
    const hub = this.hub;
    hub.lock.enter();
    this.current.index = cpu;
    try {
      hub.ports.write(port, size, value);
    } finally {
      hub.lock.leave();
    }
  }

  mmioRead(cpu: number, address: number, size: 1 | 2 | 4): number {
    const hub = this.hub;
    hub.lock.enter();
    this.current.index = cpu;
    try {
      return hub.mmio.read(address, size);
    } finally {
      hub.lock.leave();
    }
  }

  mmioWrite(cpu: number, address: number, size: 1 | 2 | 4, value: number): void {
    const hub = this.hub;
    hub.lock.enter();
    this.current.index = cpu;
    try {
      hub.mmio.write(address, size, value);
    } finally {
      hub.lock.leave();
    }
  }

  /** The vector of the interrupt the CPU takes now; -1 for none. */
  interruptAck(cpu: number): number {
    const hub = this.hub;
    hub.lock.enter();
    try {
      return this.interrupts.interruptAck(cpu);
    } finally {
      hub.lock.leave();
    }
  }

  /** The boot CPU's FERR# (see fpu-error.ts): whether IGNNE# is asserted. */
  fpuError(level: boolean): boolean {
    const hub = this.hub;
    hub.lock.enter();
    try {
      return this.fpu.setError(level);
    } finally {
      hub.lock.leave();
    }
  }

  /** The CPU is in HLT and keeps its own timer: until when it may sleep. */
  enterHalt(cpu: number): number {
    const hub = this.hub;
    hub.lock.enter();
    try {
      hub.clock.changed?.();
      return this.interrupts.lapic.enterHalt(cpu);
    } finally {
      hub.lock.leave();
    }
  }

  /** The time came that `enterHalt` gave: runs the CPU's timer. Until when it may sleep now. */
  runHaltedTimer(cpu: number): number {
    const hub = this.hub;
    hub.lock.enter();
    try {
      const now = hub.clock.now();
      hub.clock.saw?.(now);
      this.interrupts.lapic.runTimer(cpu, now);
      return this.interrupts.lapic.timerDeadline(cpu);
    } finally {
      hub.lock.leave();
    }
  }

  /** Whether the CPU's timer runs by itself again and again. */
  timerIsPeriodic(cpu: number): boolean {
    return this.interrupts.lapic.timerIsPeriodic(cpu);
  }

  /** The CPU leaves HLT. `lease`: nanoseconds after which somebody looks, where it is likely to be back before its timer runs out; else 0. */
  leaveHalt(cpu: number, lease: number): void {
    const hub = this.hub;
    hub.lock.enter();
    try {
      hub.clock.changed?.();
      this.interrupts.lapic.leaveHalt(cpu, lease);
    } finally {
      hub.lock.leave();
    }
  }

  /** IA32_TSC_DEADLINE of a CPU: a time of the machine's clock in nanoseconds; 0 disarms. */
  setTscDeadline(cpu: number, nanoseconds: number): void {
    const hub = this.hub;
    hub.lock.enter();
    try {
      this.interrupts.lapic.setTscDeadline(cpu, nanoseconds);
    } finally {
      hub.lock.leave();
    }
  }

  /** IA32_APIC_BASE of a CPU. */
  setApicBase(cpu: number, value: number): void {
    const hub = this.hub;
    hub.lock.enter();
    try {
      this.interrupts.lapic.setBase(cpu, value);
    } finally {
      hub.lock.leave();
    }
  }

  hasInterrupt(cpu: number): boolean {
    const hub = this.hub;
    hub.lock.enter();
    try {
      return this.interrupts.hasInterrupt(cpu);
    } finally {
      hub.lock.leave();
    }
  }

  /** Input for a serial port (host thread). */
  serialInput(port: number, bytes: Uint8Array): void {
    const hub = this.hub;
    hub.lock.enter();
    try {
      this.serial[port].pushInput(bytes);
    } finally {
      hub.lock.leave();
    }
  }

  /** Asks the guest to shut down, as a power button does. */
  pressPowerButton(): void {
    const hub = this.hub;
    hub.lock.enter();
    try {
      this.acpi.pressPowerButton();
    } finally {
      hub.lock.leave();
    }
  }
}
