// npm run bench -- paper: the tables and figures of SOSP'13 for this system, its peers measured in the same run.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { cpus as hostCpus, loadavg } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { WORKLOADS } from '../../guests/workloads/index.ts';
import { build } from '../../scripts/build.ts';
import { formatTable } from '../figures.ts';
import { collect, NO_TIME } from './collect.ts';
import { counterJobs } from './counters.ts';
import { goalsOf } from './goals.ts';
import { Journal } from './journal.ts';
import { jobsOf } from './plan.ts';
import { groupPlans, QUICK_WORKLOADS, type WarmSeconds, warmSecondsOf } from './plans.ts';
import { historyEntry, readHistory, tables, writeHistory, writeReport } from './report/index.ts';
import type { PaperResult } from './result.ts';
import { images, runAll } from './run.ts';
import { SUBJECTS, shortName } from './subjects.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const FOLDER = join(ROOT, '.cache/bench/paper');
/** Of --quick, with the report. */
const QUICK_SECONDS = 280;
const MOST_CPUS = 64;
const PAPER_CPUS = [1, 2, 4, 8, 16];

const names = (list: readonly { readonly name: string }[]) => list.map(({ name }) => name).join(', ');

const USAGE = `npm run bench -- paper [options]      (some hours; progress and an estimate on standard error)
  --quick            what five minutes give
  --resume           go on with what was interrupted, of the same commit and with the same options
  --workloads LIST   of ${names(WORKLOADS)} (default: all)
  --subjects LIST    of ${SUBJECTS.map(shortName).join(', ')} (default: all; '-returns' for 'relaxed -returns')
  --cpus LIST        numbers of CPUs (default: of ${PAPER_CPUS.join(', ')} those that the host has cores for)
  --runs N           rounds (default: 3 cold, 2 warm; 1 with --quick)
  --seconds S        of each warm row (default: 6, and 20 of those with many processes; 1 and 6 with --quick), or by workload: lmbench=2,apache=40
  --json FILE        the figures for programs
  --html FILE        the report as a page that opens from disk (default: .cache/bench/paper/report.html)
  --markdown FILE    the report's tables
  --from FILE        no run: the report of what --json wrote
  --history          keep the means and goals as this version's, in bench/history; --replace: also where another commit's are there
`;

function usage(message: string): never {
  process.stderr.write(`bench: paper: ${message}\n${USAGE}`);
  process.exit(2);
}

function readArguments(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        quick: { type: 'boolean' },
        resume: { type: 'boolean' },
        workloads: { type: 'string' },
        subjects: { type: 'string' },
        cpus: { type: 'string' },
        runs: { type: 'string' },
        seconds: { type: 'string' },
        json: { type: 'string' },
        html: { type: 'string' },
        markdown: { type: 'string' },
        from: { type: 'string' },
        history: { type: 'boolean' },
        replace: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    return usage((error as Error).message);
  }
}

function chosen<T extends { readonly name: string }>(all: readonly T[], list: string | undefined, option: string): T[] {
  if (list === undefined) return [...all];
  const wanted = list.split(',');
  for (const name of wanted)
    if (!all.some((one) => shortName(one) === name)) usage(`${option}: '${name}' is none of ${all.map(shortName).join(', ')}`);
  return all.filter((one) => wanted.includes(shortName(one)));
}

function numberIn(text: string, option: string, least: number, most: number, whole = true): number {
  const value = Number(text);
  if (!(value >= least && value <= most) || (whole && !Number.isInteger(value)))
    usage(`${option}: '${text}' is no number from ${least} to ${most}`);
  return value;
}

/** --seconds: S, or WORKLOAD=S with commas. */
function secondsOf(text: string): WarmSeconds {
  const read = (word: string) => numberIn(word, '--seconds', 0.1, 600, false);
  if (!/[=,]/.test(text)) return new Map(WORKLOADS.map(({ name }) => [name, read(text)]));
  const parts = text.split(',').map((part) => part.split('='));
  chosen(WORKLOADS, parts.map(([name]) => name).join(), '--seconds');
  return new Map(parts.map(([name, ...words]) => [name!, read(words.join('='))]));
}

/** The commit, and whether what is measured is something else. */
function commitOf(): string {
  const git = (...args: string[]) => execFileSync('git', args, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    const changes = git('diff', 'HEAD');
    return (
      git('rev-parse', '--short=10', 'HEAD') + (changes === '' ? '' : `+${createHash('sha256').update(changes).digest('hex').slice(0, 8)}`)
    );
  } catch {
    return 'unknown';
  }
}

