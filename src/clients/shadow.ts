// The client shadow: finds uses of the kernel's heap that are mistakes: of objects that were freed, and beyond the end of one. A byte for each eight of RAM says what may be accessed, as KASAN's shadow
// does; it is set where the allocator's functions are entered and come back, and looked at behind each access of kernel code.
import { DragomanError } from '../api/errors.ts';
import { Gpr } from '../layout/cpu.ts';
import { allocatorOf, extentOf } from './allocators.ts';
import type { Call, Client, MachineFacts, OptionTexts } from './client.ts';
import { DEEPEST, returnsOf } from './guest-stacks.ts';
import { HeapNotes, KINDS, NOTES_BYTES } from './heap-notes.ts';
import type { ClientView } from './view.ts';

/** A mistake that was found. Stacks are EIPs from the innermost function on, with names where the machine has symbols. */
export interface ShadowMistake {
  readonly kind: (typeof KINDS)[number];
  readonly access: 'read' | 'write' | 'free';
  /** Linear address of the first byte that is not to be accessed, and of how many bytes the access is. */
  readonly address: string;
  readonly bytes: number;
  /** That did it first. */
  readonly cpu: number;
  readonly times: number;
  readonly stack: readonly string[];
  /** undefined: nothing is known of the object any more. */
  readonly object: ShadowObject | undefined;
}
export interface ShadowObject {
  readonly address: string;
  readonly bytes: number;
  /** Of the access in it. */
  readonly offset: number;
  readonly allocated: readonly string[];
  /** undefined: it is not freed. */
  readonly freed: readonly string[] | undefined;
}

/** What it reports. */
export interface ShadowReport {
  readonly mistakes: readonly ShadowMistake[];
  /** Objects. */
  readonly allocated: number;
  readonly freed: number;
  /** What there was no room for: calls of the allocator, mistakes. */
  readonly lost: number;
}

/** Bytes of the shadow, beside 0 (all eight) and 1 to 7 (so many). */
const FREED = 0xfd;
const REDZONE = 0xfe;
/** Of a direct map of 32 bits. */
const MOST = 0x38000000;
/** An access less than this below a call of the allocator is the allocator's own. */
const FRAMES = 4096;
const LONGEST = 65536;

/** In the room of each CPU: ESP of the innermost call of the allocator (checkShadow), and the addresses of its functions. */
const INSIDE = 0;
const ADDRESSES = 4;
/** Numbers of calls: accesses, returns, and from ENTER on functions that are entered. */
const READ = 0;
const WRITE = 1;
const RETURN = 2;
const ENTER = 3;

const DEEDS = ['read', 'write', 'free'] as const;
const hex = (n: number): string => `0x${(n >>> 0).toString(16)}`;
const HASH = 0x9e3779b1;

