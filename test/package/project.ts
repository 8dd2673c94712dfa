// A project of somebody else's: an empty folder, with the package in it as npm packs and installs it.
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

export interface Ended {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end, whatever its status. */
export function run(program: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv = process.env): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(program, args, { cwd, env, maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      resolve({ status: error === null ? 0 : (child.exitCode ?? 1), stdout, stderr: error === null ? stderr : stderr || error.message });
    });
  });
}

/** The output of npm; throws where it fails. What this npm runs in hands down to its scripts is none of that one's. */
export async function npm(args: readonly string[], cwd: string): Promise<string> {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)));
  const { status, stdout, stderr } = await run('npm', args, cwd, env);
  if (status !== 0) throw new Error(`npm ${args.join(' ')}: ${stderr}`);
  return stdout;
}

/** What npm says of a package that it packed. */
export interface Packed {
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

/** Packs the package into `folder`. `prepack`: as somebody does who publishes it; else as it was built. */
export async function pack(folder: string, prepack: boolean): Promise<Packed> {
  const text = await npm(['pack', '--json', '--pack-destination', folder, ...(prepack ? [] : ['--ignore-scripts'])], ROOT);
  // Behind what the scripts say.
  return (JSON.parse(text.slice(text.search(/^\[\s*\{/m))) as [Packed])[0];
}

export interface Project {
  readonly folder: string;
  write(files: Readonly<Record<string, string>>): void;
  remove(): void;
}

/** An empty project. */
export function emptyProject(): Project {
  const folder = mkdtempSync(join(tmpdir(), 'dragoman-project-'));
  const write = (files: Readonly<Record<string, string>>) => {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), text);
    }
  };
  write({ 'package.json': JSON.stringify({ name: 'project', private: true, type: 'module' }) });
  return { folder, write, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Installs packages into a project, as far as possible from what npm has fetched before. */
export const install = (folder: string, ...packages: string[]): Promise<string> =>
  npm(['install', '--prefer-offline', '--no-audit', '--no-fund', ...packages], folder);
