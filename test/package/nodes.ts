// Nodes of several versions, for tests: this one, one in PATH, or one that npm has as a package.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { npm, ROOT } from './project.ts';

/** What is fetched, by major version. */
const VERSIONS: Readonly<Record<number, string>> = { 20: '20.8.0', 24: '24.22.3', 26: '26.10.0' };
const CACHE = join(ROOT, '.cache/nodes');

function majorOf(path: string): number | undefined {
  try {
    return Number(/^v(\d+)/.exec(execFileSync(path, ['--version'], { encoding: 'utf8' }))?.[1]);
  } catch {
    return undefined;
  }
}

/** Fetches a Node, where that was not done before. */
async function fetchNode(version: string): Promise<string> {
  const path = join(CACHE, version, 'node');
  if (existsSync(path)) return path;
  mkdirSync(CACHE, { recursive: true });
  const place = mkdtempSync(join(CACHE, 'fetch-'));
  try {
    const name = `node-${process.platform}-${process.arch}@${version}`;
    const [{ filename }] = JSON.parse(await npm(['pack', '--json', '--prefer-offline', name], place)) as [{ filename: string }];
    execFileSync('tar', ['-xf', filename, '--strip-components=2', 'package/bin/node'], { cwd: place });
    rmSync(join(place, filename));
    if (!existsSync(path)) renameSync(place, join(CACHE, version));
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
  return path;
}

export interface Found {
  readonly major: number;
  /** Path of the executable. */
  readonly node: string | undefined;
  /** The name of a test that needs it, which says why it is skipped where it is. */
  readonly name: (test: string) => string;
}

/** A Node of a major version. With CI=true there must be one. */
export async function nodeOrSkip(major: number): Promise<Found> {
  const path = (process.env.PATH ?? '').split(':').map((folder) => join(folder, 'node'));
  const here = [process.execPath, ...path].find((node) => existsSync(node) && majorOf(node) === major);
  try {
    const node = here ?? (await fetchNode(VERSIONS[major]!));
    return { major, node, name: (test) => test };
  } catch (error) {
    if (process.env.CI === 'true') throw error;
    const [why] = (error as Error).message.split('\n');
    return { major, node: undefined, name: (test) => `${test} (skipped: no Node ${major}: ${why})` };
  }
}
