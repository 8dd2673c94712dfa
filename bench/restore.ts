// npm run bench -- restore: Debian at its shell from a snapshot, from the start of the process to what the shell answers to a line that was typed at once.
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ensureGuest, READY } from '../guests/linux.ts';
import { runUntil, type Sample } from './child.ts';
import { median, percent, short, spread, type Table } from './figures.ts';
import { dragoman, launch } from './machines.ts';
import type { Variant } from './subjects.ts';

const TIMEOUT_SECONDS = 180;
const PROMPT = '~ # ';
/** What is typed, and what only its output has, not its echo. */
const LINE = 'echo a$((40+2))z\n';
const ANSWER = 'a42z';
const ECHO = 'echo a$';

export interface RestoreRow {
  readonly name: string;
  /** Until the answer. */
  readonly samples: readonly Sample[];
  /** Until the first characters of the line have come back. */
  readonly echoes: readonly Sample[];
  readonly snapshotMiB: number;
}

interface Subject {
  readonly name: string;
  readonly main: string | undefined;
  readonly flags: readonly string[];
}

async function subjectOf({ name, checkout, flags }: Variant): Promise<Subject> {
  const { findMain } = await import(pathToFileURL(resolve(checkout, 'bin/find-main.mjs')).href);
  return { name, main: findMain(), flags };
}

/** Each checkout restores a snapshot of its own. One round more than `rounds`, and before them, fills what a code cache (an option of a variant) keeps. */
export async function restore(rounds: number, variants: readonly Variant[]): Promise<RestoreRow[]> {
  const guest = await ensureGuest();
  const folder = mkdtempSync(join(tmpdir(), 'dragoman-restore-'));
  try {
    const subjects: Subject[] = [{ name: 'dragoman', main: undefined, flags: [] }, ...(await Promise.all(variants.map(subjectOf)))];
    const rows = new Map<string, { samples: Sample[]; echoes: Sample[]; file: string }>();
    const files = new Map<string | undefined, string>();
    for (const { name, main, flags } of subjects) {
      let file = files.get(main);
      if (file === undefined) {
        process.stderr.write(`bench: restore: ${name}'s snapshot ...\n`);
        file = join(folder, `${files.size}.snap`);
        files.set(main, file);
        const { command } = dragoman(guest, 'jit', 1, { main, flags: ['--save', file, '--save-at', PROMPT, '--until', PROMPT] });
        await runUntil(command, READY, TIMEOUT_SECONDS, { toEnd: true });
      }
      rows.set(name, { samples: [], echoes: [], file });
      for (let time = 0; flags.length > 0 && time < 2; time++)
        await runUntil([...launch(main), 'run', '--restore', file, ...flags], ANSWER, TIMEOUT_SECONDS, { type: LINE, idleSeconds: 5 });
    }
    for (let round = 0; round < rounds; round++)
      for (const { name, main, flags } of subjects) {
        const row = rows.get(name)!;
        const command = [...launch(main), 'run', '--restore', row.file, ...flags];
        row.echoes.push(await runUntil(command, ECHO, TIMEOUT_SECONDS, { type: LINE }));
        row.samples.push(await runUntil(command, ANSWER, TIMEOUT_SECONDS, { type: LINE }));
      }
    return [...rows].map(([name, { samples, echoes, file }]) => ({ name, samples, echoes, snapshotMiB: statSync(file).size / 2 ** 20 }));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export function restoreTable(rows: readonly RestoreRow[], rounds: number): Table {
  const of = (samples: readonly Sample[], field: 'seconds' | 'cpuSeconds' | 'peakMiB') => samples.map((sample) => sample[field]);
  return {
    title: `restore: Debian at its shell, start of the process to the echo of a line and to its answer; medians of ${rounds} rounds`,
    head: ['machine', 'echo s', 'answer s', 'spread', 'least', 'CPU seconds', 'peak MiB', 'file MiB'],
    rows: rows.map(({ name, samples, echoes, snapshotMiB }) => [
      name,
      short(median(of(echoes, 'seconds'))),
      short(median(of(samples, 'seconds'))),
      percent(spread(of(samples, 'seconds'))),
      short(Math.min(...of(samples, 'seconds'))),
      short(median(of(samples, 'cpuSeconds'))),
      short(median(of(samples, 'peakMiB'))),
      short(snapshotMiB),
    ]),
  };
}
