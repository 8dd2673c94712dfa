// The workload serai: the demo kernel's own benchmarks, in the image that is in the repository. No package is fetched for it.
import type { KbenchRow, KbenchRun } from '../kbench/initrd.ts';
import { SERAI as IMAGE } from '../serai.ts';
import type { Workload } from './workload.ts';

/** As in benches.c of its shell. */
const ROWS: readonly KbenchRow[] = [
  { name: 'call-int80', what: 'system call that does nothing, by INT 80H' },
  { name: 'call-sysenter', what: 'the same by SYSENTER' },
  { name: 'page-fault', what: 'the first touch of a page, given back 64 at a time' },
  { name: 'protection-fault', what: "CLI in ring 3, to the program's handler" },
  { name: 'context-switch', what: 'one kernel thread gives the CPU to another' },
  { name: 'pipe-round-trip', what: 'a byte to another process and back, two pipes' },
  { name: 'spawn-exit', what: 'a process that ends at once, waited for' },
  { name: 'ipi-self', what: 'interrupt to the same CPU by its local APIC' },
  { name: 'ipi-round-trip', what: 'function call on another CPU, waited for', leastCpus: 2 },
  { name: 'lock-contention', what: 'a spin lock taken and given back' },
  { name: 'page-allocate', what: 'a page taken and given back' },
  { name: 'block-allocate', what: 'four pages in one block taken and given back' },
];

/** It has no limit for a row: a machine that says nothing is ended by who has started it. */
export const seraiAppend = ({ seconds, slices, rows }: KbenchRun): string =>
  `run="rows ${Math.round(seconds * 1000)} ${slices} ${rows.join()}; halt"`;

export const SERAI: Workload = {
  name: 'serai',
  title: "serai's system calls, faults, processes and threads",
  rows: ROWS,
  memoryMiB: 64,
  rate: false,
  image: () => Promise.resolve({ kernel: IMAGE, version: 'serai' }),
  append: seraiAppend,
};
