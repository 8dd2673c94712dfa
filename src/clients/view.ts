// What a client found, as its report sees it: its room in the machine's memory.
import type { SharedMemory } from '../cpu/state.ts';
import { cpuBase } from '../layout/memory.ts';
import type { Placed } from './builder.ts';
import type { MachineFacts, Room } from './client.ts';

export class ClientView implements MachineFacts {
  readonly #shared: SharedMemory;
  readonly #placed: Placed;
  readonly #room: Room;
  readonly #symbolAt: (address: number) => string | undefined;

  constructor(shared: SharedMemory, placed: Placed, room: Room, symbolAt: (address: number) => string | undefined) {
    this.#shared = shared;
    this.#placed = placed;
    this.#room = room;
    this.#symbolAt = symbolAt;
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
  /** The room of a CPU, and that of all: the memory itself. */
  cpuRoom(cpu: number): Uint8Array {
    const at = cpuBase(this.#shared.plan, cpu) + this.#placed.cpu;
    return this.#shared.u8.subarray(at, at + (this.#room.cpu ?? 0));
  }
  get sharedRoom(): Uint8Array {
    return this.#shared.u8.subarray(this.#placed.shared, this.#placed.shared + (this.#room.shared ?? 0));
  }
  /** What the machine's symbols say of a linear address: 'name+0x12'. */
  symbolAt(address: number): string | undefined {
    return this.#symbolAt(address);
  }
}
