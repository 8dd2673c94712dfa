// The folder of a browser's origin (File System standard, "origin private file system") where disks are, a file each. Nothing else is there: what caches take away to make room is elsewhere (origin-files.ts).
const FOLDER = 'dragoman-disks';

/** Whether this browser has such files, and can write them. */
export const hasOriginFiles = (): boolean =>
  typeof globalThis.navigator?.storage?.getDirectory === 'function' &&
  typeof FileSystemFileHandle === 'function' &&
  'createWritable' in FileSystemFileHandle.prototype;

/** A disk's name as a file's, and back. */
export const fileNameOf = (name: string): string => encodeURIComponent(name).replaceAll('.', '%2E');
export const diskNameOf = (fileName: string): string => decodeURIComponent(fileName);

export const diskFolder = async (): Promise<FileSystemDirectoryHandle> =>
  (await navigator.storage.getDirectory()).getDirectoryHandle(FOLDER, { create: true });

/** Rejects with a DOMException: NotFoundError. */
export const diskFile = async (name: string, create: boolean): Promise<FileSystemFileHandle> =>
  (await diskFolder()).getFileHandle(fileNameOf(name), { create });
