#!/usr/bin/env node
// The `dragoman` command. Runs the command line on a Node that is new enough: this one if it is, else the one that npm installed
// beside us, on the same terminal, with signals and exit status passed on. This file itself must run on Node 20.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { pathToFileURL } from 'node:url';
import { findMain } from './find-main.mjs';
import { findNode, nodeOptions } from './find-node.mjs';

const main = findMain();
let node;
try {
  node = findNode();
} catch (error) {
  process.stderr.write(`dragoman: ${error.message}\n`);
  process.exit(2);
}

if (node === process.execPath) {
  process.argv[1] = main;
  await import(pathToFileURL(main).href);
} else {
  const child = spawn(node, [...nodeOptions(), main, ...process.argv.slice(2)], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, DRAGOMAN_LAUNCHER: '1' },
  });
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', ...(process.platform === 'win32' ? [] : ['SIGQUIT'])];
  for (const signal of signals) process.on(signal, () => child.kill(signal));
  // A shell looks at us: we stop when the child does, once it has put the terminal right, and wake it when we go on.
  let timer;
  const stop = () => {
    clearTimeout(timer);
    process.off('SIGTSTP', stopBoth);
    process.kill(process.pid, 'SIGTSTP');
  };
  const stopBoth = () => {
    child.kill('SIGTSTP');
    // One that has no terminal stops without a word.
    timer = setTimeout(stop, 200);
  };
  process.on('SIGTSTP', stopBoth);
  process.on('SIGCONT', () => {
    process.off('SIGTSTP', stopBoth);
    process.on('SIGTSTP', stopBoth);
    child.kill('SIGCONT');
  });
  child.on('message', stop);
  child.on('error', (error) => {
    process.stderr.write(`dragoman: cannot start ${node}: ${error.message}\n`);
    process.exit(2);
  });
  child.on('exit', (code, signal) => {
    // Node ends so where it cannot start.
    if (['SIGABRT', 'SIGSEGV', 'SIGTRAP', 'SIGBUS', 'SIGILL'].includes(signal))
      process.stderr.write(`dragoman: Node ended by ${signal}; may it open enough files, and use enough memory (ulimit -n, ulimit -v)?\n`);
    process.exit(signal === null ? code : 128 + (constants.signals[signal] ?? 0));
  });
}
