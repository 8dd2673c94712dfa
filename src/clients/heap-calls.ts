// What calls of an allocator make of the client shadow's memory: a byte for each eight of RAM says what may be accessed, as KASAN's shadow does, and notes say what objects there are.
import type { Allocator, AllocatorFunction } from './allocator.ts';
import { DEEPEST, returnsOf } from './guest-stacks.ts';
import { type HeapNotes, KINDS, type PendingCall } from './heap-notes.ts';
import { cacheAt, slabAt } from './linux-slab.ts';

/** Bytes of the shadow, beside 0 (all eight) and 1 to 7 (so many). */
const FREED = 0xfd;
const REDZONE = 0xfe;
/** An access less than this below a call of the allocator is the allocator's own. */
const FRAMES = 4096;
const LONGEST = 65536;
/** Objects in one call, at most. */
const MOST_OBJECTS = 4096;
/** The fourth argument and those behind it are on the stack. */
const REGISTERS = 3;
/** The largest word that is looked at beyond an object's end. */
const WORD = 4;

/** What an access is. */
export const DEEDS = ['read', 'write', 'free'] as const;
const FREE = DEEDS.indexOf('free');
const READ = DEEDS.indexOf('read');

/** The machine's memory, as a thread has it. */
export interface HeapMemory {
  readonly ram: Uint8Array;
  readonly shadow: Uint8Array;
  readonly notes: HeapNotes;
  /** Where a linear address is in RAM, by a CPU's page tables. */
  physical(cpu: number, linear: number): number | undefined;
  /** Adds to how many calls that have not come back have an ESP like this one. */
  filter(esp: number, by: 1 | -1): void;
  /** Whose accesses are the allocator's on a CPU: those below this ESP. */
  setInside(cpu: number, esp: number): void;
}

/** Where a CPU is. */
export interface CallPlace {
  readonly cpu: number;
  readonly eip: number;
  readonly esp: number;
  readonly ebp: number;
}

export class HeapCalls {
  readonly #allocator: Allocator;
  /** Bytes of RAM that are looked at. */
  readonly #limit: number;
  readonly #stacks: 'frames' | 'scan';

  constructor(allocator: Allocator, limit: number, stacks: 'frames' | 'scan') {
    this.#allocator = allocator;
    this.#limit = limit;
    this.#stacks = stacks;
  }

