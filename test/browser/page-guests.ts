// In a page: guests of a few instructions on disks that the browser keeps, and on a network between tabs.
import { broadcastNetwork, DragomanError, Machine, originDisk, originDisks } from '../../src/api/index.ts';

interface Guest {
  readonly kernel: readonly number[];
  /** Port at which it ends. */
  readonly exit: number;
}
const options = ({ kernel, exit }: Guest) => ({ kernel: Uint8Array.from(kernel), memoryBytes: 4 << 20, debugExitPort: exit, lockstep: {} });
const codeOf = (error: unknown): string => (error instanceof DragomanError ? `${error.code} ${error.message}` : String(error));

/** What is in a disk. */
export const bytesOf = async (name: string): Promise<number[]> => [...new Uint8Array(await (await originDisks.blob(name)).arrayBuffer())];

/** Runs a guest on a disk to its end: what it showed, or the error. */
export async function runOn(name: string, guest: Guest): Promise<number[] | string> {
  const shown: number[] = [];
  try {
    const disks = [await originDisk(name)];
    const machine = await Machine.create({ ...options(guest), disks, onDebugConsole: (bytes) => shown.push(...bytes) });
    await machine.run();
    return shown;
  } catch (error) {
    return codeOf(error);
  }
}

/** Makes a disk of bytes, or so large; undefined, or the error. */
export const make = (name: string, content: readonly number[] | number): Promise<string | undefined> =>
  originDisks.create(name, typeof content === 'number' ? content : new Blob([Uint8Array.from(content)])).then(() => undefined, codeOf);

/** Errors of what cannot be done with a disk. */
export async function tries(name: string): Promise<string[]> {
  const tried: string[] = [];
  for (const what of [originDisk, originDisks.blob, originDisks.remove]) tried.push(await what(name).then(() => 'done', codeOf));
  return tried;
}

/** Begins a run that goes on until the page is closed; resolves when the guest has shown something. */
export async function begin(guest: Guest, on: { readonly disk?: string; readonly network?: string }): Promise<void> {
  const seen = Promise.withResolvers<void>();
  const machine = await Machine.create({
    ...options(guest),
    disks: on.disk === undefined ? [] : [await originDisk(on.disk)],
    net: on.network === undefined ? undefined : broadcastNetwork(on.network),
    onDebugConsole: (bytes) => {
      shownSoFar.push(...bytes);
      seen.resolve();
    },
  });
  void machine.run();
  await seen.promise;
}
const shownSoFar: number[] = [];
export const shown = (): readonly number[] => shownSoFar;

/** Runs a guest on a network to its end, once somebody else is there. */
export async function runOnNetwork(guest: Guest, name: string): Promise<void> {
  const met = Promise.withResolvers<void>();
  const net = broadcastNetwork(name, { onPeers: (peers) => peers.length > 0 && met.resolve() });
  const machine = await Machine.create({ ...options(guest), net });
  await met.promise;
  await machine.run();
}
