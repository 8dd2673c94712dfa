// Bits of the processor's own words, which the runtime alone works on: control registers, descriptors, and what it asks of the page tables.

/** CR0 (SDM vol. 3, 2.5). */
export const Cr0 = {
  PE: 1,
  MP: 2,
  EM: 4,
  TS: 8,
  ET: 0x10,
  NE: 0x20,
  WP: 0x10000,
  AM: 0x40000,
  NW: 0x20000000,
  CD: 0x40000000,
  PG: 0x80000000,
} as const;

/** CR4 (SDM vol. 3, 2.5). */
export const Cr4 = {
  TSD: 4,
  DE: 8,
  PSE: 0x10,
  PAE: 0x20,
  MCE: 0x40,
  PGE: 0x80,
  PCE: 0x100,
  OSFXSR: 0x200,
  OSXMMEXCPT: 0x400,
} as const;

/** A descriptor's second word, and SegCache.access, which keeps some of it (SDM vol. 3, 3.4.5). */
export const Descriptor = {
  ACCESSED: 0x100,
  /** Of data. */
  WRITABLE: 0x200,
  /** Of code: the same bit. */
  READABLE: 0x200,
  /** Of data. */
  EXPAND_DOWN: 0x400,
  /** Of code: the same bit. */
  CONFORMING: 0x400,
  CODE: 0x800,
  /** S: clear for system segments and gates. */
  NOT_SYSTEM: 0x1000,
  PRESENT: 0x8000,
  /** D/B. */
  BIG: 0x400000,
  GRANULAR: 0x800000,
  /** The bits that SegCache.access keeps. */
  KEPT: 0xf0ff00,
} as const;

/** Types of system descriptors, (second word >> 8) & 15 (SDM vol. 3, table 3-2). */
export const SystemType = {
  TSS16: 1,
  LDT: 2,
  CALL16: 4,
  TASK: 5,
  TSS32: 9,
  CALL32: 12,
  /** The bit that makes an available TSS a busy one. */
  BUSY: 2,
} as const;

/** What an access asks for; the low bits are those of a page fault's error code (SDM vol. 3, 4.7). */
export const Access = {
  READ: 0,
  WRITE: 2,
  USER: 4,
  EXEC: 16,
  /** Not in an error code: the store comes from a region, which must not change code itself. */
  REGION: 0x100,
  /** Neither: the processor's own access to a descriptor table or a TSS, which no data breakpoint sees. */
  TABLE: 0x200,
  /** A walk that changes no entry: one that has not been used yet counts as a failure. */
  PEEK: 0x400,
} as const;
