// npm start: Debian's kernel in this terminal. Fetches the guest and builds Dragoman where that was not done yet; what follows
// `npm start --` goes to `dragoman run` (an --append is added to ours).
import { spawnSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureGuest } from './guests.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const MAIN = join(ROOT, 'dist/cli/main.js');
/** What dist/ is made from; generated files below are no sources. */
const SOURCES = ['src', 'wasm', 'scripts', 'package.json'];
const GENERATED = /(^|\/)gen(\/|$)/;

const changed = (path: string) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;

function newestSource(): number {
  const files = SOURCES.flatMap((name) => {
    const path = join(ROOT, name);
    if (!statSync(path).isDirectory()) return [path];
    return readdirSync(path, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !GENERATED.test(entry.parentPath.slice(ROOT.length)))
      .map((entry) => join(entry.parentPath, entry.name));
  });
  return Math.max(...files.map(changed));
}

function buildIfNeeded(): void {
  if (changed(MAIN) > newestSource()) return;
  process.stderr.write('dragoman: building ...\n');
  const { status } = spawnSync(process.execPath, [join(ROOT, 'scripts/build.ts')], { cwd: ROOT, stdio: ['ignore', 2, 2] });
  if (status !== 0) {
    process.stderr.write('dragoman: the build failed\n');
    process.exit(2);
  }
}

/** Takes every --append out of `args`; returns the rest and the texts. */
function splitAppends(args: readonly string[]): { rest: string[]; texts: string[] } {
  const [rest, texts]: [string[], string[]] = [[], []];
  for (let k = 0; k < args.length; k++) {
    if (args[k].startsWith('--append=')) texts.push(args[k].slice('--append='.length));
    else if (args[k] === '--append' && k + 1 < args.length) texts.push(args[++k]);
    else rest.push(args[k]);
  }
  return { rest, texts };
}

try {
  const { kernel, initrd } = await ensureGuest();
  buildIfNeeded();
  const { rest, texts } = splitAppends(process.argv.slice(2));
  const append = ['console=ttyS0', ...texts].join(' ');
  process.argv = [process.execPath, MAIN, 'run', kernel, '--initrd', initrd, '--append', append, ...rest];
} catch (error) {
  process.stderr.write(`dragoman: ${(error as Error).message}\n`);
  process.exit(2);
}
await import(MAIN);
