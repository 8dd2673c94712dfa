// What the tests ask of an engine: load memory and registers, run, read back. Implemented over the real CPU in cpu-engine.ts; the tests know nothing
// else of it.

import type { RelaxTerm } from '../../src/api/relax.ts';
import type { EncoderName } from '../../src/emit/module/builder.ts';
import { loadEncoder } from '../../src/emit/module/load.ts';
import { createTestEngine } from './cpu-engine.ts';

export interface SegmentState {
  selector: number;
  base: number;
  /** Highest valid offset in bytes. */
  limit: number;
  /** Bits 8..23 of the descriptor's second word at bits 8..23. */
  access: number;
}

/** x87, MMX and SSE, as FXSAVE has them. */
export interface FloatState {
  mxcsr: number;
  fcw: number;
  /** Status word with TOP. */
  fsw: number;
  /** Abridged tag word: bit n set where register n is in use. */
  ftw: number;
  /** MM0..MM7: the significands of the physical registers R0..R7, 8 bytes each. */
  mm: Uint8Array;
  /** XMM0..XMM7, 16 bytes each. */
  xmm: Uint8Array;
}

export interface EngineState extends FloatState {
  /** EAX ECX EDX EBX ESP EBP ESI EDI. */
  gpr: Uint32Array;
  /** All of EFLAGS, arithmetic flags included, bit 1 set. */
  eflags: number;
  eip: number;
  /** ES CS SS DS FS GS LDTR TR. */
  segments: SegmentState[];
  cpl: number;
  cr0: number;
  cr2: number;
  cr3: number;
  cr4: number;
  dr: Uint32Array;
  gdt: { base: number; limit: number };
  idt: { base: number; limit: number };
}

export interface RunOptions {
  /** Stop before the instruction at this EIP. */
  untilEip?: number;
  /** Give up after about this many instructions, or rather the time that they take on a slow machine (it is only a guard). */
  maxInstructions?: number;
  /** The guard as a time, instead. */
  limitMs?: number;
  /** 'deliver' (default): exceptions go through the guest's IDT. 'stop': return reason 'fault' at the first exception that an instruction
   * raises; registers, memory and EIP are then as the manual says they are when the handler starts, without any delivery. */
  faults?: 'deliver' | 'stop';
  /** A maskable interrupt: each time the guest writes to the port, each time FERR# goes up (fpuError), and once after a time. It is taken where IF allows it, and wakes a HLT. */
  interrupt?: { vector: number; port?: number; fpuError?: boolean; afterMs?: number };
}

export interface RunResult {
  /** 'halted': HLT ran (EIP is behind it). 'shutdown': a triple fault. */
  reason: 'reached' | 'halted' | 'fault' | 'limit' | 'shutdown';
  /** The exception, for 'fault'. */
  vector?: number;
  error?: number;
}

/** One CPU with 16 MiB of RAM (physical 0 on) and no devices; ports read as all ones, writes go nowhere. */
export interface TestEngine {
  /** 'jit': every block is translated before its first execution; what cannot be translated may be interpreted. */
  readonly name: 'interpreter' | 'jit';
  /** RAM zeroed; 32-bit protected mode as a multiboot loader leaves it: CS (selector 8) and the data segments (0x10) flat with limit 4 GiB, CPL 0, paging off, CR0 = 0x11
   * (PE, ET), EFLAGS = 2, general registers 0, CR4 = 0, GDT and IDT limit 0, MXCSR 0x1f80, FCW 0x37f, the rest 0. Translations of before are dropped. `relax`: what
   * translated code relies on; without it all that is exact. */
  reset(relax?: readonly RelaxTerm[]): void;
  /** Writes at a linear address through the current paging (supervisor, ignoring write protection), and drops translations of what was there. */
  writeMemory(linear: number, bytes: Uint8Array): void;
  readMemory(linear: number, length: number): Uint8Array;
  /** Sets what is given; changes of CR0, CR3, CR4, segments flush the TLB and recompute the mode, as the instructions would. */
  setState(state: Partial<EngineState>): void;
  getState(): EngineState;
  run(options?: RunOptions): RunResult;
  /** The state for people, as a machine shows it when it crashes. */
  dump(): string;
  /** Frees what the engine holds. */
  close?(): void;
}

/** The engines that the tests run on. */
export const engineNames = ['interpreter', 'jit'] as const;

/** The same, and each encoder of regions: for suites that would notice a wrong one. The others take 'direct', which is there at once. */
export const engineVariants: readonly { readonly title: string; readonly name: TestEngine['name']; readonly encoder: EncoderName }[] = [
  { title: 'interpreter', name: 'interpreter', encoder: 'direct' },
  { title: 'jit', name: 'jit', encoder: 'direct' },
  { title: 'jit by binaryen', name: 'jit', encoder: 'binaryen' },
];

/** `onTrace` gets the lines of the execution trace; without it nothing is traced. */
export async function openEngine(
  name: TestEngine['name'],
  onTrace?: (text: string) => void,
  encoder: EncoderName = 'direct',
): Promise<TestEngine> {
  return createTestEngine(name, onTrace, await loadEncoder(encoder));
}
