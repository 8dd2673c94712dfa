// A machine as whoever inspects it holds it: its CPUs and its memory, as long as it stands still.
import type { CpuHandle, MachineMemory } from '../api/inspect.ts';
import { PhysicalMemory } from '../cpu/physical.ts';
import type { RuntimeExports } from '../cpu/runtime.ts';
import type { SharedMemory } from '../cpu/state.ts';
import { RAM } from '../layout/memory.ts';
import type { KernelSymbols } from '../machine/report/symbols.ts';
import { COUNT, LINEAR } from './arguments.ts';
import { backtrace } from './backtrace.ts';
import { CpuState } from './cpu-state.ts';
import { disassemble } from './disassemble.ts';
import { guestSymbols, type Mapping } from './guest-symbols.ts';
import { LinearMemory, linearMemory } from './linear-memory.ts';
import { isMapped, walk } from './page-walk.ts';
import { physicalMemory } from './physical-memory.ts';
import { cpuRegisters } from './registers.ts';
import type { MachineSymbols } from './symbols.ts';

/** Frames of a backtrace that nobody asked for more of. */
const FRAMES = 64;

export interface Inspected {
  readonly shared: SharedMemory;
  /** An instance of this thread, for CPUs that stand still. */
  readonly runtime: RuntimeExports;
  readonly symbols: MachineSymbols;
  /** Throws BAD_STATE while the machine runs. `writes`: something is about to be changed. */
  readonly requireStopped: (writes?: boolean) => void;
}

export interface Inspection {
  readonly cpus: readonly CpuHandle[];
  readonly memory: MachineMemory;
  /** The names of the Linux kernel that runs, out of its memory. Throws NO_SYMBOLS, and BAD_STATE. */
  readonly guestSymbols: () => KernelSymbols;
}

function cpuHandle({ shared, runtime, symbols, requireStopped }: Inspected, physical: PhysicalMemory, index: number): CpuHandle {
  const state = new CpuState(shared, runtime, index);
  const memory = new LinearMemory(state, physical);
  return {
    index,
    registers: cpuRegisters(state, requireStopped),
    memory: linearMemory(memory, requireStopped),
    translate(linear) {
      requireStopped();
      const found = walk(state, physical, LINEAR.take(linear, 'linear'));
      return isMapped(found) ? found : undefined;
    },
    async disassemble(address, count = 1) {
      requireStopped();
      const from = address === undefined ? state.nextInstruction : LINEAR.take(address, 'address');
      return disassemble(state, memory, from, COUNT.take(count, 'count'));
    },
    backtrace(most = FRAMES) {
      requireStopped();
      return backtrace(state, memory, symbols, COUNT.take(most, 'most'));
    },
  };
}

export function inspection(inspected: Inspected): Inspection {
  const { shared, runtime, requireStopped } = inspected;
  const physical = new PhysicalMemory(shared);
  return {
    cpus: Array.from({ length: shared.plan.cpuCount }, (_, index) => cpuHandle(inspected, physical, index)),
    memory: { physical: physicalMemory(shared, physical, requireStopped) },
    guestSymbols() {
      requireStopped();
      const { ramBytes, cpuCount } = shared.plan;
      const mappings = Array.from({ length: cpuCount }, (_, index): Mapping => {
        const state = new CpuState(shared, runtime, index);
        return (linear) => {
          const found = walk(state, physical, linear);
          return isMapped(found) ? found.physical : undefined;
        };
      });
      return guestSymbols(shared.u8.subarray(RAM, RAM + ramBytes), mappings);
    },
  };
}
