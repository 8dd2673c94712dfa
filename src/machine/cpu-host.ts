// What both executors give a CPU: the machine's devices and clock, and which bits end its sleep.
import type { CpuHost } from '../cpu/vcpu.ts';
import type { Chipset } from '../devices/chipset.ts';
import type { Clock } from '../devices/device.ts';
import { Pending } from '../layout/cpu.ts';

/** Bits that wake a CPU which takes no maskable interrupts. */
export const WAKES = Pending.NMI | Pending.INIT | Pending.SIPI | Pending.STOP;

/** CPU `index` of a chipset. `trace`: see HostImports.trace. */
export function cpuHost(chipset: Chipset, clock: Clock, index: number, trace: (base: number) => void): CpuHost {
  return {
    portIn: (_cpu, port, size) => chipset.portIn(index, port, size as 1 | 2 | 4),
    portOut: (_cpu, port, size, value) => chipset.portOut(index, port, size as 1 | 2 | 4, value),
    mmioRead: (_cpu, phys, size) => chipset.mmioRead(index, phys >>> 0, size as 1 | 2 | 4),
    mmioWrite: (_cpu, phys, size, value) => chipset.mmioWrite(index, phys >>> 0, size as 1 | 2 | 4, value),
    rdtsc: () => BigInt(Math.floor(clock.now())),
    setTscDeadline: (_cpu, value) => chipset.setTscDeadline(index, Number(value)),
    tscDeadlineArmed: () => (chipset.interrupts.lapic.tscDeadlineArmed(index) ? 1 : 0),
    setApicBase: (_cpu, value) => chipset.setApicBase(index, value),
    interruptAck: () => chipset.interruptAck(index),
    // Only the boot CPU's FERR# and IGNNE# are connected.
    fpuError: (_cpu, level) => (index !== 0 || chipset.fpuError(level !== 0) ? 1 : 0),
    trace,
    log: () => {},
  };
}
