// What each release could do: bench/history/VERSION.json, written by `npm run bench -- paper --history`, read for the report's last section.
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DragomanError } from '../../../src/api/errors.ts';
import type { Heat } from '../../kernel/statistics.ts';
import type { Goal, PaperResult } from '../result.ts';
import { isTime, meanOf, modePairs, pairsIn, peerPairs, rowsOf, singles } from './ratios.ts';

export const HISTORY = fileURLToPath(new URL('../../history/', import.meta.url));

/** A pair's geometric mean over the kernel rows of a group at one CPU. */
export interface HistoryMean {
  readonly workload: string;
  readonly title: string;
  readonly heat: Heat;
  readonly subject: string;
  readonly base: string;
  readonly mean: number;
  readonly rows: number;
}

export interface HistoryEntry {
  readonly version: string;
  readonly commit: string;
  /** ISO 8601. */
  readonly date: string;
  readonly quick: boolean;
  readonly host: { readonly cpu: string; readonly cpus: number; readonly node: string };
  readonly guest: string;
  readonly means: readonly HistoryMean[];
  readonly goals: readonly Goal[];
}

/** What of a result is kept. */
export function historyEntry(result: PaperResult): HistoryEntry {
  const { version, commit, date, quick, guest, goals } = result;
  const { cpu, cpus, node } = result.host;
  const pairs = [...peerPairs(result), ...modePairs(result)];
  const means = singles(result).flatMap((group) =>
    pairsIn(group, pairs).flatMap(({ subject, base }) => {
      const found = meanOf(rowsOf(group, false), { subject, base });
      const { workload, title, heat } = group;
      return found === undefined
        ? []
        : [{ workload, title, heat, subject, base, mean: Number(found.mean.toPrecision(4)), rows: found.rows }];
    }),
  );
  return { version, commit, date, quick, host: { cpu, cpus, node }, guest, means, goals };
}

type Check = (value: unknown) => boolean;
const isText: Check = (value) => typeof value === 'string' && value !== '';
const isTruth: Check = (value) => typeof value === 'boolean';
const isRatio: Check = (value) => isTime(value as number) && Number.isFinite(value);
const isCount: Check = (value) => Number.isInteger(value) && (value as number) > 0;
const isDate: Check = (value) => isText(value) && !Number.isNaN(Date.parse(value as string));
const isHeat: Check = (value) => value === 'cold' || value === 'warm';
const isMaybe =
  (check: Check): Check =>
  (value) =>
    value === undefined || value === null || check(value);
const isNumber: Check = (value) => typeof value === 'number';

/** Of each kind of thing in a file, what its keys must be. */
const ENTRY = { version: isText, commit: isText, date: isDate, quick: isTruth, guest: isText } as const;
const HOST = { cpu: isText, cpus: isCount, node: isText } as const;
const MEAN = { workload: isText, title: isText, heat: isHeat, subject: isText, base: isText, mean: isRatio, rows: isCount } as const;
const GOAL = { name: isText, asked: isText, measured: isMaybe(isNumber), met: isMaybe(isTruth) } as const;

/** Why `value` is no such thing, 'means[2].mean is "fast"'; undefined where it is one. */
function fault(value: unknown, checks: Readonly<Record<string, Check>>, at: string): string | undefined {
  if (typeof value !== 'object' || value === null) return `${at === '' ? 'it' : at.slice(0, -1)} is no object`;
  const [wrong] = Object.entries(checks).filter(([key, check]) => !check((value as Record<string, unknown>)[key]));
  if (wrong === undefined) return undefined;
  const found = (value as Record<string, unknown>)[wrong[0]];
  return `${at}${wrong[0]} ${found === undefined ? 'is missing' : `is ${JSON.stringify(found)}`}`;
}

const faults = (list: unknown, checks: Readonly<Record<string, Check>>, name: string): string | undefined =>
  Array.isArray(list) ? list.map((one, k) => fault(one, checks, `${name}[${k}].`)).find((one) => one !== undefined) : `${name} is no list`;

/** A file's text as an entry; `where`: its path, for the error. Throws a DragomanError that says what is wrong. */
export function parseHistory(text: string, where: string): HistoryEntry {
  let entry: HistoryEntry;
  try {
    entry = JSON.parse(text);
  } catch (error) {
    throw new DragomanError('BAD_OPTION', `no JSON: ${(error as Error).message}`, where, { cause: error });
  }
  const wrong =
    fault(entry, ENTRY, '') ?? fault(entry.host, HOST, 'host.') ?? faults(entry.means, MEAN, 'means') ?? faults(entry.goals, GOAL, 'goals');
  if (wrong !== undefined) throw new DragomanError('BAD_OPTION', `no release's figures: ${wrong}`, where);
  return entry;
}

/** All releases, the oldest first; none where there is no folder. Throws a DragomanError for a file that is none. */
export async function readHistory(folder = HISTORY): Promise<HistoryEntry[]> {
  let names: string[];
  try {
    names = await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  const entries = await Promise.all(
    names
      .filter((name) => name.endsWith('.json'))
      .map(async (name) => {
        const path = join(folder, name);
        const entry = parseHistory(await readFile(path, 'utf8'), path);
        if (`${entry.version}.json` !== name) throw new DragomanError('BAD_OPTION', `it is of version ${entry.version}`, path);
        return entry;
      }),
  );
  return entries.sort((a, b) => Date.parse(a.date) - Date.parse(b.date) || a.version.localeCompare(b.version, 'en', { numeric: true }));
}

/**
 * Writes a release's file, and returns its path. Throws a DragomanError where it holds another commit's figures, unless `replace` is set; those of the same commit are
 * written anew.
 */
export async function writeHistory(entry: HistoryEntry, { folder = HISTORY, replace = false } = {}): Promise<string> {
  // It becomes a file's name.
  if (!/^\d+\.\d+\.\d+[-+.\w]*$/.test(entry.version)) throw new DragomanError('BAD_OPTION', `'${entry.version}' is no version`, 'history');
  const path = join(folder, `${entry.version}.json`);
  const old = (await readHistory(folder)).find(({ version }) => version === entry.version);
  if (old !== undefined && old.commit !== entry.commit && !replace)
    throw new DragomanError(
      'BAD_OPTION',
      `it has the figures of commit ${old.commit}; those of ${entry.commit} are not written over them`,
      path,
    );
  await mkdir(folder, { recursive: true });
  const text = `${JSON.stringify(entry, null, 2)}\n`;
  parseHistory(text, path);
  await writeFile(`${path}.new`, text);
  await rename(`${path}.new`, path);
  return path;
}
