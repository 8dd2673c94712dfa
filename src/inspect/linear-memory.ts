// Memory as a CPU's page tables have it, for whoever inspects a machine.
import { DragomanError } from '../api/errors.ts';
import type { InspectedMemory } from '../api/inspect.ts';
import { BYTES } from '../api/schema.ts';
import type { PhysicalMemory } from '../cpu/physical.ts';
import { PAGE } from '../layout/memory.ts';
import { badAddress, LENGTH, LINEAR, room } from './arguments.ts';
import type { CpuState } from './cpu-state.ts';
import { isMapped, LINEAR_END, walk } from './page-walk.ts';
import { checkWritable, readPhysical, writePhysical } from './physical-memory.ts';

/** Bytes at a linear address that are side by side in physical memory. */
interface Piece {
  readonly linear: number;
  readonly physical: number;
  readonly bytes: number;
}

const isBadAddress = (error: unknown): error is DragomanError => error instanceof DragomanError && error.code === 'BAD_ADDRESS';

export class LinearMemory {
  readonly #cpu: CpuState;
  readonly #memory: PhysicalMemory;

  constructor(cpu: CpuState, memory: PhysicalMemory) {
    this.#cpu = cpu;
    this.#memory = memory;
  }

  /** The pieces of a stretch, none of which crosses a page. Throws BAD_ADDRESS, at the first of them that is not mapped. */
  #pieces(address: number, length: number): Iterable<Piece> {
    if (address + length > LINEAR_END) throw badAddress(LINEAR_END, 'past the last linear address');
    return this.#pages(address, address + length);
  }

  *#pages(address: number, end: number): Generator<Piece> {
    for (let at = address; at < end; ) {
      const found = walk(this.#cpu, this.#memory, at);
      if (!isMapped(found)) throw badAddress(at, `not mapped: ${found.because}`);
      const bytes = Math.min(end - at, PAGE - (at % PAGE));
      yield { linear: at, physical: found.physical, bytes };
      at += bytes;
    }
  }

  /** `work` on a piece. What it says of a physical address is said of the linear one. */
  #at<T>({ linear, physical }: Piece, work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (!isBadAddress(error)) throw error;
      throw badAddress(linear + Number(error.where) - physical, `mapped to ${error.message}`);
    }
  }

  #read(piece: Piece): Uint8Array {
    return this.#at(piece, () => readPhysical(this.#cpu.shared, this.#memory, piece.physical, piece.bytes));
  }

  /** Throws BAD_ADDRESS where something of it is not mapped, or is mapped to what is no memory. */
  read(address: number, length: number): Uint8Array {
    const pieces = this.#pieces(address, length);
    const into = room(length);
    for (const piece of pieces) into.set(this.#read(piece), piece.linear - address);
    return into;
  }

  /** As much of a few bytes as can be read, from their start on. */
  readSome(address: number, length: number): Uint8Array {
    const into = room(Math.min(length, LINEAR_END - address));
    let count = 0;
    try {
      for (const piece of this.#pieces(address, into.length)) {
        into.set(this.#read(piece), count);
        count += piece.bytes;
      }
    } catch (error) {
      if (!isBadAddress(error)) throw error;
    }
    return into.subarray(0, count);
  }

  /** All of the bytes or, where it throws BAD_ADDRESS, none. */
  write(address: number, bytes: Uint8Array): void {
    const pieces = [...this.#pieces(address, bytes.length)];
    for (const piece of pieces) this.#at(piece, () => checkWritable(this.#memory, piece.physical, piece.bytes));
    for (const { linear, physical, bytes: count } of pieces) {
      const from = linear - address;
      writePhysical(this.#cpu.shared, this.#memory, physical, bytes.subarray(from, from + count));
    }
  }
}

export function linearMemory(memory: LinearMemory, requireStopped: (writes?: boolean) => void): InspectedMemory {
  return {
    read(address, length) {
      requireStopped();
      return memory.read(LINEAR.take(address, 'address'), LENGTH.take(length, 'length'));
    },
    write(address, bytes) {
      requireStopped(true);
      memory.write(LINEAR.take(address, 'address'), BYTES.take(bytes, 'bytes'));
    },
  };
}
