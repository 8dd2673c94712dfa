// What the runtime asks of JavaScript: ports, memory-mapped devices, time, interrupt controllers, the code cache.
import { Cpu } from '../gen/layout';

@external("host", "portIn")
export declare function hostPortIn(cpu: Cpu, port: u32, size: u32): u32;

@external("host", "portOut")
export declare function hostPortOut(cpu: Cpu, port: u32, size: u32, value: u32): void;

@external("host", "mmioRead")
export declare function hostMmioRead(cpu: Cpu, phys: u32, size: u32): u32;

@external("host", "mmioWrite")
export declare function hostMmioWrite(cpu: Cpu, phys: u32, size: u32, value: u32): void;

/** Nanoseconds of the host's monotonic clock, the same on all threads. Without parameters, so that a function of the host serves as it is. */
@external("host", "monotonic")
export declare function hostMonotonic(): u64;

/** The machine's time-stamp counter, before Cpu.tscOffset is added, where Control.clockAsks or Cpu.clockWatch says that it must be asked for. */
@external("host", "rdtsc")
export declare function hostRdtsc(cpu: Cpu): u64;

/** IA32_TSC_DEADLINE: arms the local APIC's timer for a time of the counter before Cpu.tscOffset; 0 disarms. */
@external("host", "setTscDeadline")
export declare function hostSetTscDeadline(cpu: Cpu, value: u64): void;

/** Whether a deadline is armed (1 or 0). */
@external("host", "tscDeadlineArmed")
export declare function hostTscDeadlineArmed(cpu: Cpu): u32;

/** IA32_APIC_BASE was written: switches the CPU's local APIC on or off. */
@external("host", "setApicBase")
export declare function hostSetApicBase(cpu: Cpu, value: u32): void;

/** Acknowledges the highest maskable interrupt: its vector, or -1 if there is none. */
@external("host", "interruptAck")
export declare function hostInterruptAck(cpu: Cpu): i32;

/** FERR# changes (`level`), or is looked at again: whether IGNNE# is asserted (1 or 0). */
@external("host", "fpuError")
export declare function hostFpuError(cpu: Cpu, level: u32): u32;

/** A store changed a page of guest RAM that holds code: forget what was decoded or translated from it. */
@external("host", "invalidateCode")
export declare function hostInvalidateCode(cpu: Cpu, phys: u32, bytes: u32): void;

/** The trace ring has records for the host to read. Comes back when there is room for more, or the machine stops. */
@external("host", "trace")
export declare function hostTrace(cpu: Cpu): void;

@external("host", "log")
export declare function hostLog(code: u32, value: u32): void;
