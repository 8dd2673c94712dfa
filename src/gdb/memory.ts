// Memory for gdb: by the linear addresses of a CPU, as much of it as there is.
import { DragomanError } from '../api/errors.ts';
import type { CpuHandle } from '../api/inspect.ts';

/** Bytes from an address up to the first that cannot be read; undefined where that is the first one. */
export function readSome({ memory }: CpuHandle, address: number, length: number): Uint8Array | undefined {
  try {
    return memory.read(address, length);
  } catch (error) {
    if (!(error instanceof DragomanError) || error.code !== 'BAD_ADDRESS') throw error;
    const readable = Number(error.where) - address;
    return readable > 0 && readable < length ? memory.read(address, readable) : undefined;
  }
}
