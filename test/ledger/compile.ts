// Compiles kernel.c into kernel.json: the bytes of each of its functions. Wants gcc for IA-32; the bytes are kept so that nobody else needs it.
// Usage: node scripts/with-node.mjs test/ledger/compile.ts
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const FLAGS =
  '-m32 -march=i686 -O2 -mregparm=3 -ffreestanding -fno-pic -fno-strict-aliasing -fomit-frame-pointer -fno-stack-protector -fcf-protection=none -fno-asynchronous-unwind-tables -falign-functions=1 -ffunction-sections -Wall -Wextra -Werror';

const folder = mkdtempSync(join(tmpdir(), 'dragoman-ledger-'));
try {
  const object = join(folder, 'kernel.o');
  execFileSync('gcc', [...FLAGS.split(' '), '-c', '-o', object, `${here}kernel.c`], { stdio: 'inherit' });
  const sections = execFileSync('readelf', ['-SW', object], { encoding: 'utf8' });
  if (/ \.rel\.text/.test(sections)) throw new Error('a function calls another, or has data');
  const functions: Record<string, string> = {};
  for (const [, name] of sections.matchAll(/ \.text\.(\w+) /g)) {
    const bytes = join(folder, name!);
    execFileSync('objcopy', ['-O', 'binary', '-j', `.text.${name}`, object, bytes]);
    functions[name!] = readFileSync(bytes).toString('hex');
  }
  const compiler = execFileSync('gcc', ['--version'], { encoding: 'utf8' }).split('\n')[0];
  writeFileSync(`${here}kernel.json`, `${JSON.stringify({ compiler, flags: FLAGS, functions }, null, 2)}\n`);
} finally {
  rmSync(folder, { recursive: true });
}
