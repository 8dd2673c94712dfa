// What a URL leads to, for both hosts.
import { DragomanError } from '../api/errors.ts';

const cannot = (cause: unknown, url: URL) => {
  const { message, cause: reason } = cause as Error;
  return new DragomanError('NO_FILE', `cannot be fetched: ${reason instanceof Error ? reason.message : message}`, url.href, { cause });
};

/** The answer of whoever has it. Throws NO_FILE. */
export async function openUrl(url: URL): Promise<Response> {
  try {
    const response = await fetch(url);
    if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
    return response;
  } catch (cause) {
    throw cannot(cause, url);
  }
}

/** All of its bytes. Throws NO_FILE. */
export async function fetchBytes(url: URL): Promise<Uint8Array<ArrayBuffer>> {
  const response = await openUrl(url);
  try {
    return new Uint8Array(await response.arrayBuffer());
  } catch (cause) {
    throw cannot(cause, url);
  }
}
