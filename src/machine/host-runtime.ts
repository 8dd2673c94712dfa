// The host thread's own instance of the runtime: for what the host asks of CPUs, or does to them, while they stand still (their first state, dumps, inspection).
import { ramWritten } from '../cache/code-pages.ts';
import { loadEngineImage } from '../cpu/image.ts';
import { instantiateRuntime, type RuntimeExports } from '../cpu/runtime.ts';
import type { SharedMemory } from '../cpu/state.ts';
import type { CpuHost } from '../cpu/vcpu.ts';

/** `hostOf`: what a CPU asks of the machine, by its index. Devices and ports are not touched from here: they read as all ones. */
export function hostRuntime(shared: SharedMemory, hostOf: (index: number) => CpuHost, image = loadEngineImage()): RuntimeExports {
  const { cpus, cpuStride } = shared.plan;
  const of = (cpu: number) => hostOf((cpu - cpus) / cpuStride);
  return instantiateRuntime(image, shared, {
    portIn: () => -1,
    portOut: () => {},
    mmioRead: () => -1,
    mmioWrite: () => {},
    rdtsc: (cpu) => of(cpu).rdtsc(cpu),
    setTscDeadline: () => {},
    setApicBase: () => {},
    tscDeadlineArmed: (cpu) => of(cpu).tscDeadlineArmed(cpu),
    interruptAck: () => -1,
    fpuError: (cpu, level) => of(cpu).fpuError(cpu, level),
    invalidateCode: (_cpu, phys, bytes) => ramWritten(shared, phys >>> 0, bytes),
    trace: () => {},
    clientCall: () => {},
    clientCrossing: () => {},
  });
}
