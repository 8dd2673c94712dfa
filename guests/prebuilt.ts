// A program of ours for a Linux guest, in C and assembly, without a libc: compiled once and kept beside its sources, with a manifest that notes by what and from what.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const flags = (optimization: string) => [
  ...['-m32', '-march=i686', optimization, '-std=gnu11', '-Wall', '-Wextra', '-Werror'],
  ...['-ffreestanding', '-fno-strict-aliasing', '-fno-ident'],
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

export const sha256 = (data: Uint8Array | string) => createHash('sha256').update(data).digest('hex');
const firstLine = (command: string) => execFileSync(command, ['--version'], { encoding: 'utf8' }).split('\n')[0]!;

/** The tools that are here, or undefined. */
export function tools(): Pick<Manifest, 'compiler' | 'linker'> | undefined {
  try {
    return { compiler: firstLine('gcc'), linker: firstLine('ld') };
  } catch {
    return undefined;
  }
}

export interface PrebuiltOptions {
  /** Where its sources are, by a URL that ends in '/'. */
  readonly folder: URL;
  readonly name: string;
  readonly units: readonly string[];
  /** Sources of other folders, relative to this one. */
  readonly shared?: readonly string[];
  readonly optimization: string;
}

export class PrebuiltProgram {
  readonly folder: string;
  readonly name: string;
  /** The executable that is kept. */
  readonly path: string;
  readonly #units: readonly string[];
  readonly #shared: readonly string[];
  readonly #flags: readonly string[];

  constructor({ folder, name, units, shared = [], optimization }: PrebuiltOptions) {
    this.folder = fileURLToPath(folder);
    this.name = name;
    this.path = join(this.folder, name);
    this.#units = units;
    this.#shared = shared;
    this.#flags = flags(optimization);
  }

  get #manifestPath(): string {
    return join(this.folder, 'manifest.json');
  }
  readManifest(): Manifest {
    return JSON.parse(readFileSync(this.#manifestPath, 'utf8'));
  }
  programHash(): string {
    return sha256(readFileSync(this.path));
  }

  sourcesHash(): string {
    const names = [...readdirSync(this.folder).filter((name) => /\.[chS]$/.test(name)), ...this.#shared];
    return sha256([...names.sort().map((name) => `${name} ${sha256(readFileSync(join(this.folder, name)))}`), ...this.#flags].join('\n'));
  }

  /** Compiles to `path`; the names of the sources in the command are relative, so that no path gets into the program. */
  compile(path: string): void {
    execFileSync('gcc', [...this.#flags, '-o', path, ...this.#units], { cwd: this.folder, stdio: ['ignore', 'inherit', 'pipe'] });
  }

  /** Compiles it, and notes by what and from what. */
  build(): void {
    this.compile(this.path);
    const manifest: Manifest = { ...tools()!, sources: this.sourcesHash(), program: this.programHash() };
    writeFileSync(this.#manifestPath, `${JSON.stringify(manifest, null, 2)}\n`);
  }
}
