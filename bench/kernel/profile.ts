// npm run bench -- kernel --profile ROW: where the time of a row goes on Dragoman when it is warm, by Linux perf, or by V8's profiler where that is not.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { runAppend, symbolsAppend } from '../../guests/kbench/initrd.ts';
import { PSEUDO } from '../../src/emit/interpreter/table.ts';
import { cpuThreadName } from '../../src/machine/threads/messages.ts';
import { dragoman } from '../machines.ts';
import { CACHE, kbenchImage, limitOf, watch } from './run.ts';
import { type CpuProfile, type ProfileResult, readCpuProfile, readPerf, type Share, weightOf } from './shares.ts';
import { nanosecondsOf } from './statistics.ts';

const SECONDS = 20;
const SLICES = 20;
const HERTZ = 997;
const run = promisify(execFile);
/** Nothing of a profile may be cut off. */
const MOST_OUTPUT = 1 << 30;

/** The text of the guest's kallsyms, code alone, without KASLR: its path. Asked once for each kernel. */
async function symbolsFile(): Promise<string> {
  const image = await kbenchImage(symbolsAppend);
  const path = join(CACHE, `kallsyms-${image.version}`);
  if ((await stat(path).catch(() => undefined)) !== undefined) return path;
  process.stderr.write("bench: kernel profile: the guest's symbols ...\n");
  const raw = `${path}.${process.pid}`;
  try {
    const { command } = dragoman(image, 'jit');
    const { ended } = await watch([...command, '--debugcon', raw], SECONDS, { toEnd: true });
    const lines = (await readFile(raw, 'latin1')).split('\n').filter((line) => /^[0-9a-f]{8} [tTwW] \S+/.test(line));
    if (ended !== undefined || lines.length === 0) throw new Error(`the guest did not give its symbols: ${ended ?? 'there are none'}`);
    await writeFile(raw, `${lines.join('\n')}\n`);
    await rename(raw, path);
  } finally {
    await rm(raw, { force: true });
  }
  return path;
}

async function handlerNames(): Promise<ReadonlySet<string>> {
  const path = fileURLToPath(new URL('../../build/handlers.json', import.meta.url));
  return new Set([...(JSON.parse(await readFile(path, 'utf8')) as { keys: string[] }).keys, ...PSEUDO]);
}

/** Why perf does not work here; undefined where it does. */
async function missingPerf(folder: string): Promise<string | undefined> {
  try {
    await run('perf', ['record', '-F', String(HERTZ), '-o', join(folder, 'probe'), '--', process.execPath, '-e', '0']);
    return undefined;
  } catch (error) {
    const { code, stderr, message } = error as { code?: unknown; stderr?: string; message: string };
    return code === 'ENOENT'
      ? 'no perf here (Debian: linux-perf)'
      : `perf does not work here: ${(stderr || message).trim().split('\n')[0]}`;
  }
}

const ended = (child: ChildProcess) => new Promise<void>((resolve) => child.once('close', () => resolve()).once('error', () => resolve()));

/** `row`: the name of one; `seconds`: of it; what is looked at is most of the second half. */
export async function profile(row: string, seconds = SECONDS): Promise<ProfileResult> {
  const symbols = await symbolsFile();
  const handlers = await handlerNames();
  const folder = await mkdtemp(join(tmpdir(), 'dragoman-profile-'));
  let pid = 0;
  try {
    const noPerf = await missingPerf(folder);
    const append = runAppend({ seconds, slices: SLICES, limitSeconds: limitOf(seconds), rows: [row] }, 'nokaslr');
    const { command } = dragoman(await kbenchImage(append), 'jit');
    const options = ['--perf-map', '--symbols', symbols];
    const data = join(folder, 'perf.data');
    let recording: Promise<void> | undefined;
    let begunUs: number | undefined;
    let timer: NodeJS.Timeout | undefined;
    const record = () => {
      const length = String(Math.max(0.1, seconds * 0.4));
      recording = ended(
        spawn('perf', ['record', '-q', '-F', String(HERTZ), '-p', String(pid), '-o', data, '--', 'sleep', length], { stdio: 'ignore' }),
      );
    };
    process.stderr.write(`bench: kernel profile ${row} ...\n`);
    const [node, ...rest] = command;
    const watched = await watch(
      noPerf === undefined ? [...command, ...options] : [node!, '--cpu-prof', `--cpu-prof-dir=${folder}`, ...rest, ...options],
      limitOf(seconds) + seconds,
      {
        toEnd: true,
        onOutput: ({ running }, number) => {
          if (begunUs !== undefined || running === undefined) return;
          // The clock of V8's profiles.
          begunUs = Number(process.hrtime.bigint() / 1000n);
          pid = number;
          if (noPerf === undefined) timer = setTimeout(record, seconds * 500);
        },
      },
    );
    clearTimeout(timer);
    await recording;
    const [done] = watched.reader.output.rows;
    if (done === undefined) throw new Error(`${row}: ${watched.reader.output.failed.get(row) ?? watched.ended ?? 'it said nothing'}`);
    const nanoseconds = nanosecondsOf(done, 'warm');
    const host = cpuThreadName(0);
    if (noPerf === undefined) {
      const { stdout } = await run('perf', ['script', '-i', data, '-F', 'comm,ip,sym,dso'], { maxBuffer: MOST_OUTPUT });
      const byThread = readPerf(stdout, handlers);
      const total = [...byThread.values()].reduce((sum, shares) => sum + weightOf(shares), 0);
      const threads = [...byThread].map(([name, shares]) => ({ name, part: weightOf(shares) / total })).sort((a, b) => b.part - a.part);
      return { row, by: 'Linux perf', unit: 'samples', nanoseconds, threads, shares: byThread.get(host) ?? [], notes: [] };
    }
    // Of all threads' profiles the one in which most of WebAssembly ran.
    const middle = begunUs! + seconds * 500_000;
    let best: Share[] = [];
    for (const name of await readdir(folder)) {
      if (!name.endsWith('.cpuprofile')) continue;
      const found = readCpuProfile(
        JSON.parse(await readFile(join(folder, name), 'utf8')) as CpuProfile,
        middle,
        middle + seconds * 400_000,
        handlers,
      );
      const inWasm = (shares: readonly Share[]) => weightOf(shares.filter(({ group }) => group === 'regions' || group === 'handlers'));
      if (inWasm(found) > inWasm(best)) best = found;
    }
    return {
      row,
      by: "V8's profiler",
      unit: 'microseconds',
      nanoseconds,
      threads: [],
      shares: best,
      notes: [noPerf, 'V8 counts its own work to the function that it interrupted'],
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
    // V8's names for perf, written in either case.
    await rm(`/tmp/perf-${pid}.map`, { force: true });
  }
}
