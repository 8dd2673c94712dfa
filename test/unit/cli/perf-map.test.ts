// --perf-map: what Linux perf is told of the engine's code.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { finish, MAIN, path, start } from './process.ts';

const folder = mkdtempSync(join(tmpdir(), 'dragoman-'));
afterAll(() => rmSync(folder, { recursive: true }));
/** A symbol where serai begins, and data behind it, which names no code. */
const symbols = join(folder, 'System.map');
writeFileSync(symbols, 'c0100000 T serai_text\nc0100800 D serai_data\n');

/** Names of functions that V8 compiled while serai looked for primes. */
async function compiled(...args: string[]): Promise<string[]> {
  const { child, ended } = start(MAIN, ['run', path('examples/serai/serai.elf'), ...args]);
  child.stdin!.end('primes 2000000\rhalt\r');
  const { status, stdout, stderr } = await ended;
  expect({ status, primes: stdout.includes('148933'), stderr }).toMatchObject({ status: 0, primes: true });
  const map = `/tmp/perf-${child.pid}.map`;
  const lines = readFileSync(map, 'latin1').split('\n');
  rmSync(map);
  return lines.map((line) => /^[0-9a-f]+ [0-9a-f]+ JS:(.*)-\d+-(?:liftoff|turbofan)$/.exec(line)?.[1] ?? '').filter((name) => name !== '');
}

// Only Linux has perf; V8 writes its files there alone.
const name = 'names forms of instructions, functions of the runtime, and regions by their symbols or EIPs';
it.runIf(process.platform === 'linux')(name, { timeout: 120_000 }, async () => {
  const named = await compiled('--perf-map', '--symbols', symbols);
  expect(named).toEqual(expect.arrayContaining(['dispatch', 'mov r4 m4', expect.stringMatching(/^wasm\/engine\//)]));
  const regions = named.filter((one) => one.startsWith('serai_text+0x'));
  expect(regions.length).toBeGreaterThan(0);
  expect(named.some((one) => one.startsWith('x86:') || one.startsWith('serai_data'))).toBe(false);
  const bare = await compiled('--perf-map');
  expect(bare.some((one) => /^x86:0xc01[0-9a-f]{5}$/.test(one))).toBe(true);
});

it('refuses what is no System.map, before anything runs', async () => {
  const text = join(folder, 'text');
  writeFileSync(text, 'no symbols\n');
  const { status, stderr } = await finish(MAIN, ['run', path('examples/serai/serai.elf'), '--symbols', text]);
  expect({ status, stderr }).toEqual({
    status: 2,
    stderr: expect.stringMatching(/^dragoman: --symbols: .*text: no line with an address/),
  });
});