  #stackOf({ ram, physical }: HeapMemory, { cpu, eip, esp, ebp }: CallPlace): number[] {
    const elsewhere = (linear: number) => physical(cpu, linear);
    return [eip, ...returnsOf({ ram, origin: this.#allocator.origin, esp, ebp, elsewhere }, DEEPEST - 1, this.#stacks)];
  }
  #word({ ram }: HeapMemory, linear: number): number {
    const at = (linear - this.#allocator.origin) >>> 0;
    if (at + 4 > ram.length) return 0;
    return new DataView(ram.buffer, ram.byteOffset).getUint32(at, true);
  }
  #at(pointer: number): number {
    return (pointer - this.#allocator.origin) >>> 0;
  }

  /** A function is called, or jumped to: ESP is that of its return address. `registers`: EAX, EDX, ECX. */
  entered(memory: HeapMemory, call: number, place: CallPlace, registers: readonly number[]): void {
    const { esp, eip, cpu } = place;
    const { notes } = memory;
    const which = this.#allocator.functions[call]!;
    const inRegisters = this.#allocator.arguments === 'registers' ? REGISTERS : 0;
    const argument = (n: number | undefined): number =>
      n === undefined ? 0 : n < inRegisters ? registers[n]! : this.#word(memory, esp + 4 + 4 * (n - inRegisters));
    const back = esp + 4;
    // At ESP is the function's return address: behind `eip`, unless that is a jump, whose function is left with it.
    const called = this.#word(memory, esp) - eip;
    const stack = which.deed === 'own' ? [] : this.#stackOf(memory, { ...place, esp: called > 0 && called < 8 ? back : esp });
    notes.locked(() => {
      this.#doneAtOnce(memory, which, argument, cpu, stack);
      if (notes.leave(back) !== undefined) memory.filter(back, -1);
      if (notes.enter(back, { call, ...this.#forLater(memory, which, argument), stack })) memory.filter(back, 1);
    });
    memory.setInside(cpu, back);
  }

  /** What the function does is done when it is called. */
  #doneAtOnce(
    memory: HeapMemory,
    { deed, object, objects, size, cache, slab }: AllocatorFunction,
    argument: (n: number | undefined) => number,
    cpu: number,
    stack: readonly number[],
  ): void {
    const read = (linear: number) => this.#word(memory, linear);
    if (deed === 'free') this.#free(memory, argument(object), cache === undefined ? undefined : argument(cache), cpu, stack);
    else if (deed === 'free-many') {
      const count = Math.min(argument(size), MOST_OBJECTS);
      for (let n = 0; n < count; n++) this.#free(memory, read(argument(objects) + 4 * n), undefined, cpu, stack);
    } else if (deed === 'give-back') {
      const made = cacheAt(read, argument(cache));
      const given = made && slabAt(read, argument(slab), made);
      if (given !== undefined) this.#giveBack(memory, given, made!.extent);
    }
  }

  /** What is to be known when it comes back. */
  #forLater(
    memory: HeapMemory,
    { deed, object, objects, size, cache }: AllocatorFunction,
    argument: (n: number | undefined) => number,
  ): Pick<PendingCall, 'argument' | 'other'> {
    const made = cache === undefined ? undefined : cacheAt((linear) => this.#word(memory, linear), argument(cache));
    if (deed === 'size') return { argument: argument(object), other: 0 };
    if (deed === 'allocate-many') return { argument: argument(cache), other: argument(objects) };
    // How large it is, and how far it is to the next one, where that is known.
    return { argument: size === undefined ? (made?.size ?? 0) : argument(size), other: made?.extent ?? 0 };
  }

  /** A RET comes back with this ESP, and a value. */
  returned(memory: HeapMemory, cpu: number, esp: number, value: number): void {
    const { notes } = memory;
    notes.locked(() => {
      const call = notes.leave(esp);
      if (call === undefined) return;
      memory.filter(esp, -1);
      memory.setInside(cpu, notes.within(esp, FRAMES));
      const { deed, object } = this.#allocator.functions[call.call]!;
      const { argument, other, stack } = call;
      if (deed === 'allocate') {
        // The place that an object has does not change with its size.
        const before = object === undefined ? undefined : notes.object(this.#at(value));
        this.#allocated(memory, value, argument, before === undefined || before.freed ? other : before.extent, stack);
      } else if (deed === 'size') this.#usable(memory, argument, value);
      else if (deed === 'allocate-many') {
        const read = (linear: number) => this.#word(memory, linear);
        const made = cacheAt(read, argument);
        const count = made === undefined || value > MOST_OBJECTS ? 0 : value;
        for (let n = 0; n < count; n++) this.#allocated(memory, read(other + 4 * n), made!.size, made!.extent, stack);
      }
    });
  }

  #allocated(memory: HeapMemory, pointer: number, size: number, known: number, stack: readonly number[]): void {
    const at = this.#at(pointer);
    const extent = known >= size ? known : this.#allocator.sizes.extent(size);
    if (size === 0 || at >= this.#limit || extent > this.#limit - at || (at & 7) !== 0) return;
    this.#open(memory, at, size, extent);
    memory.notes.allocated(at, size, extent, stack);
  }

  /** All up to `size` may be accessed, and nothing from there to the next object. */
  #open({ shadow }: HeapMemory, at: number, size: number, extent: number): void {
    const first = at >>> 3;
    const whole = size >>> 3;
    shadow.fill(0, first, first + whole);
    if ((size & 7) !== 0) shadow[first + whole] = size & 7;
    shadow.fill(REDZONE, first + Math.ceil(size / 8), first + (extent >>> 3));
  }

  #usable(memory: HeapMemory, pointer: number, size: number): void {
    const at = this.#at(pointer);
    const object = memory.notes.object(at);
    if (object === undefined || object.freed || size < object.size || size > object.extent) return;
    this.#open(memory, at, size, object.extent);
    memory.notes.resized(at, size);
  }

  #free(memory: HeapMemory, pointer: number, cache: number | undefined, cpu: number, stack: readonly number[]): void {
    const { notes, shadow } = memory;
    const at = this.#at(pointer);
    if (pointer === 0 || at >= this.#limit) return;
    const object = notes.object(at);
    if (object === undefined) return;
    if (object.freed) return notes.found({ kind: KINDS.indexOf('double-free'), deed: FREE, at, bytes: 0, cpu, stack }, object);
    const { largest } = this.#allocator.sizes;
    if (largest !== undefined && object.size > largest) {
      shadow.fill(0, at >>> 3, (at + object.extent) >>> 3);
      return notes.forget(at);
    }
    notes.freed(at, stack);
    if (cache !== undefined && cacheAt((linear) => this.#word(memory, linear), cache)?.typesafe) return;
    shadow.fill(FREED, at >>> 3, (at + object.extent) >>> 3);
  }

  #giveBack({ shadow, notes }: HeapMemory, { from, bytes }: { readonly from: number; readonly bytes: number }, extent: number): void {
    const at = this.#at(from);
    if (at >= this.#limit || bytes > this.#limit - at) return;
    shadow.fill(0, at >>> 3, (at + bytes) >>> 3);
    for (let object = at; object < at + bytes; object += extent) notes.forget(object);
  }

  /** An access that touches what it may not, or did when it was looked at. `at`: where it begins, behind the origin. */
  accessed(memory: HeapMemory, deed: number, at: number, bytes: number, place: CallPlace): void {
    const { notes, shadow } = memory;
    const bad = this.#firstBad(shadow, at, bytes);
    // Another CPU may have allocated it since.
    if (bad === undefined) return;
    if (this.#allocator.words && deed === READ && bytes <= WORD && bad > at) return;
    notes.locked(() => {
      // The allocator's own, of a thread that was another CPU's when it came there.
      if (notes.within(place.esp, FRAMES) !== 0) return;
      const kind = KINDS.indexOf(shadow[bad >>> 3] === FREED ? 'use-after-free' : 'out-of-bounds');
      const stack = this.#stackOf(memory, place);
      notes.found({ kind, deed, at: bad, bytes, cpu: place.cpu, stack }, notes.objectOf(bad, LONGEST));
    });
  }

  #firstBad(shadow: Uint8Array, from: number, bytes: number): number | undefined {
    const end = Math.min(from + bytes, this.#limit);
    for (let at = from; at < end; at = (at | 7) + 1) {
      const usable = shadow[at >>> 3]!;
      if (usable === 0) continue;
      if (usable > 7) return at;
      const bad = Math.max(at, (at & ~7) + usable);
      if (bad < end && bad <= (at | 7)) return bad;
    }
    return undefined;
  }
}
