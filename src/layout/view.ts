// A record of the shared memory as an object: its fields are properties that read and write the memory. A property is an accessor of the record's
// class, which V8 inlines: it costs what an element of a typed array at a constant index costs.
import type { FieldSpec, FieldType, Struct } from './struct.ts';

interface Numbers {
  u8: number;
  u16: number;
  u32: number;
  i32: number;
  f64: number;
  u64: bigint;
  area: never;
}
interface Arrays {
  u8: Uint8Array;
  u16: Uint16Array;
  u32: Uint32Array;
  i32: Int32Array;
  f64: Float64Array;
  u64: BigUint64Array;
  area: Uint8Array;
}

/** Fields that are properties with a value; the others are objects, which stay the same. */
type Values<T> = { [K in keyof T]: T[K] extends { array: object } | { shared: true } | { type: 'area' } ? never : K }[keyof T];
type Value<F> = F extends { type: infer K extends FieldType } ? Numbers[K] : never;
type Part<F> = F extends { array: { record: Struct<infer R> } }
  ? readonly Fields<R>[]
  : F extends { array: object; type: infer K extends FieldType }
    ? Arrays[K]
    : F extends { shared: true }
      ? SharedWord
      : Uint8Array;

type Fields<T> = { [K in Values<T>]: Value<T[K]> } & { readonly [K in Exclude<keyof T, Values<T>>]: Part<T[K]> } & Bytes;
/** Of a record, `typeof PicState`, say. */
export type View<R> = R extends Struct<infer T> ? Fields<T> : never;

/** A word that several threads write, or wait for. As a number it is signed, or as the operators make it. */
export class SharedWord {
  readonly words: Int32Array;
  readonly index: number;

  constructor(words: Int32Array, index: number) {
    this.words = words;
    this.index = index;
  }

  /** For its only writer. */
  get plain(): number {
    return this.words[this.index];
  }

  load(): number {
    return Atomics.load(this.words, this.index);
  }

  store(value: number): void {
    Atomics.store(this.words, this.index, value);
  }

  add(value: number): number {
    return Atomics.add(this.words, this.index, value);
  }

  and(value: number): number {
    return Atomics.and(this.words, this.index, value);
  }

  or(value: number): number {
    return Atomics.or(this.words, this.index, value);
  }

  exchange(value: number): number {
    return Atomics.exchange(this.words, this.index, value);
  }

  compareExchange(expected: number, value: number): number {
    return Atomics.compareExchange(this.words, this.index, expected, value);
  }

  /** Sleeps while it is `value`, for `ms` at the most. */
  wait(value: number, ms?: number): void {
    Atomics.wait(this.words, this.index, value, ms);
  }

  /** Wakes `count` sleepers: all of them by default. */
  notify(count?: number): void {
    Atomics.notify(this.words, this.index, count);
  }
}

type Buffer = ArrayBufferLike;

/** What every view has: the bytes of its record, in the widths of its fields. */
class Bytes {
  readonly #u8: Uint8Array;
  readonly #u16: Uint16Array;
  readonly #u32: Uint32Array;
  readonly #i32: Int32Array;
  readonly #f64: Float64Array;
  readonly #u64: BigUint64Array;

  constructor(record: Struct<unknown>, buffer: Buffer, at: number) {
    const types = new Set(Object.values(record.fields).map(({ type }) => type));
    const bytes = (type: FieldType) => (types.has(type) ? record.size : 0);
    this.#u8 = new Uint8Array(buffer, at, record.size);
    this.#u16 = new Uint16Array(buffer, at, bytes('u16') >> 1);
    this.#u32 = new Uint32Array(buffer, at, bytes('u32') >> 2);
    this.#i32 = new Int32Array(buffer, at, bytes('i32') >> 2);
    this.#f64 = new Float64Array(buffer, up(at, 8), bytes('f64') >> 3);
    this.#u64 = new BigUint64Array(buffer, up(at, 8), bytes('u64') >> 3);
    for (const [name, spec] of Object.entries(record.fields)) {
      if (!isValue(spec)) Object.defineProperty(this, name, { value: part(spec, buffer, at + offsetOf(record, name)) });
    }
  }

