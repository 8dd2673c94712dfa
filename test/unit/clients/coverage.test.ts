// The client coverage: programs whose blocks, branches, edges and lines are known, in both engines.
// Cannot prove: what it costs; bench/ shows that.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { Machine, type MachineOptions, MiB } from '../../../src/api/index.ts';
import type { CoverageReport } from '../../../src/clients/coverage.ts';
import { CLI_HLT, kernel, le32 } from '../machine/programs.ts';

const place = mkdtempSync(join(tmpdir(), 'coverage-'));
afterAll(() => rmSync(place, { recursive: true, force: true }));

const MANY = 3000;
/** MOV ECX, MANY; back: TEST CL, CL; JS never; DEC ECX; JNZ back; CLI; HLT; never: CLI; HLT */
const HEAD = `b9${le32(MANY)}`;
const SAME = `${HEAD} 85c9 7805 49 75f9 ${CLI_HLT} 90 ${CLI_HLT}`;

const ways: Partial<MachineOptions>[] = [{ lockstep: { paced: false } }, { lockstep: { paced: false }, engine: 'interpreter' }];
const create = (image: Uint8Array, more: Partial<MachineOptions>, ...clients: string[]) =>
  Machine.create({ memoryBytes: 16 * MiB, kernel: image, clients, ...more });

it.each([...ways, {}])('with %j blocks and ways of branches are marked', async (more) => {
  const file = join(place, 'blocks.txt');
  await using machine = await create(kernel(SAME), more, `coverage:file=${file}`);
  expect(await machine.run()).toEqual({ kind: 'halted' });
  expect(machine.stats().clients!.coverage).toMatchObject({
    branches: { both: 1, one: 1 },
    pages: 1,
    lostPages: 0,
  } satisfies Partial<CoverageReport>);
  const lines = readFileSync(file, 'utf8').trim().split('\n').slice(1);
  // At the start, the loop's head, behind each branch; and where lockstep's slice has ended.
  expect(lines).toEqual([expect.stringMatching(/^00100020 page 0x100000: [45] 1 1$/)]);
});

it('the map is the same in both engines and each run, is read and cleared while the machine stands, and is written at the end', async () => {
  const maps: Uint8Array[] = [];
  for (const more of [...ways, ...ways]) {
    const file = join(place, 'map');
    await using machine = await create(kernel(SAME), { ...more, paused: true });
    const client = await machine.attach(`coverage:format=map,file=${file}`);
    const run = machine.run();
    await machine.pause();
    await machine.step(0, 7);
    const before = client.ask('map') as Uint8Array;
    // Two turns of JS, one of JNZ.
    expect([...before.filter((hits) => hits !== 0)].sort()).toEqual([1, 2]);
    client.ask('clear');
    expect((client.ask('map') as Uint8Array).every((hits) => hits === 0)).toBe(true);
    await machine.resume();
    await run;
    maps.push(new Uint8Array(readFileSync(file)));
    expect(client.report()).toEqual({ edges: 3 });
    expect(() => client.ask('mop')).toThrow("knows of no 'mop'");
  }
  expect(maps[0]!.length).toBe(65536);
  // JS past, JNZ back: more often than a byte counts; JNZ past: once.
  expect([...maps[0]!.filter((hits) => hits !== 0)].sort((a, b) => a - b)).toEqual([1, 255, 255]);
  for (const map of maps) expect(map).toEqual(maps[0]);
});

it('refuses what it cannot do', async () => {
  const refused = (client: string) => expect(create(kernel(SAME), ways[0]!, client)).rejects;
  await refused('coverage:format=xml').toThrow("'xml' is no format: text, lcov, map");
  await refused('coverage:format=lcov,file=x.info').toThrow("needs the kernel's ELF file with its names");
  await refused('coverage:elf=/no/such/file,file=x').toThrow('/no/such/file: no such file');
});

const SOURCE = `__asm__(".text\\n.long 0x1badb002, 0, -0x1badb002\\n.globl _start\\n_start: movl $0x200000, %esp\\ncall run\\ncli\\nhlt");
static volatile int seen;

int twice(int n) {
  if (n > 100)
    seen = -1;
  return n + n;
}

void never(void) {
  seen = 0;
}

void run(void) {
  for (int i = 0; i < 500; i++)
    seen += twice(i & 63);
}
`;
const compiler = (() => {
  try {
    return execFileSync('gcc', ['--version'], { encoding: 'utf8' });
  } catch {
    return undefined;
  }
})();

it.skipIf(compiler === undefined)('lines, functions and branches of a kernel with DWARF (with gcc)', async () => {
  writeFileSync(join(place, 'guest.c'), SOURCE);
  const image = join(place, 'guest');
  const flags = ['-m32', '-ffreestanding', '-nostdlib', '-static', '-no-pie', '-fno-pie', '-fno-asynchronous-unwind-tables'];
  execFileSync('gcc', [...flags, '-g', '-O0', '-Wl,-Ttext=0x100000', '-Wl,--build-id=none', '-o', image, 'guest.c'], {
    cwd: place,
    stdio: 'pipe',
  });
  const texts: string[] = [];
  for (const more of ways) {
    const file = join(place, 'guest.info');
    await using machine = await create(readFileSync(image), more, `coverage:format=lcov,file=${file}`);
    expect(await machine.run()).toEqual({ kind: 'halted' });
    texts.push(readFileSync(file, 'utf8'));
    expect(machine.stats().clients!.coverage).toMatchObject({ functions: { run: 3, all: 4 } });
  }
  const [text] = texts;
  expect(texts[1]).toBe(text);
  const lines = text!.split('\n');
  expect(lines.slice(0, 2)).toEqual(['TN:', `SF:${join(place, 'guest.c')}`]);
  expect(lines.filter((line) => line.startsWith('DA:'))).toEqual(
    ['4,1', '5,1', '6,0', '7,1', '8,1', '10,0', '11,0', '12,0', '14,1', '15,1', '16,1', '17,1'].map((line) => `DA:${line}`),
  );
  expect(lines.filter((line) => line.startsWith('FN'))).toEqual(
    expect.arrayContaining(['FN:4,twice', 'FN:10,never', 'FN:14,run', 'FNDA:1,twice', 'FNDA:0,never', 'FNDA:1,run']),
  );
  // if (n > 100): JLE, always taken; the loop's condition: JLE, taken and at last not.
  expect(lines.filter((line) => line.startsWith('BRDA'))).toEqual(['BRDA:5,0,0,1', 'BRDA:5,0,1,0', 'BRDA:15,0,0,1', 'BRDA:15,0,1,1']);
  expect(lines).toEqual(expect.arrayContaining(['LF:12', 'LH:8', 'BRF:4', 'BRH:3', 'end_of_record']));
});
