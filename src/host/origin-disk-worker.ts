// The Worker of a disk that a browser keeps: it has the file open, which no page may. What it is sent first says which one; it answers with the file's size, and from then on as disk-server.ts says.
import { answer, asAnswer, type DiskAnswer, type DiskRequest, type SyncFile } from './disk-server.ts';
import { diskFile } from './origin-folder.ts';

export interface OriginDiskStart {
  readonly name: string;
  readonly readOnly: boolean;
}
export type OriginDiskStarted = { readonly size: number; readonly error?: undefined } | Extract<DiskAnswer, { readonly error: object }>;

interface Openable {
  createSyncAccessHandle(options: { readonly mode: 'read-only' | 'readwrite' }): Promise<SyncFile>;
}
interface Scope {
  onmessage: ((event: MessageEvent) => void) | null;
  postMessage(message: OriginDiskStarted | DiskAnswer, transfer?: readonly Transferable[]): void;
}
/** Who opens it has the disk's lock. A handle of the machine before, whose tab has closed it, may still be on its way to be closed. */
async function openSoon(handle: Openable, mode: 'read-only' | 'readwrite'): Promise<SyncFile> {
  for (let tries = 10; ; tries--)
    try {
      return await handle.createSyncAccessHandle({ mode });
    } catch (error) {
      if (tries === 0 || (error as Error).name !== 'NoModificationAllowedError') throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
}

const scope = globalThis as unknown as Scope;

scope.onmessage = async ({ data: { name, readOnly } }: MessageEvent<OriginDiskStart>) => {
  try {
    const handle = (await diskFile(name, false)) as unknown as Openable;
    const file = await openSoon(handle, readOnly ? 'read-only' : 'readwrite');
    scope.onmessage = ({ data }: MessageEvent<DiskRequest>) => {
      const answered = answer(file, data);
      scope.postMessage(
        answered,
        answered.error === undefined && answered.bytes !== undefined ? [answered.bytes.buffer as ArrayBuffer] : [],
      );
    };
    scope.postMessage({ size: file.getSize() });
  } catch (error) {
    scope.postMessage(asAnswer(error) as OriginDiskStarted);
  }
};
