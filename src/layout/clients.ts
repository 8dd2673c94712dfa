// What the runtime does for clients where no code of the guest's stands that could do it (clients/runtime-code.ts): on ways between the privilege levels, and at accesses that its own functions
// make. Each CPU has functions for that in its table, made of what the clients' hooks wrote.
import { array, struct, u32 } from './struct.ts';

/** What clients want (bits of Control.clientTells): code at ways between the levels, calls of JavaScript there, code at accesses. */
export const ClientTells = { CROSSING: 1, CROSSED: 2, ACCESS: 4 } as const;

/** By what the kernel is entered: bits above the vector (ClientWords.by). An instruction has a vector where it is INT n. */
export const CROSSED_BY = 8;
export const CrossedBy = { NO_VECTOR: 0, EXCEPTION: 1, INTERRUPT: 2, INSTRUCTION: 3 } as const;

/** Kinds of accesses that the runtime tells of: bits. Of four bytes, of two (WORD), or a run of any number (RUN); with the rights of CPL 3 (USER) or above. */
export const NotedAccess = { WRITES: 1, USER: 2, WORD: 4, RUN: 8 } as const;
export const NOTED_ACCESSES = 16;

/** A run of a string instruction up to where it faulted: what it read or wrote by ESI, and by EDI. */
export const StringPart = struct({ address: u32, bytes: u32, kind: u32 });
export const STRING_PARTS = 2;

/** Of a CPU. Table indices are 0 where there is nothing to do. */
export const ClientWords = struct({
  /** Code for a way into the kernel, and for one out of it. */
  crossing: array(2, u32),
  /** What that is told: the vector and CrossedBy; EIP of the instruction that was interrupted, 0 without a vector. */
  by: u32,
  at: u32,
  /** Cpu.lastDeliveryCount at the last way. */
  deliveries: u32,
  /** Code for an access, by its kind (NotedAccess). */
  access: array(NOTED_ACCESSES, u32),
  /** What that is told: its linear address, and how many bytes. */
  address: u32,
  bytes: u32,
});