  /** Makes all of a record zeros. */
  static clear(view: Bytes): void {
    view.#u8.fill(0);
  }

  /** Where a record is in its buffer. */
  static address(view: Bytes): number {
    return view.#u8.byteOffset;
  }

  /** A word (u32) by its number, for who does not know its name. */
  static word(view: Bytes, n: number): number {
    return view.#u32[n];
  }

  /** The accessor of a field: element `n` of the record, in the width of the field. */
  static accessor(type: Exclude<FieldType, 'area'>, n: number): PropertyDescriptor & ThisType<Bytes> {
    // One by one, so that each has one kind of array.
    const accessors: Record<typeof type, PropertyDescriptor & ThisType<Bytes>> = {
      u8: {
        get() {
          return this.#u8[n];
        },
        set(value) {
          this.#u8[n] = value;
        },
      },
      u16: {
        get() {
          return this.#u16[n];
        },
        set(value) {
          this.#u16[n] = value;
        },
      },
      u32: {
        get() {
          return this.#u32[n];
        },
        set(value) {
          this.#u32[n] = value;
        },
      },
      i32: {
        get() {
          return this.#i32[n];
        },
        set(value) {
          this.#i32[n] = value;
        },
      },
      f64: {
        get() {
          return this.#f64[n];
        },
        set(value) {
          this.#f64[n] = value;
        },
      },
      u64: {
        get() {
          return this.#u64[n];
        },
        set(value) {
          this.#u64[n] = value;
        },
      },
    };
    return accessors[type];
  }
}

export const { clear, address, word } = Bytes;

const isValue = ({ type, shared, array }: FieldSpec): boolean => type !== 'area' && shared !== true && array === undefined;
const offsetOf = (record: Struct<unknown>, name: string): number => (record.at as Record<string, number>)[name];
const up = (value: number, to: number): number => Math.ceil(value / to) * to;

/** The object that a field is which is no value. */
function part({ bytes, type, shared, array }: FieldSpec, buffer: Buffer, at: number): unknown {
  if (array?.record !== undefined) {
    const { record } = array;
    return Array.from({ length: bytes / record.size }, (_, n) => view(record, buffer, at + n * record.size));
  }
  if (shared === true && array === undefined) return new SharedWord(new Int32Array(buffer, at, 1), 0);
  const Elements = ELEMENTS[type];
  if (array !== undefined && array.stride !== Elements.BYTES_PER_ELEMENT) throw new RangeError('elements with gaps have no view');
  return new Elements(buffer as ArrayBuffer, at, bytes / Elements.BYTES_PER_ELEMENT);
}

const ELEMENTS = {
  u8: Uint8Array,
  u16: Uint16Array,
  u32: Uint32Array,
  i32: Int32Array,
  f64: Float64Array,
  u64: BigUint64Array,
  area: Uint8Array,
} as const;

type ViewClass = new (record: Struct<unknown>, buffer: Buffer, at: number) => Bytes;
const classes = new WeakMap<Struct<unknown>, ViewClass>();

function classOf(record: Struct<unknown>): ViewClass {
  const made = class extends Bytes {};
  for (const [name, spec] of Object.entries(record.fields)) {
    const { type, bytes } = spec;
    if (type !== 'area' && isValue(spec)) Object.defineProperty(made.prototype, name, Bytes.accessor(type, offsetOf(record, name) / bytes));
  }
  classes.set(record, made);
  return made;
}

/** The record that lies at byte `at` of a buffer. */
export function view<R extends Struct<unknown>>(record: R, buffer: Buffer, at = 0): View<R> {
  const Class = classes.get(record) ?? classOf(record);
  return new Class(record, buffer, at) as unknown as View<R>;
}
