// A folder of the host's for tests of shares: `shared` inside `around`, which has things that a guest must not reach.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { ShareFolder } from '../../../src/host/share-folder.ts';
import { ShareSession } from '../../../src/share/session.ts';
import type { ShareTree } from '../../../src/share/tree.ts';
import { type AttributeView, HostView } from '../../../src/share/view.ts';
import { Client } from './client.ts';

export const SECRET = 'not for guests';

export interface Shared {
  /** The folder that is shared, and the one that it is in. */
  readonly path: string;
  readonly around: string;
  readonly tree: ShareTree;
  /** What failed that is no error of a file system. */
  readonly faults: unknown[];
  readonly session: ShareSession;
  readonly client: Client;
  at(name: string): string;
}

/**
 * In `shared`: hello ('hello from the host'), dir/inner, and links: `within` to dir, `out` to the folder outside, `passwd` to a file there, `up` to '..'. Attached as fid 0 where `attached`.
 */
export async function shared(
  options: { readOnly?: boolean; held?: boolean; view?: AttributeView; attached?: boolean; wrap?: (tree: ShareTree) => ShareTree } = {},
): Promise<Shared> {
  const { readOnly = false, held = true, view = new HostView(), attached = true, wrap = (tree) => tree } = options;
  const around = mkdtempSync(join(tmpdir(), 'dragoman-share-'));
  const path = join(around, 'shared');
  mkdirSync(join(path, 'dir'), { recursive: true });
  mkdirSync(join(around, 'outside', 'deep'), { recursive: true });
  writeFileSync(join(path, 'hello'), 'hello from the host');
  writeFileSync(join(path, 'dir', 'inner'), 'inside');
  for (const secret of ['secret', 'outside/secret', 'outside/deep/secret']) writeFileSync(join(around, secret), SECRET);
  symlinkSync('dir', join(path, 'within'));
  symlinkSync(join(around, 'outside'), join(path, 'out'));
  symlinkSync('../outside/secret', join(path, 'passwd'));
  symlinkSync('..', join(path, 'up'));
  const folder = new ShareFolder(path, held);
  const tree = wrap(folder);
  const faults: unknown[] = [];
  const session = new ShareSession(tree, { readOnly, view, onFault: (error) => faults.push(error) });
  onTestFinished(async () => {
    await session.close();
    folder.close();
    rmSync(around, { recursive: true, force: true });
  });
  const client = new Client(session);
  if (attached) {
    await client.version();
    await client.attach();
  }
  return { path, around, tree, faults, session, client, at: (name) => join(path, name) };
}
