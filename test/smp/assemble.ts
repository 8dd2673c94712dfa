// Assembles test/smp/*.asm into test/smp/bin with NASM, and notes the hashes of the sources.
// Usage: node scripts/with-node.mjs test/smp/assemble.ts
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { programNames, sourceHash } from './programs.ts';

const here = fileURLToPath(new URL('.', import.meta.url));
const names = programNames();
mkdirSync(`${here}bin`, { recursive: true });
for (const name of names)
  execFileSync('nasm', ['-f', 'bin', '-w-all', '-I', here, '-o', `${here}bin/${name}.bin`, `${here}${name}.asm`], { stdio: 'inherit' });
for (const file of readdirSync(`${here}bin`)) if (file.endsWith('.bin') && !names.includes(file.slice(0, -4))) rmSync(`${here}bin/${file}`);
writeFileSync(`${here}bin/manifest.json`, `${JSON.stringify(Object.fromEntries(names.map((n) => [n, sourceHash(n)])), null, 2)}\n`);
console.log(`${names.length} programs`);
