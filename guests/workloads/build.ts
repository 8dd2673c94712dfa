// The workload build: make and tcc build programs of this repository's sources, again and again, with many short processes.
import { readdirSync } from 'node:fs';
import { workloadAppend, workloadImage } from './image.ts';
import type { Workload } from './workload.ts';

const here = (path: string) => new URL(path, import.meta.url);
/** Sources that tcc takes as they are: program/Makefile. */
const UNITS = ['calls', 'hash', 'matrix', 'quicksort', 'recursion', 'sieve', 'strings'];
const STRESS = ['code.c', 'files.c', 'memory.c', 'processes.c', 'random.c', 'signals.c', 'stress.c', 'stress.h', 'sys.h'];

/** By their paths in the guest. */
function sources(): Record<string, URL> {
  const own = readdirSync(here('program/')).map((name) => [`src/${name}`, here(`program/${name}`)]);
  const units = UNITS.map((name) => [`src/units/${name}.c`, here(`../../bench/workloads/${name}.c`)]);
  const stress = STRESS.map((name) => [`src/stress/${name}`, here(`../stress/${name}`)]);
  const kbench = readdirSync(here('../kbench/'))
    .filter((name) => /\.[ch]$/.test(name))
    .map((name): [string, URL] => [`src/kbench/${name}`, here(`../kbench/${name}`)]);
  return Object.fromEntries([...own, ...units, ...stress, ...kbench, ['src/entry.S', here('../entry.S')]]);
}

export const BUILD: Workload = {
  name: 'build',
  title: 'make and tcc',
  rows: [{ name: 'build', what: 'build of 28 units and three links by make and tcc, as many processes at once as CPUs' }],
  memoryMiB: 256,
  rate: true,
  image: () =>
    workloadImage({
      name: 'build',
      script: 'build.sh',
      packages: { make: ['usr/bin/make'], tcc: ['usr/bin/tcc', 'usr/lib/i386-linux-gnu/tcc/libtcc1.a'] },
      files: sources(),
    }),
  append: workloadAppend,
};
