// A tiny language for describing records in the shared memory: names, widths, offsets.
// Everything that reads or writes shared state takes its offsets from descriptions made here, in TypeScript (devices by views, view.ts),
// in emitted WebAssembly and (through scripts/gen-layout.ts) in the AssemblyScript runtime.

/** What a field holds. An `area` is bytes that have no type of their own; whoever uses it knows. */
export type FieldType = 'u8' | 'u16' | 'u32' | 'i32' | 'u64' | 'f64' | 'area';

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

export const u8 = { bytes: 1, align: 1, type: 'u8' } as const;
export const u16 = { bytes: 2, align: 2, type: 'u16' } as const;
export const u32 = { bytes: 4, align: 4, type: 'u32' } as const;
/** For words with a value below 0 that means something. */
export const i32 = { bytes: 4, align: 4, type: 'i32' } as const;
export const u64 = { bytes: 8, align: 8, type: 'u64' } as const;
export const f64 = { bytes: 8, align: 8, type: 'f64' } as const;
/** A 32-bit word that several threads write, or wait for. */
export const shared32 = { ...u32, shared: true } as const;
/** `count` elements, `stride` bytes apart. */
export const array = <F extends FieldSpec>(count: number, of: F, stride = of.bytes) => ({
  bytes: count * stride,
  align: stride,
  type: of.type as F['type'],
  array: { stride },
  ...(of.shared ? { shared: true } : {}),
});
/** `count` records one behind the other. */
export const records = <T>(count: number, record: Struct<T>, align = record.align) => ({
  bytes: count * record.size,
  align,
  type: 'area' as const,
  array: { stride: record.size, record },
});
/** `bytes` bytes without a type, aligned to `align`. */
export const area = (bytes: number, align: number) => ({ bytes, align, type: 'area' as const });
/** On a cache line that it shares with nothing before it. */
export const ownLine = <F extends FieldSpec>(field: F): F => ({ ...field, align: CACHE_LINE });
export const CACHE_LINE = 64;

/** A record of words: the number of each field's first word. */
export const wordsOf = <T>({ at }: Struct<T>): Offsets<T> =>
  Object.fromEntries(Object.entries<number>(at as Record<string, number>).map(([name, offset]) => [name, offset / 4])) as Offsets<T>;

export type Offsets<T> = { readonly [K in keyof T]: number };

export interface Struct<T> {
  readonly size: number;
  /** That of the field that wants most. */
  readonly align: number;
  /** Byte offset of each field from the start of the record. */
  readonly at: Offsets<T>;
  readonly fields: Readonly<Record<string, FieldSpec>> & T;
}

/** Lays the fields out in order, each at its natural alignment; the whole is padded to `align`. */
export function struct<T extends Record<string, FieldSpec>>(fields: T, align = 16): Struct<T> {
  let offset = 0;
  let most = 4;
  const at: Record<string, number> = {};
  for (const [key, spec] of Object.entries(fields)) {
    offset = (offset + spec.align - 1) & -spec.align;
    at[key] = offset;
    most = Math.max(most, spec.align);
    offset += spec.bytes;
  }
  return { size: (offset + align - 1) & -align, align: most, at: at as Offsets<T>, fields };
}
