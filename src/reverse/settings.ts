// What a machine that can go back may have: all that comes from outside must be in its past, and come again as it came.
import { DragomanError } from '../api/errors.ts';
import { integer, type Kind, optional, shape } from '../api/kind.ts';
import { CHECKPOINT_EVERY, CHECKPOINT_MEMORY } from '../api/reverse.ts';

export interface ReverseSettings {
  readonly memoryBytes: number;
  readonly every: number;
}

const OBJECT = shape({
  memoryBytes: optional(integer('a number of bytes', 0, Number.MAX_SAFE_INTEGER)),
  every: optional(integer('a number of instructions', 10_000, 2 ** 40)),
});
export const REVERSE: Kind<ReverseSettings | undefined> = {
  what: 'true, false, or an object with memoryBytes and every',
  take(value, name) {
    if (value === false) return undefined;
    const { memoryBytes = CHECKPOINT_MEMORY, every = CHECKPOINT_EVERY } = value === true ? {} : OBJECT.take(value, name);
    return { memoryBytes, every };
  },
};

/** What of a machine's options is looked at. */
interface Asked {
  readonly lockstep?: { readonly reverse?: unknown; readonly onRecord?: unknown; readonly replay?: unknown } | undefined;
  readonly net?: unknown;
  readonly clients: readonly unknown[];
  readonly shares: readonly unknown[];
  readonly disks: readonly { readonly kind: string; readonly readOnly: boolean; readonly snapshot: boolean }[];
}

/** Throws NOT_SUPPORTED, with the option that does not go with lockstep.reverse. */
export function checkReverse({ lockstep, net, clients, shares, disks }: Asked): void {
  if (lockstep?.reverse === undefined) return;
  const refuse = (option: string, why: string) => {
    throw new DragomanError('NOT_SUPPORTED', `not supported with reverse: ${why}`, option);
  };
  if (lockstep.onRecord !== undefined) refuse('lockstep.onRecord', 'a recording, which knows only one future');
  if (lockstep.replay !== undefined) refuse('lockstep.replay', 'a recording of a machine that runs otherwise');
  if (net !== undefined) refuse('net', 'a network, whose other end does not go back');
  if (clients.length > 0) refuse('clients', 'clients, which would count what comes again');
  if (shares.length > 0) refuse('shares', 'folders of the host, which do not go back');
  for (const [n, { kind, readOnly, snapshot }] of disks.entries()) {
    if (kind === 'device' || kind === 'blob') refuse(`disks[${n}]`, 'a disk that answers when it likes: give it as a file or as bytes');
    if (!readOnly && !snapshot)
      refuse(`disks[${n}]`, 'a disk that is written through, and does not go back: give it with snapshot (,snapshot), or read-only');
  }
}
