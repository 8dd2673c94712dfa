// Finds a Node that can run Dragoman: version 24 or newer (see docs/architecture.md, "Which Node").
// This file itself must run on Node 20.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';

export const OLDEST = 24;

/** Threads of V8 for its compilers and its garbage, as Node has them where nobody says otherwise. */
const POOL = 4;

/**
 * Options of Node that Dragoman is started with: V8's threads leave a core to the guest's CPU where the host has few, else it runs at half its speed while new code is translated
 * (docs/decisions.md, "Cold code"). What NODE_OPTIONS says of them holds.
 */
export function nodeOptions(cores = availableParallelism(), { NODE_OPTIONS = '' } = process.env) {
  return cores > POOL || NODE_OPTIONS.includes('--v8-pool-size') ? [] : [`--v8-pool-size=${Math.max(1, cores - 1)}`];
}

/** Path of a Node executable of version OLDEST or newer. Throws where there is none. */
export function findNode() {
  if (Number(process.versions.node.split('.')[0]) >= OLDEST) return process.execPath;
  const require = createRequire(import.meta.url);
  const platform = process.platform === 'win32' ? 'win' : process.platform;
  for (const name of [`node-${platform}-${process.arch}`, `node-bin-${platform}-${process.arch}`]) {
    try {
      const bin = join(dirname(require.resolve(`${name}/package.json`)), 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
      if (existsSync(bin)) return bin;
    } catch {}
  }
  throw new Error(
    `Dragoman needs Node ${OLDEST} or newer; this is ${process.version}, and npm installed no newer one for ${platform}-${process.arch}`,
  );
}
