// What the client shadow knows of a heap, in its room of the machine's memory, which the threads of all CPUs share: functions of the allocator that have not returned, objects with where they were
// allocated and freed, and the mistakes that were found. All under one lock, which is held for some hundred words.
import { DEEPEST } from './guest-stacks.ts';

/** Calls of the allocator at once: of CPUs, and of threads that sleep in it. */
const PENDING = 256;
/** Places where an object may be, from its own on. */
const PROBES = 8;
/** Different mistakes. */
const FOUND = 64;

/** A stack in words: how many, and these. */
const STACK = 1 + DEEPEST;
/** Words of an entry. */
const Pending = { esp: 0, call: 1, argument: 2, other: 3, stack: 4, words: 4 + STACK };
const Obj = { at: 0, size: 1, extent: 2, freed: 3, allocated: 4, freedBy: 4 + STACK, words: 4 + 2 * STACK };
const Found = { count: 0, kind: 1, at: 2, bytes: 3, cpu: 4, stack: 5, object: 5 + STACK, words: 5 + STACK + Obj.words };

/** Words of all: the lock, counts, and the lists. */
const LOCK = 0;
const COUNTS = { allocated: 1, freed: 2, found: 3, lost: 4 };
/** Behind the last pending call. */
const PENDING_END = 5;
const PENDING_AT = 16;
const OBJECTS_AT = PENDING_AT + PENDING * Pending.words;
const foundAt = (bits: number): number => OBJECTS_AT + 2 ** bits * Obj.words;
/** Bytes of the notes of 2^bits objects. */
export const notesBytes = (bits: number): number => (foundAt(bits) + FOUND * Found.words) * 4;

export interface HeapObject {
  /** Behind the origin. */
  readonly at: number;
  readonly size: number;
  /** Bytes up to the next object. */
  readonly extent: number;
  readonly freed: boolean;
  readonly allocated: readonly number[];
  readonly freedBy: readonly number[];
}

/** A call of the allocator that has not come back. */
export interface PendingCall {
  /** Which function. */
  readonly call: number;
  /** What it does depends on these. */
  readonly argument: number;
  readonly other: number;
  readonly stack: readonly number[];
}

/** Kinds of mistakes, as numbers. */
export const KINDS = ['use-after-free', 'out-of-bounds', 'double-free'] as const;
export interface Mistake {
  readonly kind: number;
  /** 0 read, 1 written, 2 freed. */
  readonly deed: number;
  readonly at: number;
  readonly bytes: number;
  readonly cpu: number;
  readonly stack: readonly number[];
}

export class HeapNotes {
  readonly #words: Int32Array;
  /** There is room for 2^bits objects. */
  readonly #bits: number;
  readonly #foundAt: number;

  /** `room`: notesBytes(bits) bytes. */
  constructor(room: Uint8Array, bits: number) {
    this.#words = new Int32Array(room.buffer, room.byteOffset, notesBytes(bits) / 4);
    this.#bits = bits;
    this.#foundAt = foundAt(bits);
  }

  /** Does something while no other thread does. */
  locked<T>(work: () => T): T {
    while (Atomics.compareExchange(this.#words, LOCK, 0, 1) !== 0);
    try {
      return work();
    } finally {
      Atomics.store(this.#words, LOCK, 0);
    }
  }

  #word(at: number): number {
    return this.#words[at]! >>> 0;
  }
  #putStack(at: number, stack: readonly number[]): void {
    const count = Math.min(stack.length, DEEPEST);
    this.#words[at] = count;
    for (let n = 0; n < count; n++) this.#words[at + 1 + n] = stack[n]!;
  }
  #stack(at: number): number[] {
    const stack: number[] = [];
    for (let n = 1; n <= this.#words[at]!; n++) stack.push(this.#word(at + n));
    return stack;
  }
  count(what: keyof typeof COUNTS): number {
    return this.#word(COUNTS[what]);
  }
  #add(what: keyof typeof COUNTS): void {
    this.#words[COUNTS[what]]!++;
  }

