// Guest physical memory for whoever inspects a machine: what is neither RAM nor ROM is refused, and what is written there counts as code from now on.
import type { InspectedMemory } from '../api/inspect.ts';
import { BYTES } from '../api/schema.ts';
import { ramWritten } from '../cache/code-pages.ts';
import type { PhysicalMemory } from '../cpu/physical.ts';
import type { SharedMemory } from '../cpu/state.ts';
import { PAGE, RAM } from '../layout/memory.ts';
import { badAddress, LENGTH, PHYSICAL, PHYSICAL_END, room } from './arguments.ts';

/** Bytes of guest physical memory that lie side by side in the host's. */
interface Piece {
  readonly physical: number;
  readonly host: number;
  readonly bytes: number;
}

/** The pieces of a stretch, none of which crosses a page. Throws BAD_ADDRESS, at the first of them that is none of memory. */
function piecesOf(memory: PhysicalMemory, address: number, length: number): Iterable<Piece> {
  if (address + length > PHYSICAL_END) throw badAddress(PHYSICAL_END, 'past the last physical address');
  return pages(memory, address, address + length);
}

function* pages(memory: PhysicalMemory, address: number, end: number): Generator<Piece> {
  for (let at = address; at < end; ) {
    const host = memory.host(at);
    if (host === undefined) throw badAddress(at, 'there is neither RAM nor ROM at this physical address');
    const bytes = Math.min(end - at, PAGE - (at % PAGE));
    yield { physical: at, host, bytes };
    at += bytes;
  }
}

/** Copies what is there. Throws BAD_ADDRESS. */
export function readPhysical({ u8 }: SharedMemory, memory: PhysicalMemory, address: number, length: number): Uint8Array {
  const pieces = piecesOf(memory, address, length);
  const into = room(length);
  for (const { physical, host, bytes } of pieces) into.set(u8.subarray(host, host + bytes), physical - address);
  return into;
}

/** Throws BAD_ADDRESS where a stretch cannot be written. */
export function checkWritable(memory: PhysicalMemory, address: number, length: number): void {
  for (const { physical, host } of piecesOf(memory, address, length))
    if (host < RAM) throw badAddress(physical, 'there is ROM at this physical address');
}

/** Writes what was found to be writable. */
export function writePhysical(shared: SharedMemory, memory: PhysicalMemory, address: number, bytes: Uint8Array): void {
  for (const piece of piecesOf(memory, address, bytes.length)) {
    const from = piece.physical - address;
    shared.u8.set(bytes.subarray(from, from + piece.bytes), piece.host);
    ramWritten(shared, piece.physical, piece.bytes);
  }
}

export function physicalMemory(shared: SharedMemory, memory: PhysicalMemory, requireStopped: (writes?: boolean) => void): InspectedMemory {
  return {
    read(address, length) {
      requireStopped();
      return readPhysical(shared, memory, PHYSICAL.take(address, 'address'), LENGTH.take(length, 'length'));
    },
    write(address, bytes) {
      requireStopped(true);
      const [at, taken] = [PHYSICAL.take(address, 'address'), BYTES.take(bytes, 'bytes')];
      checkWritable(memory, at, taken.length);
      writePhysical(shared, memory, at, taken);
    },
  };
}
