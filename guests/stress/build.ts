// Compiles the stress program and notes with what and from what. Usage: node scripts/with-node.mjs guests/stress/build.ts
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const FOLDER = fileURLToPath(new URL('.', import.meta.url));
export const PROGRAM = join(FOLDER, 'stress');
const MANIFEST = join(FOLDER, 'manifest.json');
const UNITS = ['start.S', 'stress.c', 'processes.c', 'signals.c', 'memory.c', 'locks.c', 'code.c', 'files.c', 'floats.c', 'random.c'];
const FLAGS = [
  ...['-m32', '-march=i686', '-O2', '-std=gnu11', '-Wall', '-Wextra', '-Werror', '-ffreestanding', '-fno-strict-aliasing', '-fno-ident'],
  ...['-fno-pie', '-fno-stack-protector', '-fno-asynchronous-unwind-tables', '-fcf-protection=none'],
  ...['-nostdlib', '-static', '-no-pie', '-s', '-Wl,--build-id=none', '-Wl,-z,noseparate-code'],
];

export interface Manifest {
  /** First lines of what the tools say of themselves. */
  readonly compiler: string;
  readonly linker: string;
  /** Of all sources, by name. */
  readonly sources: string;
  readonly program: string;
}

const sha256 = (data: Uint8Array | string) => createHash('sha256').update(data).digest('hex');
const firstLine = (command: string) => execFileSync(command, ['--version'], { encoding: 'utf8' }).split('\n')[0];

/** The tools that are here, or undefined. */
export function tools(): Pick<Manifest, 'compiler' | 'linker'> | undefined {
  try {
    return { compiler: firstLine('gcc'), linker: firstLine('ld') };
  } catch {
    return undefined;
  }
}

export const readManifest = (): Manifest => JSON.parse(readFileSync(MANIFEST, 'utf8'));
export const programHash = () => sha256(readFileSync(PROGRAM));

export function sourcesHash(): string {
  const names = readdirSync(FOLDER).filter((name) => /\.[chS]$/.test(name));
  return sha256([...names.sort().map((name) => `${name} ${sha256(readFileSync(join(FOLDER, name)))}`), ...FLAGS].join('\n'));
}

/** Compiles to `path`; the names of the sources in the command are relative, so that no path gets into the program. */
export function compile(path: string): void {
  execFileSync('gcc', [...FLAGS, '-o', path, ...UNITS], { cwd: FOLDER, stdio: ['ignore', 'inherit', 'pipe'] });
}

if (import.meta.main) {
  compile(PROGRAM);
  const manifest: Manifest = { ...tools()!, sources: sourcesHash(), program: programHash() };
  writeFileSync(MANIFEST, `${JSON.stringify(manifest, null, 2)}\n`);
}