  /** Notes a call that will come back with `esp`. False: there are too many. */
  enter(esp: number, { call, argument, other, stack }: PendingCall): boolean {
    for (let n = 0; n < PENDING; n++) {
      const at = PENDING_AT + n * Pending.words;
      if (this.#word(at) !== 0) continue;
      this.#words[at + Pending.esp] = esp;
      this.#words[at + Pending.call] = call;
      this.#words[at + Pending.argument] = argument;
      this.#words[at + Pending.other] = other;
      this.#putStack(at + Pending.stack, stack);
      if (n >= this.#word(PENDING_END)) this.#words[PENDING_END] = n + 1;
      return true;
    }
    this.#add('lost');
    return false;
  }
  /** The call that comes back with `esp`, and is over. */
  leave(esp: number): PendingCall | undefined {
    let end = this.#word(PENDING_END);
    for (let n = 0; n < end; n++) {
      const at = PENDING_AT + n * Pending.words;
      if (this.#word(at) !== esp) continue;
      this.#words[at] = 0;
      while (end > 0 && this.#word(PENDING_AT + (end - 1) * Pending.words) === 0) end--;
      this.#words[PENDING_END] = end;
      return {
        call: this.#word(at + Pending.call),
        argument: this.#word(at + Pending.argument),
        other: this.#word(at + Pending.other),
        stack: this.#stack(at + Pending.stack),
      };
    }
    return undefined;
  }
  /** The ESP of a call that has not come back and lies less than `bytes` above `esp`: the lowest. 0: there is none. */
  within(esp: number, bytes: number): number {
    let lowest = 0;
    const end = this.#word(PENDING_END);
    for (let n = 0; n < end; n++) {
      const other = this.#word(PENDING_AT + n * Pending.words);
      if (other !== 0 && other >= esp && other - esp < bytes && (lowest === 0 || other < lowest)) lowest = other;
    }
    return lowest;
  }

  #placeOf(object: number, probe: number): number {
    return OBJECTS_AT + (((Math.imul(object >>> 3, 0x9e3779b1) >>> (32 - this.#bits)) + probe) & (2 ** this.#bits - 1)) * Obj.words;
  }
  #find(object: number): number | undefined {
    for (let probe = 0; probe < PROBES; probe++) {
      const at = this.#placeOf(object, probe);
      // 0 is no object: the first page has none.
      if (this.#word(at) === object && this.#word(at + Obj.extent) !== 0) return at;
    }
    return undefined;
  }
  /** Where an object is noted: where it was; else a free place, that of a freed one, or any. */
  #take(object: number): number {
    const found = this.#find(object);
    if (found !== undefined) return found;
    let old: number | undefined;
    for (let probe = 0; probe < PROBES; probe++) {
      const at = this.#placeOf(object, probe);
      if (this.#word(at + Obj.extent) === 0) return at;
      if (old === undefined && this.#word(at + Obj.freed) !== 0) old = at;
    }
    return old ?? this.#placeOf(object, 0);
  }
  allocated(object: number, size: number, extent: number, stack: readonly number[]): void {
    const at = this.#take(object);
    [object, size, extent, 0].forEach((word, n) => {
      this.#words[at + n] = word;
    });
    this.#putStack(at + Obj.allocated, stack);
    this.#words[at + Obj.freedBy] = 0;
    this.#add('allocated');
  }
  freed(object: number, stack: readonly number[]): void {
    const at = this.#find(object);
    if (at === undefined) return;
    this.#words[at + Obj.freed] = 1;
    this.#putStack(at + Obj.freedBy, stack);
    this.#add('freed');
  }
  /** All of it may be used, up to so many bytes. */
  resized(object: number, size: number): void {
    const at = this.#find(object);
    if (at !== undefined) this.#words[at + Obj.size] = size;
  }
  /** What was there is none any more. */
  forget(object: number): void {
    const at = this.#find(object);
    if (at !== undefined) this.#words[at + Obj.extent] = 0;
  }
  #objectAt(at: number): HeapObject {
    return {
      at: this.#word(at),
      size: this.#word(at + Obj.size),
      extent: this.#word(at + Obj.extent),
      freed: this.#word(at + Obj.freed) !== 0,
      allocated: this.#stack(at + Obj.allocated),
      freedBy: this.#stack(at + Obj.freedBy),
    };
  }
  /** The object that begins at an address. */
  object(object: number): HeapObject | undefined {
    const at = this.#find(object);
    return at === undefined ? undefined : this.#objectAt(at);
  }
  /** The one that has an address, up to the next object. */
  objectOf(address: number, longest: number): HeapObject | undefined {
    const last = address & ~7;
    for (let start = last; start >= 0 && start > last - longest; start -= 8) {
      const object = this.object(start);
      if (object !== undefined && address - start < object.extent) return object;
    }
    return undefined;
  }

  /** Notes a mistake; one of the same kind at the same place counts once more. */
  found({ kind, deed, at, bytes, cpu, stack }: Mistake, object: HeapObject | undefined): void {
    const what = kind | (deed << 8);
    const count = this.count('found');
    for (let n = 0; n < count; n++) {
      const entry = this.#foundAt + n * Found.words;
      if (this.#word(entry + Found.kind) !== what || this.#word(entry + Found.stack + 1) !== stack[0]) continue;
      this.#words[entry + Found.count]!++;
      return;
    }
    if (count === FOUND) return this.#add('lost');
    const entry = this.#foundAt + count * Found.words;
    [1, what, at, bytes, cpu].forEach((word, n) => {
      this.#words[entry + n] = word;
    });
    this.#putStack(entry + Found.stack, stack);
    const to = entry + Found.object;
    this.#words.fill(0, to, to + Obj.words);
    if (object !== undefined) {
      [object.at, object.size, object.extent, object.freed ? 1 : 0].forEach((word, n) => {
        this.#words[to + n] = word;
      });
      this.#putStack(to + Obj.allocated, object.allocated);
      this.#putStack(to + Obj.freedBy, object.freedBy);
    }
    this.#add('found');
  }
  mistakes(): readonly (Mistake & { readonly times: number; readonly object: HeapObject | undefined })[] {
    return Array.from({ length: this.count('found') }, (_, n) => {
      const entry = this.#foundAt + n * Found.words;
      const what = this.#word(entry + Found.kind);
      const object = this.#objectAt(entry + Found.object);
      return {
        times: this.#word(entry + Found.count),
        kind: what & 0xff,
        deed: what >> 8,
        at: this.#word(entry + Found.at),
        bytes: this.#word(entry + Found.bytes),
        cpu: this.#word(entry + Found.cpu),
        stack: this.#stack(entry + Found.stack),
        object: object.extent === 0 ? undefined : object,
      };
    });
  }
}
