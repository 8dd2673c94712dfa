// Formats and lints wasm/ by biome, which `npm run lint` does for all else. AssemblyScript is TypeScript but for decorators of functions, which biome refuses: it
// sees copies in which they are comments. `--write` brings back what it changes.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Not for AssemblyScript: numbers are compared by ==, which converts nothing, and with themselves for NaN; types are imported as values are; integers have 64 bits;
 * a class of statics is what globals are in one place. */
const OFF = {
  suspicious: { noDoubleEquals: 'off', noSelfCompare: 'off' },
  style: { useImportType: 'off' },
  correctness: { noPrecisionLoss: 'off' },
  complexity: { noStaticOnlyClass: 'off' },
};

const hide = (text: string) => text.replace(/^@(\w+)(\(.*\))?$/gm, (line, name) => (name === 'unmanaged' ? line : `// ${line}`));
const show = (text: string) => text.replace(/^\/\/ (@\w+(\(.*\))?)$/gm, '$1');

function config() {
  const own = JSON.parse(readFileSync(join(ROOT, 'biome.json'), 'utf8'));
  const { rules } = own.linter;
  for (const [group, off] of Object.entries(OFF)) rules[group] = { ...rules[group], ...off };
  return { ...own, $schema: undefined, files: { includes: ['wasm/**'] }, linter: { rules } };
}

/** The exit status of biome. */
export function checkWasm(write: boolean): number {
  const files = readdirSync(join(ROOT, 'wasm'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.startsWith('gen'))
    .map((name) => join('wasm', name));
  const copy = mkdtempSync(join(tmpdir(), 'dragoman-wasm-'));
  try {
    for (const file of files) {
      mkdirSync(join(copy, dirname(file)), { recursive: true });
      writeFileSync(join(copy, file), hide(readFileSync(join(ROOT, file), 'utf8')));
    }
    writeFileSync(join(copy, 'biome.json'), JSON.stringify(config()));
    const biome = join(dirname(createRequire(import.meta.url).resolve('@biomejs/biome/package.json')), 'bin/biome');
    const { status } = spawnSync(process.execPath, [biome, 'check', write ? '--write' : '--error-on-warnings', 'wasm'], {
      cwd: copy,
      stdio: 'inherit',
    });
    for (const file of write ? files : []) {
      const text = show(readFileSync(join(copy, file), 'utf8'));
      if (text !== readFileSync(join(ROOT, file), 'utf8')) writeFileSync(join(ROOT, file), text);
    }
    return status ?? 1;
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

if (import.meta.main) process.exitCode = checkWasm(process.argv.includes('--write'));
