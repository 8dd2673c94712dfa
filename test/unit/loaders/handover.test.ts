// What a multiboot kernel is handed, asked by a kernel (handover.asm says how it is made, and how QEMU answers).
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { Machine, MiB } from '../../../src/api/index.ts';

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const source = readFileSync(path('handover.asm'), 'utf8');
const kernel = readFileSync(path('handover.bin'));
/** A line for each check, in order. */
const right = [...source.matchAll(/^ *CHECK \w+, "(.*)"/gm)].map(([, name]) => `${name}: ok\n`).join('');
const APPEND = 'a=1 b';
const MODULE = Buffer.from('module');

it('the assembled kernel is of the present source (else assemble it again)', () => {
  expect(createHash('sha256').update(source).digest('hex').slice(0, 32)).toBe('bb8076954067a3d9b13a01fe519b7e9c');
});

it.each(['interpreter', 'jit'] as const)('what kernels lean on is there (%s)', async (engine) => {
  let said = '';
  const m = await Machine.create({
    engine,
    kernel,
    kernelName: 'handover.bin',
    append: APPEND,
    modules: [{ data: MODULE, string: 'module' }],
    memoryBytes: 64 * MiB,
    debugExitPort: 0xf4,
    onDebugConsole: (bytes) => {
      said += Buffer.from(bytes).toString();
    },
  });
  expect(await m.run()).toEqual({ kind: 'debug-exit', value: 0 });
  expect(said).toBe(right);
});

const QEMU = 'qemu-system-i386';
const installed = spawnSync(QEMU, ['--version']).status === 0;

it.skipIf(!installed)(
  `QEMU hands over the same${installed ? '' : ` (no ${QEMU} here)`}`,
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'handover-'));
    try {
      const module = join(folder, 'module');
      writeFileSync(module, MODULE);
      const what = ['-m', '64', '-kernel', path('handover.bin'), '-append', APPEND, '-initrd', module];
      const ways = ['-display', 'none', '-debugcon', 'stdio', '-device', 'isa-debug-exit,iobase=0xf4'];
      expect(spawnSync(QEMU, [...what, ...ways], { timeout: 20_000 }).stdout.toString()).toBe(right);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
  30_000,
);
