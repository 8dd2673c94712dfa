// What both executors give a CPU: the machine's devices and clock.
import type { CpuHost } from '../../cpu/vcpu.ts';
import type { Chipset } from '../../devices/chipset.ts';
import type { AccessSize, Clock } from '../../devices/device.ts';

/** CPU `index` of a chipset. `trace`: see HostImports.trace. `passes`: told of each call for a port, MMIO or the time-stamp counter before it is made. */
export function cpuHost(
  chipset: Chipset,
  clock: Clock,
  index: number,
  trace: (base: number) => void,
  passes: () => void = () => {},
): CpuHost {
  return {
    portIn: (_cpu, port, size) => {
      passes();
      return chipset.portIn(index, port, size as AccessSize);
    },
    portOut: (_cpu, port, size, value) => {
      passes();
      chipset.portOut(index, port, size as AccessSize, value);
    },
    mmioRead: (_cpu, phys, size) => {
      passes();
      return chipset.mmioRead(index, phys >>> 0, size as AccessSize);
    },
    mmioWrite: (_cpu, phys, size, value) => {
      passes();
      chipset.mmioWrite(index, phys >>> 0, size as AccessSize, value);
    },
    rdtsc: () => {
      passes();
      return BigInt(Math.floor(clock.now()));
    },
    setTscDeadline: (_cpu, value) => chipset.setTscDeadline(index, Number(value)),
    tscDeadlineArmed: () => (chipset.parts.lapic.tscDeadlineArmed(index) ? 1 : 0),
    setApicBase: (_cpu, value) => chipset.setApicBase(index, value),
    interruptAck: () => chipset.interruptAck(index),
    // Only the boot CPU's FERR# and IGNNE# are connected.
    fpuError: (_cpu, level) => (index !== 0 || chipset.fpuError(level !== 0) ? 1 : 0),
    trace,
  };
}
