// What both executors give a CPU: the machine's devices and clock, and which bits end its sleep.
import type { CpuHost } from '../../cpu/vcpu.ts';
import type { Chipset } from '../../devices/chipset.ts';
import type { Clock } from '../../devices/device.ts';
import { Cpu, Eflags, Pending } from '../../layout/cpu.ts';

/** Bits that wake a CPU which waits for a start-up IPI. */
export const STARTS = Pending.INIT | Pending.SIPI | Pending.STOP;

/** Bits of Cpu.pending that end the sleep which the CPU at `base` is in, or would be in: an NMI not while another is being served. */
export function wakeBits(i32: Int32Array, base: number): number {
  const at = (offset: number) => i32[(base + offset) >> 2]!;
  if (at(Cpu.at.awaitsStartup) !== 0) return STARTS;
  const nmi = at(Cpu.at.nmiBlocked) === 0 ? Pending.NMI | Pending.NMI_AGAIN : 0;
  return STARTS | nmi | ((at(Cpu.at.eflags) & Eflags.IF) !== 0 ? Pending.INTR : 0);
}

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
      return chipset.portIn(index, port, size as 1 | 2 | 4);
    },
    portOut: (_cpu, port, size, value) => {
      passes();
      chipset.portOut(index, port, size as 1 | 2 | 4, value);
    },
    mmioRead: (_cpu, phys, size) => {
      passes();
      return chipset.mmioRead(index, phys >>> 0, size as 1 | 2 | 4);
    },
    mmioWrite: (_cpu, phys, size, value) => {
      passes();
      chipset.mmioWrite(index, phys >>> 0, size as 1 | 2 | 4, value);
    },
    rdtsc: () => {
      passes();
      return BigInt(Math.floor(clock.now()));
    },
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
