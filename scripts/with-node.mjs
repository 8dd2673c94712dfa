// Runs a script on a Node that is new enough (>= 24): this one if it is, else the one that npm installed beside us.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { findNode, nodeOptions } from '../bin/find-node.mjs';

const child = spawn(findNode(), [...nodeOptions(), ...process.argv.slice(2)], {
  stdio: 'inherit',
  cwd: fileURLToPath(new URL('..', import.meta.url)),
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => process.exit(signal ? 1 : (code ?? 1)));
