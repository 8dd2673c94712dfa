// Line tables of DWARF 2 to 5, against what binutils reads in the same file.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LineTable, readLines, rowAt } from '../../../src/inspect/dwarf-lines.ts';
import { ElfFile } from '../../../src/inspect/elf-file.ts';

/** Another file's code in the middle of a function, a line of several pieces, code that the linker leaves out. */
const SOURCES = {
  'inline.h': 'static inline int twice(int x) {\n  return x + x;\n}\n',
  'main.c': `#include "inline.h"
volatile int seen;
int unused(int n) { return n * 3; }
__attribute__((noinline)) int sum(int n) {
  int all = 0;
  for (int i = 0; i < n; i++)
    all += twice(i);
  return all;
}
#line 900 "far/away.c"
void _start(void) {


  seen = sum(3);
}
`,
} as const;

const has = (tool: string): boolean => {
  try {
    execFileSync(tool, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};
const tools = ['gcc', 'objdump'].every(has);
const place = mkdtempSync(join(tmpdir(), 'dwarf-lines-'));
afterAll(() => rmSync(place, { recursive: true, force: true }));

function compiled(...flags: string[]): string {
  const image = join(place, `image${flags.join('')}`);
  const own = ['-m32', '-ffreestanding', '-nostdlib', '-static', '-no-pie', '-fno-pie', '-ffunction-sections', '-Wl,--gc-sections'];
  if (existsSync(image)) return image;
  execFileSync('gcc', [...own, ...flags, '-o', image, 'main.c'], { cwd: place, stdio: 'pipe' });
  return image;
}

/** Rows of objdump: 'file line address'. */
function byObjdump(image: string): string[] {
  const text = execFileSync('objdump', ['--dwarf=decodedline', image], { encoding: 'utf8' });
  return text.split('\n').flatMap((line) => {
    const [, file, number, address] = /^(\S+)\s+(\d+|-)\s+0x([0-9a-f]+)\b/.exec(line) ?? [];
    return file === undefined ? [] : [`${number === '-' ? '-' : `${file} ${number}`} ${address}`];
  });
}
const rowsOf = ({ files, fileOf, lines, addresses }: LineTable): string[] =>
  [...addresses].map((address, n) => {
    const name = files[fileOf[n]!]!.split('/').at(-1);
    return `${lines[n] === 0 ? '-' : `${name} ${lines[n]}`} ${address.toString(16)}`;
  });
const sorted = (rows: readonly string[]) => [...new Set(rows)].sort();

describe.skipIf(!tools)('line numbers (with gcc and objdump)', () => {
  beforeAll(() => {
    for (const [name, text] of Object.entries(SOURCES)) writeFileSync(join(place, name), text);
  });

  it.each([[['-gdwarf-2']], [['-gdwarf-4', '-O2']], [['-gdwarf-5', '-O2']], [['-gdwarf-5', '-gdwarf64']]])('%j', (flags) => {
    const image = compiled(...flags);
    const lines = readLines(readFileSync(image), 'kernel')!;
    const theirs = byObjdump(image);
    expect(theirs.length).toBeGreaterThan(8);
    // Where one piece of code ends and another begins they have a row for the end as well, and rows from 0 on of code that was left out.
    const addressOf = (row: string) => Number(`0x${row.split(' ').at(-1)}`);
    const begun = new Set(theirs.filter((row) => !row.startsWith('-')).map(addressOf));
    const expected = theirs.filter((row) => addressOf(row) >= 0x1000 && !(row.startsWith('-') && begun.has(addressOf(row))));
    expect(sorted(rowsOf(lines))).toEqual(sorted(expected));
    const at = (name: string) => lines.files.findIndex((file) => file.endsWith(name));
    expect(at('away.c')).toBeGreaterThanOrEqual(0);
    const inTwice = [...lines.lines].findIndex((line, n) => line === 2 && lines.fileOf[n] === at('inline.h'));
    expect(rowAt(lines, lines.addresses[inTwice]!)).toBeGreaterThanOrEqual(inTwice);
    expect(rowAt(lines, lines.addresses.at(-1)!)).toBe(-1);
    expect(rowAt(lines, 5)).toBe(-1);
  });

  it('folders are known from DWARF 5 on', () => {
    expect(readLines(readFileSync(compiled('-gdwarf-5', '-O2')), 'kernel')!.files).toContain(join(place, 'main.c'));
    expect(readLines(readFileSync(compiled('-gdwarf-4', '-O2')), 'kernel')!.files).toContain('main.c');
  });

  it('none where there are none; damaged ones are refused', () => {
    expect(readLines(readFileSync(compiled('-g0')), 'kernel')).toBe(undefined);
    const whole = readFileSync(compiled('-gdwarf-5', '-O2'));
    const at = new ElfFile(whole, 'kernel').named('.debug_line')!.byteOffset - whole.byteOffset;
    expect(at).toBeGreaterThan(0);
    let refused = 0;
    for (let n = 0; n < 64; n++) {
      const damaged = new Uint8Array(whole);
      damaged[at + n]! ^= 0xff;
      try {
        readLines(damaged, 'kernel');
      } catch (error) {
        expect(error).toMatchObject({ code: 'BAD_OPTION' });
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(8);
  });
});

it('a file that is none is refused', () => {
  expect(() => readLines(new Uint8Array(100), 'kernel')).toThrow('no ELF file');
});
