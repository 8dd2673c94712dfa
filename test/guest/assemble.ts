// Assembles test/guest/*.asm into test/guest/bin with NASM, and notes the hashes of the sources.
// Usage: node scripts/with-node.mjs test/guest/assemble.ts
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { guestNames, parseHeader, readSource, sourceHash } from '../harness/asm.ts';

const here = fileURLToPath(new URL('.', import.meta.url));
const manifest: Record<string, string> = {};
mkdirSync(`${here}bin`, { recursive: true });
const names = guestNames();
for (const name of names) {
  parseHeader(readSource(name));
  execFileSync('nasm', ['-f', 'bin', '-w-all', '-I', here, '-o', `${here}bin/${name}.bin`, `${here}${name}.asm`], { stdio: 'inherit' });
  manifest[name] = sourceHash(name);
}
for (const file of readdirSync(`${here}bin`)) if (file.endsWith('.bin') && !names.includes(file.slice(0, -4))) rmSync(`${here}bin/${file}`);
writeFileSync(`${here}bin/manifest.json`, `${JSON.stringify(manifest, null, 2)}\n`);
console.log(`${names.length} programs`);
