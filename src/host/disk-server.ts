// A file that is written in place (File System standard: FileSystemSyncAccessHandle, which Workers alone have) as a disk of another thread: one request after another, as they come.

/** What of the handle is used. */
export interface SyncFile {
  getSize(): number;
  read(into: Uint8Array, options: { readonly at: number }): number;
  write(from: Uint8Array, options: { readonly at: number }): number;
  flush(): void;
  close(): void;
}

export type DiskRequest =
  | { readonly kind: 'read'; readonly offset: number; readonly length: number }
  | { readonly kind: 'write'; readonly offset: number; readonly bytes: Uint8Array }
  /** Answered when all that was answered before stays where it is. */
  | { readonly kind: 'flush' }
  /** The last one: flushes as well. */
  | { readonly kind: 'close' };
/** Answers come in the order of their requests. `error`: name and text of what was thrown. */
export type DiskAnswer =
  | { readonly bytes: Uint8Array | undefined; readonly error?: undefined }
  | { readonly error: { readonly name: string; readonly message: string } };

/** All of it, or it throws: a browser may do a part of what it is asked for. `step` does some from a place on, and says how much. */
function whole(bytes: Uint8Array, offset: number, step: (part: Uint8Array, at: number) => number): void {
  for (let done = 0; done < bytes.length; ) {
    const moved = step(bytes.subarray(done), offset + done);
    if (!(moved > 0)) throw new Error(`${done} of ${bytes.length} bytes at ${offset}`);
    done += moved;
  }
}

function serve(file: SyncFile, request: DiskRequest): Uint8Array | undefined {
  switch (request.kind) {
    case 'read': {
      const bytes = new Uint8Array(request.length);
      whole(bytes, request.offset, (part, at) => file.read(part, { at }));
      return bytes;
    }
    case 'write':
      whole(request.bytes, request.offset, (part, at) => file.write(part, { at }));
      return undefined;
    case 'flush':
      file.flush();
      return undefined;
    case 'close':
      try {
        file.flush();
      } finally {
        file.close();
      }
  }
}

export const asAnswer = (error: unknown): DiskAnswer => {
  const { name, message } = error instanceof Error || error instanceof DOMException ? error : new Error(String(error));
  return { error: { name, message } };
};

/** Does what was asked, and says how that went. */
export function answer(file: SyncFile, request: DiskRequest): DiskAnswer {
  try {
    return { bytes: serve(file, request) };
  } catch (error) {
    return asAnswer(error);
  }
}
