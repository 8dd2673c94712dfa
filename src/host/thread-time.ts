// How long this thread has run, to the microsecond, where the host is Linux: the first number in /proc/thread-self/schedstat
// (Documentation/scheduler/sched-stats.rst). The kernel brings it up to date when the thread stops running and when somebody asks for the
// times of the whole process; else it may be a tick old.
import { openSync, readSync } from 'node:fs';

const text = new Uint8Array(64);
const ZERO = 0x30;
/** The kernel must keep up with a thread that runs for TRIAL_NS; another thread may have the processor meanwhile, so there are some trials. */
const TRIAL_NS = 300_000n;
const TRIAL_LEAST_NS = 200_000;
const TRIALS = 10;
/** Of this thread; -1: there is none. */
let file: number | undefined;

function read(): number {
  process.cpuUsage();
  const length = readSync(file!, text, 0, text.length, 0);
  let time = 0;
  for (let at = 0; at < length && text[at]! >= ZERO; at++) time = time * 10 + text[at]! - ZERO;
  return time;
}

function open(): number {
  try {
    file = openSync('/proc/thread-self/schedstat', 'r');
    for (let n = 0; n < TRIALS; n++) {
      const before = read();
      const end = process.hrtime.bigint() + TRIAL_NS;
      while (process.hrtime.bigint() < end);
      if (read() - before > TRIAL_LEAST_NS) return file;
    }
  } catch {}
  return -1;
}

export function threadTimeNs(): number | undefined {
  file ??= open();
  return file < 0 ? undefined : read();
}
