// What the runtime asks of JavaScript: a line for each function, with its types and effects. The build makes wasm/gen/host.ts of them, which the runtime imports (`hostPortIn` ...), and
// fails where the compiled runtime asks for anything else; those who are asked have the type that follows from the lines (HostImports). None of these functions touches
// registers, flags or guest memory of the CPU that calls.
import type { OfJavaScript } from './abi.ts';

/** What a parameter or a result is to the runtime. `cpu`: the address of the CPU that asks. */
export type HostType = 'cpu' | 'u32' | 'i32' | 'u64';

interface Parameter {
  readonly name: string;
  readonly type: HostType;
}

/** What asking does to the CPU that asks (test/unit/runtime/effects.test.ts holds the runtime's functions to it). */
export interface HostEffects {
  /** It may wait, parked, for whoever reads the guest's output: nothing that was found in the TLB outlives it. */
  readonly parks?: boolean;
}

/** A function that the runtime imports. */
export interface HostFunction {
  readonly params: readonly Parameter[];
  readonly result: HostType | undefined;
  readonly effects: HostEffects;
}

const cpu = { name: 'cpu', type: 'cpu' } as const;
const u32 = <const N extends string>(name: N) => ({ name, type: 'u32' }) as const;
const u64 = <const N extends string>(name: N) => ({ name, type: 'u64' }) as const;
const asks = <const P extends readonly Parameter[], const R extends HostType | undefined = undefined>(
  params: P,
  result?: R,
  effects: HostEffects = {},
) => ({ params, result: result as R, effects });
const PARKS = { parks: true } as const;

export const hostFunctions = {
  portIn: asks([cpu, u32('port'), u32('size')], 'u32', PARKS),
  portOut: asks([cpu, u32('port'), u32('size'), u32('value')], undefined, PARKS),
  // Devices in memory do not wait: a region keeps what it knows of pages behind the slow way of an access.
  mmioRead: asks([cpu, u32('phys'), u32('size')], 'u32'),
  mmioWrite: asks([cpu, u32('phys'), u32('size'), u32('value')]),
  /** Nanoseconds of the host's monotonic clock, the same on all threads. Without parameters, so that a function of the host serves as it is. */
  monotonic: asks([], 'u64'),
  /** The machine's time-stamp counter (nanoseconds since power-on), before Cpu.tscOffset is added, where Control.clockAsks or Cpu.clockWatch says that it must be asked for. */
  rdtsc: asks([cpu], 'u64'),
  /** IA32_TSC_DEADLINE: arms the local APIC's timer for a time of that counter; 0 disarms. */
  setTscDeadline: asks([cpu, u64('value')]),
  /** Whether a deadline is armed (1 or 0). */
  tscDeadlineArmed: asks([cpu], 'u32'),
  /** IA32_APIC_BASE was written: switches the CPU's local APIC on or off. */
  setApicBase: asks([cpu, u32('value')]),
  /** Acknowledges the highest maskable interrupt: its vector, or -1 if there is none. */
  interruptAck: asks([cpu], 'i32'),
  /** FERR# changes (`level`), or is read again: whether IGNNE# is asserted (1 or 0). */
  fpuError: asks([cpu, u32('level')], 'u32'),
  /** `bytes` bytes at `phys`, all in one page, were stored, and hit code (wasm/memory/codepage.ts): what was decoded or translated from them is to be dropped. */
  invalidateCode: asks([cpu, u32('phys'), u32('bytes')]),
  /** The CPU's trace ring has records for the host to read. Comes back when there is room for more, or the machine stops. */
  trace: asks([cpu]),
  /** Code calls a client's function (clients/calls.ts), with EIP and EFLAGS where it asked for exact state. */
  clientCall: asks([cpu, u32('which'), u32('eip'), u32('eflags'), u32('a'), u32('b'), u32('c'), u32('d'), u32('e')]),
  /** The CPU came to CPL 3, or from there (ClientTells.CROSSED). */
  clientCrossing: asks([cpu]),
};

type Functions = typeof hostFunctions;
type JavaScriptOf<T extends HostType> = OfJavaScript<T extends 'u64' ? 'i64' : 'i32'>;
type Arguments<P extends readonly Parameter[]> = { -readonly [K in keyof P]: JavaScriptOf<P[K]['type']> };

/** What a machine answers the runtime with. (The clock is the host's own.) */
export type HostImports = {
  [K in Exclude<keyof Functions, 'monotonic'>]: (
    ...args: Arguments<Functions[K]['params']>
  ) => Functions[K]['result'] extends HostType ? JavaScriptOf<Functions[K]['result']> : void;
};