async function measure(values: ReturnType<typeof readArguments>): Promise<PaperResult> {
  const startMs = performance.now();
  const cores = hostCpus();
  const quick = values.quick === true;
  const wanted = chosen(WORKLOADS, values.workloads, '--workloads');
  const workloads = quick && values.workloads === undefined ? wanted.filter(({ name }) => QUICK_WORKLOADS.includes(name)) : wanted;
  const subjects = chosen(SUBJECTS, values.subjects, '--subjects');
  const asked = values.cpus?.split(',').map((text) => numberIn(text, '--cpus', 1, MOST_CPUS));
  const cpus = [...new Set(asked ?? PAPER_CPUS.filter((count) => count <= cores.length))].sort((a, b) => a - b);
  const rounds = values.runs === undefined ? undefined : numberIn(values.runs, '--runs', 1, 100);
  const warmSeconds = values.seconds === undefined ? undefined : secondsOf(values.seconds);
  const settings = { quick, ...(warmSeconds === undefined ? {} : { warmSeconds }) };
  const plans = groupPlans({ workloads, subjects, cpus, ...settings, ...(rounds === undefined ? {} : { rounds }) });
  const jobs = plans.flatMap(jobsOf);
  // In five minutes there is time for what returns does to Apache.
  const counted = quick
    ? ([workloads.slice(-1), subjects.filter(({ name }) => name !== 'classic')] as const)
    : ([workloads, subjects] as const);
  const counting = counterJobs(...counted, (workload) => warmSecondsOf(workload, settings));
  const commit = commitOf();
  const key = createHash('sha256')
    .update(JSON.stringify([plans, counting, cores.length]))
    .digest('hex')
    .slice(0, 16);
  const plan = `${commit}: ${key} (${jobs.length + counting.length} runs of ${names(subjects)} on ${names(workloads)}, ${cpus.join('/')} CPUs)`;
  const path = join(FOLDER, 'journal.jsonl');
  const journal = values.resume === true ? Journal.resume(path, plan) : Journal.begin(path, plan);
  await build({ wasmOnly: true });
  const loadBefore = loadavg()[0]!;
  const have = await images(workloads);
  const budgetSeconds = quick ? QUICK_SECONDS : Number.POSITIVE_INFINITY;
  await runAll({ jobs, counting, subjects, images: have, journal, budgetSeconds, startMs });
  const collected = plans.map((one) => collect(one, (id) => journal.find(id)));
  const groups = collected.map(({ group }) => group);
  const counters = counting.flatMap(({ id }) => journal.find(id)?.counters ?? []);
  const uncounted = counting.filter(({ id }) => journal.find(id)?.counters === undefined);
  const missing = PAPER_CPUS.filter((count) => !cpus.includes(count));
  return {
    version: JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).version,
    date: new Date().toISOString(),
    commit,
    host: { cpu: cores[0]?.model ?? 'unknown', cpus: cores.length, node: process.version, loadBefore, loadAfter: loadavg()[0]! },
    guest: [...have.values()].find((image) => typeof image !== 'string')?.version ?? 'none',
    quick,
    subjects: subjects.map(({ name, kind, what }) => ({ name, kind, what })),
    groups,
    counters,
    goals: goalsOf(groups, counters),
    skipped: [
      ...wanted.filter((one) => !workloads.includes(one)).map(({ name }) => `${name}: ${NO_TIME} (--quick)`),
      ...collected.flatMap(({ skipped }) => skipped),
      ...uncounted.map(({ id }) => `${id}: ${journal.find(id)?.skipped ?? NO_TIME}`),
      ...(missing.length === 0 ? [] : [`${missing.join(', ')} CPUs: not asked for (the host has ${cores.length} cores)`]),
    ],
  };
}

/** `args`: behind the section's name. */
export async function paper(args: string[]): Promise<void> {
  const values = readArguments(args);
  if (values.help === true) {
    process.stdout.write(USAGE);
    return;
  }
  const result: PaperResult = values.from === undefined ? await measure(values) : JSON.parse(readFileSync(values.from, 'utf8'));
  if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(result, null, 2)}\n`);
  if (values.history === true) await writeHistory(historyEntry(result), { replace: values.replace === true });
  const history = await readHistory();
  for (const table of tables(result, history)) process.stdout.write(`\n${formatTable(table)}`);
  const html = values.html ?? join(FOLDER, 'report.html');
  await mkdir(dirname(html), { recursive: true });
  await writeReport(result, { html, ...(values.markdown === undefined ? {} : { markdown: values.markdown }), history });
  process.stdout.write(`\nThe same with charts: ${html}\n`);
}
