// A tiny language for describing records in the shared memory: names, widths, offsets.
// Everything that reads or writes shared state takes its offsets from descriptions made here, in TypeScript,
// in emitted WebAssembly and (through scripts/build.ts) in the AssemblyScript runtime.

/** Width of a field in bytes, or an array of `count` fields of `stride` bytes each. */
export interface FieldSpec {
  readonly bytes: number;
  readonly align: number;
}

export const u8: FieldSpec = { bytes: 1, align: 1 };
export const u16: FieldSpec = { bytes: 2, align: 2 };
export const u32: FieldSpec = { bytes: 4, align: 4 };
export const u64: FieldSpec = { bytes: 8, align: 8 };
export const v128: FieldSpec = { bytes: 16, align: 16 };
/** `count` elements of `bytes` bytes, aligned to `align`. */
export const array = (count: number, bytes: number, align = bytes): FieldSpec => ({ bytes: count * bytes, align });

export type Offsets<T> = { readonly [K in keyof T]: number };

export interface Struct<T> {
  readonly name: string;
  readonly size: number;
  /** Byte offset of each field from the start of the record. */
  readonly at: Offsets<T>;
}

/** Lays the fields out in order, each at its natural alignment; the whole is padded to `align`. */
export function struct<T extends Record<string, FieldSpec>>(name: string, fields: T, align = 16): Struct<T> {
  let offset = 0;
  const at: Record<string, number> = {};
  for (const [key, spec] of Object.entries(fields)) {
    offset = (offset + spec.align - 1) & -spec.align;
    at[key] = offset;
    offset += spec.bytes;
  }
  return { name, size: (offset + align - 1) & -align, at: at as Offsets<T> };
}
