// In a page that is not isolated: what becomes of a machine whose CPUs are threads.
import { DragomanError, Machine } from '../../src/api/index.ts';

/** Code and message of the error. */
export async function tryThreads(): Promise<unknown> {
  const kernel = new URL('serai.elf', import.meta.url);
  const error = await Machine.create({ kernel, memoryBytes: 64 << 20 }).catch((e: unknown) => e);
  return error instanceof DragomanError ? [error.code, error.message] : String(error);
}
