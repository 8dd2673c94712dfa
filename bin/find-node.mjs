// Finds a Node that can run Dragoman: version 24 or newer (see docs/architecture.md, "Which Node"). A checkout has one from npm (tools/node), other projects where they install it beside Dragoman.
// This file itself must run on Node 20.
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';

export const OLDEST = 24;
/** What we are tried with most, and for which hosts npm has it under the name of a package (package.json's peerDependencies). */
const BEST = 26;
const BROUGHT = ['linux-x64', 'linux-arm64'];

/** Threads of V8 for its compilers and its garbage, as Node has them where nobody says otherwise. */
const POOL = 4;

/**
 * Options of Node that Dragoman is started with: V8's threads leave a core to the guest's CPU where the host has few, else it runs at half its speed while new code is translated
 * (docs/decisions.md, "Cold code"). What NODE_OPTIONS says of them holds.
 */
export function nodeOptions(cores = availableParallelism(), { NODE_OPTIONS = '' } = process.env) {
  return cores > POOL || NODE_OPTIONS.includes('--v8-pool-size') ? [] : [`--v8-pool-size=${Math.max(1, cores - 1)}`];
}

const isNewEnough = (version) => Number(version.split('.')[0]) >= OLDEST;

/** Path of a Node executable of version OLDEST or newer. Throws where there is none. */
export function findNode() {
  if (isNewEnough(process.versions.node)) return process.execPath;
  const require = createRequire(import.meta.url);
  const platform = process.platform === 'win32' ? 'win' : process.platform;
  for (const name of [`node-${platform}-${process.arch}`, `node-bin-${platform}-${process.arch}`]) {
    try {
      const manifest = require.resolve(`${name}/package.json`);
      const bin = join(dirname(manifest), 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
      if (isNewEnough(JSON.parse(readFileSync(manifest, 'utf8')).version) && existsSync(bin)) return bin;
    } catch {}
  }
  const how = BROUGHT.includes(`${platform}-${process.arch}`) ? ` (npm install node-${platform}-${process.arch}@${BEST} brings one)` : '';
  throw new Error(`Dragoman needs Node ${OLDEST} or newer; this is ${process.version}${how}`);
}
