// What a URL leads to, for both hosts.
import { DragomanError } from '../api/errors.ts';

/** Throws NO_FILE. */
export async function fetchBytes(url: URL): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const response = await fetch(url);
    if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
    return new Uint8Array(await response.arrayBuffer());
  } catch (cause) {
    const { message, cause: reason } = cause as Error;
    throw new DragomanError('NO_FILE', `cannot be fetched: ${reason instanceof Error ? reason.message : message}`, url.href, { cause });
  }
}
