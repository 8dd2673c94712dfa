// Which processor this is, and the features that CPUID announces (SDM vol. 2, CPUID): the one list for the CPUID instruction (wasm/system/cpuid.ts), for
// whoever else is told of the processor, and for the decoder, which knows the instructions of these and of no other.

/** Family 6, model 1CH, stepping 10: leaf 1, EAX, and EDX behind a reset (SDM vol. 3, 10.1.2). */
export const CPUID_SIGNATURE = 0x106ca;

/** Bits of leaf 1, EDX, by the manual's names; APIC and HTT come and go with the machine (wasm/system/cpuid.ts). */
const EDX = {
  FPU: 0,
  DE: 2,
  PSE: 3,
  TSC: 4,
  MSR: 5,
  PAE: 6,
  MCE: 7,
  CX8: 8,
  SEP: 11,
  PGE: 13,
  MCA: 14,
  CMOV: 15,
  PAT: 16,
  CLFSH: 19,
  MMX: 23,
  FXSR: 24,
  SSE: 25,
  SSE2: 26,
};
/** Bits of leaf 1, ECX. */
const ECX = { SSE3: 0, POPCNT: 23, TSC_DEADLINE: 24 };

const word = (bits: Record<string, number>): number => Object.values(bits).reduce((all, bit) => (all | (1 << bit)) >>> 0, 0);
export const CPUID_EDX = word(EDX);
export const CPUID_EDX_APIC = 1 << 9;
/** More than one logical processor in the package. */
export const CPUID_EDX_HTT = 1 << 28;
export const CPUID_ECX = word(ECX);

/** Names of the announced features; those that are instructions are called so by iced-x86 too. */
export const ANNOUNCED: ReadonlySet<string> = new Set([...Object.keys(EDX), ...Object.keys(ECX)]);
