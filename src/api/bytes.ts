// How bytes are given: as they are, or as the place where they are.
import { tagOf } from './kind.ts';

/** The bytes of a file: what `readFile` gives, or `fetch` as an `arrayBuffer()`. */
export type Bytes = Uint8Array | ArrayBuffer;
/** Bytes, or where they are: a Blob (a File too), a URL, or text: in Node the path of a file, in a browser a URL from where the page is. What cannot be read is NO_FILE. */
export type Source = Bytes | Blob | URL | string;

export const isBlob = (value: unknown): value is Blob => ['[object Blob]', '[object File]'].includes(tagOf(value));
