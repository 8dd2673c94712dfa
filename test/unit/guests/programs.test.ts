// What is taken of packages for a guest: from folders as dpkg leaves them, and by the text of apt-cache.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { dependenciesIn } from '../../../guests/apt.ts';
import { programFiles } from '../../../guests/programs.ts';
import { elf } from './made-elf.ts';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'dragoman-programs-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function put(path: string, data: Buffer | string): void {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, data);
}

/** A source of these packages, by what they depend on; and the names in the order in which it was asked for them. */
function source(depends: Record<string, string[]>) {
  const asked: string[] = [];
  return {
    asked,
    dependencies: async (name: string) => depends[name]!,
    unpacked: async (names: readonly string[]) => {
      asked.push(...names);
      return names.map((name) => join(folder, name));
    },
  };
}

it('takes a program, what it needs, what that needs, and nothing else', async () => {
  put('tool/usr/bin/tool', elf({ needed: ['liba.so.1', 'libc.so.6'], interpreter: '/lib/ld-linux.so.2' }));
  put('tool/usr/bin/other', elf({ needed: ['libnever.so.1'] }));
  put('tool/etc/tool.conf', 'text');
  put('liba1/usr/lib/i386-linux-gnu/liba.so.1.0.3', elf({ needed: ['libb.so.2', 'libc.so.6'] }));
  symlinkSync('liba.so.1.0.3', join(folder, 'liba1/usr/lib/i386-linux-gnu/liba.so.1'));
  put('liba1/usr/lib/i386-linux-gnu/libunused.so.1', elf({}));
  // In a folder of its own, which its RUNPATH would name.
  put('libb2/usr/lib/i386-linux-gnu/b/libb.so.2', elf({}));
  put('libc6/lib/i386-linux-gnu/libc.so.6', elf({ needed: ['ld-linux.so.2'], interpreter: '/lib/ld-linux.so.2' }));
  put('libc6/lib/ld-linux.so.2', elf({}));
  const packages = source({ tool: ['perl', 'liba1', 'libc6'], liba1: ['libb2', 'libc6'], libc6: [] });
  const files = await programFiles(packages, { tool: ['usr/bin/tool', 'etc/tool.conf'] });
  expect(files.map(({ path }) => path)).toEqual([
    'etc/tool.conf',
    'lib/i386-linux-gnu/liba.so.1',
    'lib/i386-linux-gnu/libb.so.2',
    'lib/i386-linux-gnu/libc.so.6',
    'lib/ld-linux.so.2',
    'usr/bin/tool',
  ]);
  // Nothing of packages without shared objects, and no package twice.
  expect(packages.asked).toEqual(['tool', 'liba1', 'libc6', 'libb2']);
});

it('says what needs an object that is nowhere', async () => {
  put('tool/usr/bin/tool', elf({ needed: ['liba.so.1'] }));
  put('liba2/usr/lib/liba.so.2', elf({}));
  const wanted = programFiles(source({ tool: ['liba2'] }), { tool: ['usr/bin/tool'] });
  await expect(wanted).rejects.toThrow('usr/bin/tool of tool needs liba.so.1, which no package has that tool depends on');
});

it('reads names out of what apt-cache prints: of alternatives the last, none that no package bears', () => {
  const text = `tool
  PreDepends: libpre1
  Depends: <perl:any>
    perl
  Depends: libapr1
 |Depends: libaprutil1-dbd-sqlite3
  Depends: <libaprutil1-dbd-freetds>
  Depends: python3:any
  Recommends: libother
`;
  expect(dependenciesIn(text)).toEqual(['libpre1', 'libapr1', 'python3']);
});
