// The client shadow: finds uses of the kernel's heap that are mistakes: of objects that were freed, and beyond the end of one. A byte for each eight of RAM says what may be accessed, as KASAN's shadow
// does; it is set where the allocator's functions are entered and come back, and looked at behind each access of kernel code.
import { DragomanError } from '../api/errors.ts';
import type { Value } from '../ir/types.ts';
import { Gpr } from '../layout/cpu.ts';
import { allocatorOf } from './allocators.ts';
import type { Client, MachineFacts, OptionTexts } from './client.ts';
import { DEEDS, HeapCalls, type HeapMemory } from './heap-calls.ts';
import { HeapNotes, KINDS, type Mistake, notesBytes } from './heap-notes.ts';
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

/** Of a direct map of 32 bits. */
const MOST = 0x38000000;

/** In the room of each CPU: ESP of the innermost call of the allocator (checkShadow), and the addresses of its functions, 0 for those that there are not. */
const INSIDE = 0;
const ADDRESSES = 4;
/** Numbers of calls: accesses, returns, and functions that are entered, of which the second brings what the first has no room for. */
const READ = 0;
const WRITE = 1;
const RETURN = 2;
const REGISTERS = 3;
const ENTER = 4;

const hex = (n: number): string => `0x${(n >>> 0).toString(16)}`;
const HASH = 0x9e3779b1;
const HASHED = 65536;
const hashOf = (address: number): number => Math.imul(address, HASH) >>> 16;

export default function shadow(options: OptionTexts, { cpus, ramBytes }: MachineFacts): Client {
  const allocator = allocatorOf(options);
  const { origin, functions } = allocator;
  const stacks = options.stacks ?? 'frames';
  if (stacks !== 'frames' && stacks !== 'scan') throw new Error(`stacks: '${stacks}' is neither frames nor scan`);
  const limit = Math.min(ramBytes, MOST);
  const calls = new HeapCalls(allocator, limit, stacks);
  // In the room of all: the shadow, counts of calls that have not come back by a hash of their ESP, which hashes of addresses are functions of the allocator, and notes.
  const FILTER = Math.ceil((limit / 8 + 1) / 64) * 64;
  const ENTERED = FILTER + HASHED;
  const NOTES = ENTERED + HASHED;
  const BYTES = NOTES + notesBytes(allocator.noted);

  const known = new WeakMap<ClientView, HeapMemory>();
  function memoryOf(view: ClientView): HeapMemory {
    const before = known.get(view);
    if (before !== undefined) return before;
    const room = view.sharedRoom;
    const memory: HeapMemory = {
      ram: view.ram,
      shadow: room.subarray(0, FILTER),
      notes: new HeapNotes(room.subarray(NOTES), allocator.noted),
      physical: (cpu, linear) => view.physical(cpu, linear),
      filter(esp, by) {
        room[FILTER + hashOf(esp)]! += by;
      },
      setInside: (cpu, esp) => wordsOf(view, cpu).setUint32(INSIDE, esp, true),
    };
    known.set(view, memory);
    return memory;
  }
  const wordsOf = (view: ClientView, cpu: number): DataView => {
    const room = view.cpuRoom(cpu);
    return new DataView(room.buffer, room.byteOffset);
  };
  function functionAt(view: ClientView, cpu: number, address: number): number | undefined {
    const words = wordsOf(view, cpu);
    for (let n = 0; n < functions.length; n++) if (words.getUint32(ADDRESSES + 4 * n, true) === address) return n;
    return undefined;
  }
  /** EDX and ECX of a call, whose other half comes right behind, on this thread. */
  let [edx, ecx] = [0, 0];

  return {
    level: 'kernel',
    room: { cpu: ADDRESSES + 4 * functions.length, shared: BYTES },
    access(b, place) {
      b.checkShadow(place, place.writes ? WRITE : READ, { shadow: 0, origin, limit, inside: INSIDE });
    },
    branch(b, place) {
      const marked = (value: Value, table: number) => b.loadShared(1, b.shr_u(b.mul(value, b.const(HASH | 0)), b.const(16)), table);
      if (place.kind === 'return') {
        const esp = place.register(Gpr.ESP);
        return b.callIf(marked(esp, FILTER), RETURN, esp, place.register(Gpr.EAX));
      }
      const to = place.kind === 'call' || place.kind === 'jump' ? place.to() : undefined;
      if (to === undefined) return;
      const enters = marked(to, ENTERED);
      if (allocator.arguments === 'registers') b.callIf(enters, REGISTERS, place.register(Gpr.EDX), place.register(Gpr.ECX));
      b.callIf(enters, ENTER, place.register(Gpr.ESP), place.register(Gpr.EBP), place.eip(), to, place.register(Gpr.EAX));
    },
    called(view, { cpu, number, values }) {
      const [first, second, third, fourth, fifth] = values as [number, number, number, number, number];
      if (number === REGISTERS) [edx, ecx] = [first, second];
      else if (number === RETURN) calls.returned(memoryOf(view), cpu, first, second);
      else if (number === ENTER) {
        const which = functionAt(view, cpu, fourth);
        if (which !== undefined) calls.entered(memoryOf(view), which, { cpu, esp: first, ebp: second, eip: third }, [fifth, edx, ecx]);
      } else calls.accessed(memoryOf(view), number, first, second, { cpu, eip: third, esp: fourth, ebp: fifth });
    },
    attached(view) {
      const addresses = functions.map(({ name, optional }) => {
        const address = /^0x[0-9a-f]{1,8}$/i.test(name) ? Number(name) : view.addressOf(name);
        if (address === undefined && !optional)
          throw new DragomanError(
            'BAD_OPTION',
            `the client shadow: the kernel has no symbol '${name}' (symbols: of its file, or the option symbols)`,
            'clients',
          );
        return address ?? 0;
      });
      for (const address of addresses) if (address !== 0) view.sharedRoom[ENTERED + hashOf(address)] = 1;
      for (let cpu = 0; cpu < cpus; cpu++) {
        const words = wordsOf(view, cpu);
        addresses.forEach((address, n) => words.setUint32(ADDRESSES + 4 * n, address, true));
      }
    },
    report(view): ShadowReport {
      view.renewNames();
      const { notes } = memoryOf(view);
      const named = (stack: readonly number[]) =>
        stack.map((eip) => {
          const name = view.symbolAt(eip);
          return name === undefined ? hex(eip) : `${hex(eip)} ${name}`;
        });
      const isCareless = ({ deed, stack: [eip] }: Mistake): boolean => {
        const name = deed === READ ? view.symbolAt(eip!)?.replace(/\+0x[0-9a-f]+$/, '') : undefined;
        return name !== undefined && allocator.careless?.includes(name) === true;
      };
      const mistakes = notes.mistakes().filter((mistake) => !isCareless(mistake));
      return {
        mistakes: mistakes.map(({ kind, deed, at, bytes, cpu, times, stack, object }) => ({
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
