// The shares of a machine: opened before it is made, and given back when its run has ended.
import { host } from '../host/node.ts';
import type { ShareTree } from './tree.ts';

export interface Share {
  readonly tag: string;
  readonly readOnly: boolean;
  readonly tree: ShareTree;
}

/** Throws DragomanError: NO_FILE, BAD_SHARE, NOT_SUPPORTED; none is open then. */
export async function openShares(
  shares: readonly { readonly path: string; readonly tag: string; readonly readOnly: boolean }[],
): Promise<readonly Share[]> {
  const opened: Share[] = [];
  try {
    for (const { path, tag, readOnly } of shares) opened.push({ tag, readOnly, tree: await host.openShare(path) });
  } catch (error) {
    closeShares(opened);
    throw error;
  }
  return opened;
}

export function closeShares(shares: readonly Share[]): void {
  for (const { tree } of shares) tree.close();
}
