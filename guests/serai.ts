// Builds serai, the demo kernel of examples/serai, and holds it, and the map of its names, against what is in the repository.
//
//     node scripts/with-node.mjs guests/serai.ts            # the same bytes?
//     node scripts/with-node.mjs guests/serai.ts --write    # puts image, map and the versions of their tools into the repository
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../examples/serai/', import.meta.url));
export const SERAI = `${folder}serai.elf`;
/** Its names, as a System.map: the image has none. */
export const SERAI_MAP = `${folder}serai.map`;

const make = (...goals: string[]): string => execFileSync('make', ['-s', '-C', folder, ...goals], { encoding: 'utf8', stdio: 'pipe' });

/** Why the image cannot be built to the same bytes here; undefined where it can. */
export function whyNot(): string | undefined {
  let here: string;
  try {
    here = make('versions');
  } catch (error) {
    return `no make, gcc or ld (${(error as Error).message.split('\n')[0]})`;
  }
  const there = readFileSync(`${folder}toolchain.txt`, 'utf8');
  const line = (text: string) => text.trim().replaceAll('\n', ', ');
  return here === there ? undefined : `the image was made by ${line(there)}; here are ${line(here)}`;
}

/** Builds some of the Makefile's files in a folder of its own. `variables`: of the Makefile, by name. */
function made(names: readonly string[], variables: Readonly<Record<string, string>> = {}): Buffer[] {
  const place = mkdtempSync(join(tmpdir(), 'serai-'));
  try {
    const settings = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
    make('-j2', `BUILD=${place}`, ...settings, ...names.map((name) => join(place, name)));
    return names.map((name) => readFileSync(join(place, name)));
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

/** The image. `variables`: as above. */
export const build = (variables: Readonly<Record<string, string>> = {}): Buffer => made(['serai.elf'], variables)[0]!;

/** Names of the files in the repository that are not what their source gives. */
export function changed(): string[] {
  const [image, map] = made(['serai.elf', 'serai.map']);
  const is = (bytes: Buffer, path: string) => bytes.equals(readFileSync(path));
  return [...(is(image!, SERAI) ? [] : ['serai.elf']), ...(is(map!, SERAI_MAP) ? [] : ['serai.map'])];
}

/** Builds serai with its names and lines in a folder that is there; the path of the image. Throws where this host cannot. */
export function buildDebug(folder: string): string {
  make('-j2', `BUILD=${folder}`, 'debug');
  return join(folder, 'debug/serai.elf');
}

if (import.meta.main) {
  if (process.argv.includes('--write')) make('image');
  const reason = whyNot();
  if (reason !== undefined) {
    console.error(`cannot check: ${reason}`);
    process.exit(2);
  }
  const others = changed();
  console.log(others.length === 0 ? 'the same bytes' : `not what their source gives: ${others.join(' and ')} (--write)`);
  process.exit(others.length === 0 ? 0 : 1);
}
