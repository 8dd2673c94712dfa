// Reading and writing a machine that stands still: the types of its CPUs' registers and of its memory, for programs and debuggers.
import type { Bytes } from './bytes.ts';

/** A segment register with its hidden part (SDM vol. 3, 3.4.3), or LDTR or TR. */
export interface SegmentState {
  readonly selector: number;
  readonly base: number;
  /** Highest valid offset, in bytes. */
  readonly limit: number;
  /** Bits 8 to 23 of the descriptor's second word, at bits 8 to 23; 0 where the selector is null. */
  readonly access: number;
}

/** GDTR or IDTR: a linear address, and the highest valid offset from there. */
export interface TableRegister {
  readonly base: number;
  readonly limit: number;
}

/**
 * The registers of a CPU, by their names in the SDM. Numbers are unsigned; what is no integer of the register's width is refused by BAD_OPTION, with the register's name.
 * What the processor would refuse of an instruction that loads the register is refused as well, and nothing has changed then. Each access throws BAD_STATE while the machine runs.
 */
export interface CpuRegisters {
  eax: number;
  ecx: number;
  edx: number;
  ebx: number;
  esp: number;
  ebp: number;
  esi: number;
  edi: number;
  /** Offset in CS of the next instruction. Written, the CPU goes on there: it leaves HLT, and what was to come behind its last instruction (a single-step trap) does not come. */
  eip: number;
  /** Written bits take effect; reserved ones stay. VM cannot be changed (NOT_SUPPORTED). */
  eflags: number;
  /**
   * Selectors. Written, the descriptor is loaded as MOV would at the CPU's privilege level, or, in real-address and virtual-8086 mode, the base is made of the selector; the
   * selector that is there already changes nothing. Another CS in protected mode: NOT_SUPPORTED.
   */
  cs: number;
  ss: number;
  ds: number;
  es: number;
  fs: number;
  gs: number;
  readonly segments: {
    readonly [K in 'cs' | 'ss' | 'ds' | 'es' | 'fs' | 'gs' | 'ldtr' | 'tr']: SegmentState;
  };
  readonly gdtr: TableRegister;
  readonly idtr: TableRegister;
  /** Written as MOV to the register does at privilege level 0: translations are forgotten, the mode follows. */
  cr0: number;
  cr2: number;
  cr3: number;
  cr4: number;
  /** Breakpoints count from the next instruction on. */
  dr0: number;
  dr1: number;
  dr2: number;
  dr3: number;
  dr6: number;
  dr7: number;
  /** The current privilege level. */
  readonly cpl: number;
  /** ST(0) to ST(7) rounded to 53 bits. Written, the register is in use. */
  st0: number;
  st1: number;
  st2: number;
  st3: number;
  st4: number;
  st5: number;
  st6: number;
  st7: number;
  /** The same as they are: ten bytes, significand first. */
  st0Bytes: Uint8Array;
  st1Bytes: Uint8Array;
  st2Bytes: Uint8Array;
  st3Bytes: Uint8Array;
  st4Bytes: Uint8Array;
  st5Bytes: Uint8Array;
  st6Bytes: Uint8Array;
  st7Bytes: Uint8Array;
  fcw: number;
  /** With TOP in bits 11 to 13. Written, ES and B follow from the exceptions and their masks. */
  fsw: number;
  /** As FXSAVE has it: bit n is set where physical register Rn is in use. */
  ftw: number;
  mxcsr: number;
  /** Sixteen bytes, the lowest first. */
  xmm0: Uint8Array;
  xmm1: Uint8Array;
  xmm2: Uint8Array;
  xmm3: Uint8Array;
  xmm4: Uint8Array;
  xmm5: Uint8Array;
  xmm6: Uint8Array;
  xmm7: Uint8Array;
  /** The time-stamp counter, as RDTSC has it. */
  readonly tsc: bigint;
  /** What RDMSR reads. Throws BAD_OPTION where the processor has no such register. */
  msr(index: number): bigint;
}

/** A stretch of memory that a program reads and writes. Throws BAD_STATE while the machine runs. */
export interface InspectedMemory {
  /** A copy. Throws BAD_ADDRESS, with the first address that cannot be read and why. */
  read(address: number, length: number): Uint8Array;
  /** All of the bytes, or none: throws BAD_ADDRESS, with the first address that cannot be written and why. Code that was made of what was there is dropped. */
  write(address: number, bytes: Bytes): void;
}

/** Memory as all CPUs have it. */
export interface MachineMemory {
  /** By physical addresses: RAM (the text of a video card is RAM) and ROM, which cannot be written. Devices are not touched. */
  readonly physical: InspectedMemory;
}

/** Where a linear address leads, by the page tables as they are in memory. */
export interface Translation {
  readonly physical: number;
  /** Bytes of its page; without paging all of the address space is one. */
  readonly pageSize: number;
  /** What all levels of the tables allow: writes (of the user; of the supervisor with CR0.WP), accesses of the user, and to be executed. */
  readonly writable: boolean;
  readonly user: boolean;
  readonly executable: boolean;
  /** It outlives a load of CR3. */
  readonly global: boolean;
}

/** An instruction in memory. */
export interface DisassembledInstruction {
  /** Linear. */
  readonly address: number;
  readonly bytes: Uint8Array;
  readonly length: number;
  /** Intel syntax; '(bad)' for what is none. */
  readonly text: string;
}

/** A function that has not returned yet. */
export interface StackFrame {
  /** Linear: where it goes on. */
  readonly address: number;
  /** 'name+0x1f', where there are symbols. */
  readonly symbol: string | undefined;
  /** Linear address of its frame: where EBP points to. The innermost function's may not be there yet. */
  readonly frame: number;
}

/** A CPU of a machine that stands still. Its methods throw BAD_STATE while the machine runs, and BAD_OPTION for arguments of another kind. */
export interface CpuHandle {
  readonly index: number;
  readonly registers: CpuRegisters;
  /**
   * By linear addresses, through the page tables that the CPU goes by now, with the supervisor's rights and without a look at write protection. No entry of a table is marked, no fault comes.
   * Page tables that are changed this way count for the CPU when it next forgets what it knew of them (a write of cr3, INVLPG by the guest).
   */
  readonly memory: InspectedMemory;
  /** Undefined where the address is not mapped. */
  translate(linear: number): Translation | undefined;
  /**
   * `count` instructions from a linear address on (default: the next one's), 16 or 32 bits as CS is. Where memory ends, or an instruction is cut off, there are fewer. What is shown is memory as it was at the call.
   */
  disassemble(address?: number, count?: number): Promise<DisassembledInstruction[]>;
  /** From the innermost function on, `most` frames at the most, by the chain that EBP begins: right where code keeps it (compilers need -fno-omit-frame-pointer). */
  backtrace(most?: number): StackFrame[];
}
