// Finds the command line's module: what was built (dist/node: few files, which are loaded in a third of the time), or, in a checkout that was
// changed since, the sources as they are now. This file itself must run on Node 20.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const SOURCES = join(ROOT, 'src');
const BUILT = join(ROOT, 'dist/node');

/** Path, size and time of change of each file of a folder. */
export function statesOf(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((path) => {
      const { size, mtimeMs } = statSync(path);
      return [path.slice(folder.length + 1), size, mtimeMs];
    });
}

/** Whether the files of `built` were made from those of `sources` as they are. */
export function isCurrent(built, sources) {
  try {
    return readFileSync(join(built, 'sources.json'), 'utf8') === JSON.stringify(statesOf(sources));
  } catch {
    return false;
  }
}

/** Path of the module. */
export function findMain() {
  return !existsSync(SOURCES) || isCurrent(BUILT, SOURCES) ? join(BUILT, 'main.js') : join(SOURCES, 'cli/main.ts');
}
