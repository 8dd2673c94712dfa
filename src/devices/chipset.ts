// The chipset of a PC as its CPUs see it: the calls that a CPU makes into the devices (list.ts), each under the device lock. A thread makes one Chipset.
import type { AccessSize } from './device.ts';
import { DeviceHub } from './hub.ts';
import { buildDevices, type ChipsetOptions, type Parts } from './list.ts';

export class Chipset {
  readonly hub: DeviceHub;
  readonly parts: Parts;
  /** The CPU this thread runs now; an executor with several CPUs a thread sets it before it lets one run. */
  readonly current = { index: 0 };

  constructor(options: ChipsetOptions) {
    this.hub = new DeviceHub(options);
    this.parts = buildDevices(this.hub, options, this.current);
  }

  portIn(cpu: number, port: number, size: AccessSize): number {
    const hub = this.hub;
    hub.lock.enter();
    this.current.index = cpu;
    try {
      return hub.ports.read(port, size);
    } finally {
      hub.lock.leave();
    }
  }

  portOut(cpu: number, port: number, size: AccessSize, value: number): void {
    const hub = this.hub;
    hub.lock.enter();
    this.current.index = cpu;
    try {
      hub.ports.write(port, size, value);
    } finally {
      hub.lock.leave();
    }
  }

  mmioRead(cpu: number, address: number, size: AccessSize): number {
    const hub = this.hub;
    hub.lock.enter();
    this.current.index = cpu;
    try {
      return hub.mmio.read(address, size);
    } finally {
      hub.lock.leave();
    }
  }

  mmioWrite(cpu: number, address: number, size: AccessSize, value: number): void {
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
      return this.parts.interrupts.interruptAck(cpu);
    } finally {
      hub.lock.leave();
    }
  }

  /** The boot CPU's FERR# (see fpu-error.ts): whether IGNNE# is asserted. */
  fpuError(level: boolean): boolean {
    const hub = this.hub;
    hub.lock.enter();
    try {
      return this.parts.fpu.setError(level);
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
      return this.parts.lapic.enterHalt(cpu);
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
      this.parts.lapic.runTimer(cpu, now);
      return this.parts.lapic.timerDeadline(cpu);
    } finally {
      hub.lock.leave();
    }
  }

  /** Whether the CPU's timer runs by itself again and again. */
  timerIsPeriodic(cpu: number): boolean {
    return this.parts.lapic.timerIsPeriodic(cpu);
  }

  /** The CPU leaves HLT. `lease`: nanoseconds after which the lease is checked, where it is likely to be back before its timer runs out; else 0. */
  leaveHalt(cpu: number, lease: number): void {
    const hub = this.hub;
    hub.lock.enter();
    try {
      hub.clock.changed?.();
      this.parts.lapic.leaveHalt(cpu, lease);
    } finally {
      hub.lock.leave();
    }
  }

  /** IA32_TSC_DEADLINE of a CPU: a time of the machine's clock in nanoseconds; 0 disarms. */
  setTscDeadline(cpu: number, nanoseconds: number): void {
    const hub = this.hub;
    hub.lock.enter();
    try {
      this.parts.lapic.setTscDeadline(cpu, nanoseconds);
    } finally {
      hub.lock.leave();
    }
  }

  /** IA32_APIC_BASE of a CPU. */
  setApicBase(cpu: number, value: number): void {
    const hub = this.hub;
    hub.lock.enter();
    try {
      this.parts.lapic.setBase(cpu, value);
    } finally {
      hub.lock.leave();
    }
  }

  hasInterrupt(cpu: number): boolean {
    const hub = this.hub;
    hub.lock.enter();
    try {
      return this.parts.interrupts.hasInterrupt(cpu);
    } finally {
      hub.lock.leave();
    }
  }

  /** Input for a serial port (host thread). */
  serialInput(port: number, bytes: Uint8Array): void {
    const hub = this.hub;
    hub.lock.enter();
    try {
      this.parts.serial[port].pushInput(bytes);
    } finally {
      hub.lock.leave();
    }
  }

  /** Asks the guest to shut down, as a power button does. */
  pressPowerButton(): void {
    const hub = this.hub;
    hub.lock.enter();
    try {
      this.parts.acpi.pressPowerButton();
    } finally {
      hub.lock.leave();
    }
  }
}
