// Builds serai, the demo kernel of examples/serai, and holds it against the image in the repository.
//
//     node scripts/with-node.mjs guests/serai.ts            # the same bytes?
//     node scripts/with-node.mjs guests/serai.ts --write    # puts the image and the versions of its tools into the repository
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

/** Builds in a folder of its own. `variables`: of the Makefile, by name. */
export function build(variables: Readonly<Record<string, string>> = {}): Buffer {
  const place = mkdtempSync(join(tmpdir(), 'serai-'));
  try {
    make('-j2', `BUILD=${place}`, ...Object.entries(variables).map(([name, value]) => `${name}=${value}`));
    return readFileSync(join(place, 'serai.elf'));
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
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
  const same = build().equals(readFileSync(SERAI));
  console.log(same ? 'the same bytes' : 'serai.elf is not what its source gives: --write');
  process.exit(same ? 0 : 1);
}
