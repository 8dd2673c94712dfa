// A tiny language for describing records in the shared memory: names, widths, offsets.
// Everything that reads or writes shared state takes its offsets from descriptions made here, in TypeScript,
// in emitted WebAssembly and (through scripts/gen-layout.ts) in the AssemblyScript runtime.

/** What a field holds. An `area` is bytes that have no type of their own; whoever uses it knows. */
export type FieldType = 'u8' | 'u16' | 'u32' | 'u64' | 'f64' | 'area';

/** A field: its width in bytes, and its type. */
export interface FieldSpec {
  readonly bytes: number;
  readonly align: number;
  readonly type: FieldType;
  /** Several threads write it, or wait for it: the runtime gets its atomic operations. */
  readonly shared?: boolean;
  /** An array: elements of `type`, or records, `stride` bytes apart. */
  readonly array?: { readonly stride: number; readonly record?: Struct<unknown> };
}

export const u8: FieldSpec = { bytes: 1, align: 1, type: 'u8' };
export const u16: FieldSpec = { bytes: 2, align: 2, type: 'u16' };
export const u32: FieldSpec = { bytes: 4, align: 4, type: 'u32' };
export const u64: FieldSpec = { bytes: 8, align: 8, type: 'u64' };
export const f64: FieldSpec = { bytes: 8, align: 8, type: 'f64' };
/** A 32-bit word that several threads write, or wait for. */
export const shared32: FieldSpec = { ...u32, shared: true };
/** `count` elements, `stride` bytes apart. */
export const array = (count: number, of: FieldSpec, stride = of.bytes): FieldSpec => ({
  bytes: count * stride,
  align: stride,
  type: of.type,
  array: { stride },
  ...(of.shared ? { shared: true } : {}),
});
/** `count` records one behind the other. */
export const records = (count: number, record: Struct<unknown>, align = 4): FieldSpec => ({
  bytes: count * record.size,
  align,
  type: 'area',
  array: { stride: record.size, record },
});
/** `bytes` bytes without a type, aligned to `align`. */
export const area = (bytes: number, align: number): FieldSpec => ({ bytes, align, type: 'area' });

/** A record of words: the number of each field's first word. */
export const wordsOf = <T>({ at }: Struct<T>): Offsets<T> =>
  Object.fromEntries(Object.entries<number>(at as Record<string, number>).map(([name, offset]) => [name, offset / 4])) as Offsets<T>;

export type Offsets<T> = { readonly [K in keyof T]: number };

export interface Struct<T> {
  readonly size: number;
  /** Byte offset of each field from the start of the record. */
  readonly at: Offsets<T>;
  readonly fields: Readonly<Record<string, FieldSpec>>;
}

/** Lays the fields out in order, each at its natural alignment; the whole is padded to `align`. */
export function struct<T extends Record<string, FieldSpec>>(fields: T, align = 16): Struct<T> {
  let offset = 0;
  const at: Record<string, number> = {};
  for (const [key, spec] of Object.entries(fields)) {
    offset = (offset + spec.align - 1) & -spec.align;
    at[key] = offset;
    offset += spec.bytes;
  }
  return { size: (offset + align - 1) & -align, at: at as Offsets<T>, fields };
}
