// What a client found, as its report sees it: its room in the machine's memory.
import { isMapped, type TableMemory, walk } from '../inspect/page-walk.ts';
import { Cpu, GPR_STRIDE } from '../layout/cpu.ts';
import { Control, controlWord, cpuBase, type MemoryPlan, RAM } from '../layout/memory.ts';
import type { MachineFacts, Room } from './room.ts';
import { type Placed, RING_HEAD, type Ring } from './room.ts';

/** Views of a machine's memory (cpu/state.ts, which names types that programs for Node do not have). */
interface ViewedMemory {
  readonly plan: MemoryPlan;
  readonly u8: Uint8Array;
  readonly i32: Int32Array;
}

/** Names of the guest's kernel. */
export interface KernelNames {
  at(address: number): string | undefined;
  address(name: string): number | undefined;
  /** Takes notice of modules that were loaded since, where the machine stands still. */
  renew(): void;
}
export const NO_NAMES: KernelNames = { at: () => undefined, address: () => undefined, renew: () => {} };

export class ClientView implements MachineFacts {
  readonly #shared: ViewedMemory;
  readonly #placed: Placed;
  readonly #room: Room;
  readonly #names: KernelNames;
  #ram: Uint8Array | undefined;
  #sharedRoom: Uint8Array | undefined;
  /** The file of the machine's kernel, on the thread of its user; undefined of one without, as from a snapshot. */
  readonly kernel: Uint8Array | undefined;

  constructor(shared: ViewedMemory, placed: Placed, room: Room, names: KernelNames, kernel?: Uint8Array | undefined) {
    this.kernel = kernel;
    this.#shared = shared;
    this.#placed = placed;
    this.#room = room;
    this.#names = names;
  }

  get cpus(): number {
    return this.#shared.plan.cpuCount;
  }
  get ramBytes(): number {
    return this.#shared.plan.ramBytes;
  }
  /** A counter of ClientBuilder.count, of one CPU. */
  counter(cpu: number, offset: number): number {
    const at = (cpuBase(this.#shared.plan, cpu) + this.#placed.cpu + offset) >> 2;
    return (this.#shared.i32[at]! >>> 0) + (this.#shared.i32[at + 1]! >>> 0) * 2 ** 32;
  }
  /** Records of a ring of one CPU (ClientBuilder.record), the oldest of those that are still there first; and how many there have been, modulo 2^32. Where the CPU runs, the oldest ones may be half another. */
  records(cpu: number, { offset, records, words }: Ring): { readonly count: number; readonly last: readonly (readonly number[])[] } {
    const at = (cpuBase(this.#shared.plan, cpu) + this.#placed.cpu + offset) >> 2;
    const { i32 } = this.#shared;
    const count = i32[at]! >>> 0;
    const last: number[][] = [];
    for (let n = Math.max(count - records, 0); n < count; n++) {
      const from = at + RING_HEAD / 4 + (n & (records - 1)) * words;
      last.push(Array.from(i32.subarray(from, from + words), (word) => word >>> 0));
    }
    return { count, last };
  }
  /** The room of a CPU, and that of all: the memory itself. */
  cpuRoom(cpu: number): Uint8Array {
    const at = cpuBase(this.#shared.plan, cpu) + this.#placed.cpu;
    return this.#shared.u8.subarray(at, at + (this.#room.cpu ?? 0));
  }
  get sharedRoom(): Uint8Array {
    this.#sharedRoom ??= this.#shared.u8.subarray(this.#placed.shared, this.#placed.shared + (this.#room.shared ?? 0));
    return this.#sharedRoom;
  }
  /** A general register of a CPU, by its number: where it asked for exact state (Call.eip), else of a CPU that stands still. */
  register(cpu: number, number: number): number {
    return this.#shared.i32[(cpuBase(this.#shared.plan, cpu) + Cpu.at.gpr + number * GPR_STRIDE) >> 2]! >>> 0;
  }
  /** Guest RAM, by physical address: the memory itself. */
  get ram(): Uint8Array {
    this.#ram ??= this.#shared.u8.subarray(RAM, RAM + this.ramBytes);
    return this.#ram;
  }
  /** Where in RAM a linear address is by the page tables of a CPU, on whose thread this is, or which stands still; undefined: nowhere. */
  physical(cpu: number, linear: number): number | undefined {
    const { plan, i32 } = this.#shared;
    const get = (offset: number): number => i32[(cpuBase(plan, cpu) + offset) >> 2]! >>> 0;
    const get64 = (offset: number): bigint => BigInt(get(offset)) | (BigInt(get(offset + 4)) << 32n);
    const memory: TableMemory = {
      host: (at) => (at < this.ramBytes ? at : undefined),
      read: (at, into) => into.set(this.ram.subarray(at, at + into.length)),
    };
    // The bit that forbids code means nothing here.
    const found = walk({ get, get64, hasNoExecute: true }, memory, linear);
    return isMapped(found) && found.physical < this.ramBytes ? found.physical : undefined;
  }
  /** Whether CPUs run in turn, on one thread. */
  get lockstep(): boolean {
    return this.#shared.i32[controlWord(Control.at.lockstep)] !== 0;
  }
  /** In lockstep: instructions that a CPU has left of its turn, behind those of its block (Client.called); below 0 where a device has ended it. */
  turnLeft(cpu: number): number {
    return this.#shared.i32[this.#budget(cpu)]!;
  }
  /** Leaves it no more than so many. It is another run than without that, but the same one each time. */
  cutTurn(cpu: number, instructions: number): void {
    if (this.turnLeft(cpu) > instructions) this.#shared.i32[this.#budget(cpu)] = instructions;
  }
  /** In lockstep: instructions that a CPU has executed, by blocks, modulo 2^32. */
  executed(cpu: number): number {
    const { plan, i32 } = this.#shared;
    const at = (offset: number): number => i32[(cpuBase(plan, cpu) + offset) >> 2]!;
    return (at(Cpu.at.countInterpreted) + at(Cpu.at.countTranslated)) >>> 0;
  }
  #budget(cpu: number): number {
    return (cpuBase(this.#shared.plan, cpu) + Cpu.at.budget) >> 2;
  }
  /** What the machine's symbols say of a linear address: 'name+0x12'. Only on the thread of the machine's user, as the next. */
  symbolAt(address: number): string | undefined {
    return this.#names.at(address);
  }
  /** The linear address of a symbol. */
  addressOf(name: string): number | undefined {
    return this.#names.address(name);
  }
  /** Where names are of the guest's memory: takes notice of modules that were loaded since, if the machine stands still. */
  renewNames(): void {
    this.#names.renew();
  }
}