export default function shadow(options: OptionTexts, { cpus, ramBytes }: MachineFacts): Client {
  const allocator = allocatorOf(options);
  const { origin, functions } = allocator;
  const stacks = options.stacks ?? 'frames';
  if (stacks !== 'frames' && stacks !== 'scan') throw new Error(`stacks: '${stacks}' is neither frames nor scan`);
  const limit = Math.min(ramBytes, MOST);
  // In the room of all: the shadow, counts of calls that have not come back by a hash of their ESP, and notes.
  const FILTER = Math.ceil((limit / 8 + 1) / 64) * 64;
  const NOTES = FILTER + 65536;
  const BYTES = NOTES + NOTES_BYTES;

  const known = new WeakMap<ClientView, HeapNotes>();
  function notesOf(view: ClientView): HeapNotes {
    const notes = known.get(view) ?? new HeapNotes(view.sharedRoom.subarray(NOTES));
    known.set(view, notes);
    return notes;
  }
  const standing = (view: ClientView, esp: number, ebp: number) => ({ ram: view.ram, origin, esp, ebp });
  const stackOf = (view: ClientView, eip: number, esp: number, ebp: number): number[] => [
    eip,
    ...returnsOf(standing(view, esp, ebp), DEEPEST - 1, stacks),
  ];
  function filter(view: ClientView, esp: number, by: 1 | -1): void {
    view.sharedRoom[FILTER + (Math.imul(esp, HASH) >>> 16)]! += by;
  }
  function wordIn(view: ClientView, linear: number): number {
    const at = (linear - origin) >>> 0;
    if (at + 4 > ramBytes) return 0;
    return new DataView(view.ram.buffer, view.ram.byteOffset).getUint32(at, true);
  }
  function setInside(view: ClientView, cpu: number, esp: number): void {
    const room = view.cpuRoom(cpu);
    new DataView(room.buffer, room.byteOffset).setUint32(INSIDE, esp, true);
  }

  function entered(view: ClientView, { cpu, number, values }: Call): void {
    const [esp, ebp, eip, register] = values as [number, number, number, number];
    const which = functions[number - ENTER]!;
    const argument = allocator.arguments === 'stack' ? wordIn(view, esp + 4 + 4 * which.argument) : register;
    const notes = notesOf(view);
    const back = esp + 4;
    // At ESP is the function's return address: behind `eip`, unless that is a jump, whose function is left with it.
    const called = wordIn(view, esp) - eip;
    const stack = stackOf(view, eip, called > 0 && called < 8 ? back : esp, ebp);
    notes.locked(() => {
      if (which.deed === 'free') free(view, notes, argument, cpu, stack);
      if (notes.leave(back) !== undefined) filter(view, back, -1);
      if (notes.enter(back, number - ENTER, argument, stack)) filter(view, back, 1);
    });
    setInside(view, cpu, back);
  }

  function free(view: ClientView, notes: HeapNotes, pointer: number, cpu: number, stack: readonly number[]): void {
    const at = (pointer - origin) >>> 0;
    if (pointer === 0 || at >= limit) return;
    const object = notes.object(at);
    if (object === undefined) return;
    if (object.freed) return notes.found({ kind: KINDS.indexOf('double-free'), deed: 2, at, bytes: 0, cpu, stack }, object);
    notes.freed(at, stack);
    view.sharedRoom.fill(FREED, at >>> 3, (at + object.extent) >>> 3);
  }

  function returned(view: ClientView, { cpu, values }: Call): void {
    const [esp, eax] = values as [number, number];
    const notes = notesOf(view);
    notes.locked(() => {
      const call = notes.leave(esp);
      if (call === undefined) return;
      filter(view, esp, -1);
      setInside(view, cpu, notes.within(esp, FRAMES));
      if (functions[call.call]!.deed === 'allocate' && eax !== 0) allocated(view, notes, eax, call.argument, call.stack);
    });
  }

  function allocated(view: ClientView, notes: HeapNotes, pointer: number, size: number, stack: readonly number[]): void {
    const at = (pointer - origin) >>> 0;
    const extent = extentOf(allocator, size);
    if (at >= limit || extent > limit - at || (at & 7) !== 0) return;
    const first = at >>> 3;
    const whole = size >>> 3;
    const room = view.sharedRoom;
    room.fill(0, first, first + whole);
    if ((size & 7) !== 0) room[first + whole] = size & 7;
    room.fill(REDZONE, first + Math.ceil(size / 8), first + (extent >>> 3));
    notes.allocated(at, size, extent, stack);
  }

  function accessed(view: ClientView, { cpu, number, values }: Call): void {
    const [at, bytes, eip, esp, ebp] = values as [number, number, number, number, number];
    const notes = notesOf(view);
    notes.locked(() => {
      // The allocator's own, of a thread that was another CPU's when it came there.
      if (notes.within(esp, FRAMES) !== 0) return;
      const mark = view.sharedRoom[at >>> 3]!;
      // Another CPU may have allocated it since.
      if (mark === 0) return;
      const kind = KINDS.indexOf(mark === FREED ? 'use-after-free' : 'out-of-bounds');
      notes.found({ kind, deed: number, at, bytes, cpu, stack: stackOf(view, eip, esp, ebp) }, notes.objectOf(at, LONGEST));
    });
  }

  return {
    level: 'kernel',
    room: { cpu: ADDRESSES + 4 * functions.length, shared: BYTES },
    access(b, place) {
      b.checkShadow(place, place.writes ? WRITE : READ, { shadow: 0, origin, limit, inside: INSIDE });
    },
    branch(b, place) {
      if (place.kind === 'return') {
        const esp = place.register(Gpr.ESP);
        const pending = b.loadShared(1, b.shr_u(b.mul(esp, b.const(HASH | 0)), b.const(16)), FILTER);
        return b.callIf(pending, RETURN, esp, place.register(Gpr.EAX));
      }
      const to = place.kind === 'call' || place.kind === 'jump' ? place.to() : undefined;
      if (to === undefined) return;
      functions.forEach(({ argument }, n) => {
        const enters = b.eq(to, b.loadCpu(4, ADDRESSES + 4 * n));
        const register = place.register([Gpr.EAX, Gpr.EDX, Gpr.ECX][argument] ?? Gpr.EAX);
        b.callIf(enters, ENTER + n, place.register(Gpr.ESP), place.register(Gpr.EBP), place.eip(), register);
      });
    },
    called(view, call) {
      if (call.number >= ENTER) entered(view, call);
      else if (call.number === RETURN) returned(view, call);
      else accessed(view, call);
    },
    attached(view) {
      const addresses = functions.map(({ name }) => {
        const address = /^0x[0-9a-f]{1,8}$/i.test(name) ? Number(name) : view.addressOf(name);
        if (address === undefined)
          throw new DragomanError(
            'BAD_OPTION',
            `the client shadow: the kernel has no symbol '${name}' (symbols: of its file, or the option symbols)`,
            'clients',
          );
        return address;
      });
      for (let cpu = 0; cpu < cpus; cpu++) {
        const room = view.cpuRoom(cpu);
        const words = new DataView(room.buffer, room.byteOffset);
        addresses.forEach((address, n) => words.setUint32(ADDRESSES + 4 * n, address, true));
      }
    },
    report(view): ShadowReport {
      const notes = notesOf(view);
      const named = (stack: readonly number[]) =>
        stack.map((eip) => {
          const name = view.symbolAt(eip);
          return name === undefined ? hex(eip) : `${hex(eip)} ${name}`;
        });
      return {
        mistakes: notes.mistakes().map(({ kind, deed, at, bytes, cpu, times, stack, object }) => ({
          kind: KINDS[kind]!,
          access: DEEDS[deed]!,
          address: hex(origin + at),
          bytes,
          cpu,
          times,
          stack: named(stack),
          object: object && {
            address: hex(origin + object.at),
            bytes: object.size,
            offset: at - object.at,
            allocated: named(object.allocated),
            freed: object.freed ? named(object.freedBy) : undefined,
          },
        })),
        allocated: notes.count('allocated'),
        freed: notes.count('freed'),
        lost: notes.count('lost'),
      };
    },
  };
}
