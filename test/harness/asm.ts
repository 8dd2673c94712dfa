// Guest programs: test/guest/*.asm (NASM) with what they must give in a JSON header. The assembled bytes are kept in test/guest/bin, so tests need no NASM;
// test/guest/assemble.ts makes them, and a test checks by hash that they are of the present sources.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import type { Relaxation, RelaxTerm } from '../../src/api/relax.ts';
import type { RunOptions, TestEngine } from './engine.ts';

export const ORIGIN = 0x10000;
/** Behind the multiboot header. */
export const ENTRY = 0x10020;
export const LOG_POINTER = 0x4fffc;
export const LOG = 0x50000;

/** The header: lines `; {` to `; }` at the top of the file. */
export interface GuestHeader {
  /** What it shows, in a line. */
  about: string;
  engines?: ('interpreter' | 'jit')[];
  /** For the reader: the mode that it is about. */
  mode: 'real' | 'protected' | 'flat32' | 'paged' | 'v86' | '16-bit';
  /** What translated code relies on; without it all that is exact. */
  relax?: RelaxTerm[];
  /** Exact relaxations without each of which it is run as well. */
  without?: Relaxation[];
  /** An interrupt that the test engine raises (RunOptions). */
  interrupt?: RunOptions['interrupt'];
  expect: {
    /** How it ends; default 'halted'. */
    end?: 'halted' | 'shutdown';
    /** The log, as hexadecimal dwords. */
    log: string[];
    /** General registers at the end, by name (EAX ...), as hexadecimal. */
    registers?: Record<string, string>;
    /** Bits of EFLAGS that must be set and clear at the end, as hexadecimal. */
    flags?: { set?: string; clear?: string };
    /** Memory at a linear address, as hexadecimal bytes. */
    memory?: Record<string, string>;
  };
  /** Where QEMU is known to differ from the manual: why it is not asked ('tcg': only its emulation differs). */
  qemu?: { skip?: string; skipTcg?: string /** The processor that it is to be (-cpu). */; cpu?: string };
}

export interface GuestProgram {
  name: string;
  header: GuestHeader;
  source: string;
  image: Uint8Array;
}

const folder = new URL('../guest/', import.meta.url);
const REGISTERS = ['EAX', 'ECX', 'EDX', 'EBX', 'ESP', 'EBP', 'ESI', 'EDI'];

export function guestNames(): string[] {
  return readdirSync(folder)
    .filter((f) => f.endsWith('.asm'))
    .map((f) => f.slice(0, -4))
    .sort();
}

export function parseHeader(source: string): GuestHeader {
  const lines: string[] = [];
  for (const line of source.split('\n')) {
    if (!line.startsWith(';')) break;
    lines.push(line.slice(1));
  }
  return JSON.parse(lines.join('\n')) as GuestHeader;
}

export function readSource(name: string): string {
  return readFileSync(new URL(`${name}.asm`, folder), 'utf8');
}

/** Hash of what the image is made of: the program without its header, and the files that it may include. */
export function sourceHash(name: string): string {
  const body = readSource(name).replace(/^(;.*\n)+/, '');
  const hash = createHash('sha256');
  for (const file of readdirSync(folder).sort()) if (file.endsWith('.inc')) hash.update(readFileSync(new URL(file, folder), 'utf8'));
  return hash.update(body).digest('hex').slice(0, 32);
}

/** Hashes of the sources of the images in test/guest/bin. */
export function readManifest(): Record<string, string> {
  return JSON.parse(readFileSync(new URL('bin/manifest.json', folder), 'utf8')) as Record<string, string>;
}

export function readProgram(name: string): GuestProgram {
  const source = readSource(name);
  return { name, source, header: parseHeader(source), image: readFileSync(new URL(`bin/${name}.bin`, folder)) };
}

/** What a run left, from whatever ran it. */
export interface GuestOutcome {
  end: string;
  registers: Uint32Array;
  eflags: number;
  readMemory(linear: number, length: number): Uint8Array;
}

const hex = (v: number) => (v >>> 0).toString(16).padStart(8, '0');

/** All differences between what the header expects and what happened; empty: right. */
export function checkOutcome(header: GuestHeader, got: GuestOutcome): string[] {
  const differences: string[] = [];
  const { expect } = header;
  if (got.end !== (expect.end ?? 'halted')) differences.push(`end: expected ${expect.end ?? 'halted'}, got ${got.end}`);
  const dword = (at: number) => Buffer.from(got.readMemory(at, 4)).readUInt32LE();
  const end = Math.min(Math.max(dword(LOG_POINTER), LOG), LOG + 0x1000);
  const log: string[] = [];
  for (let at = LOG; at < end; at += 4) log.push(hex(dword(at)));
  const wanted = expect.log.map((text) => hex(Number.parseInt(text, 16)));
  if (log.join() !== wanted.join()) {
    const at = Math.max(
      0,
      wanted.findIndex((w, i) => w !== log[i]),
    );
    differences.push(`log differs at ${at}:\n  expected ${wanted.join(' ')}\n  got      ${log.join(' ')}`);
  }
  for (const [name, value] of Object.entries(expect.registers ?? {})) {
    const v = got.registers[REGISTERS.indexOf(name)];
    if (hex(v) !== hex(Number.parseInt(value, 16))) differences.push(`${name}: expected ${value}, got ${hex(v)}`);
  }
  const set = Number.parseInt(expect.flags?.set ?? '0', 16);
  const clear = Number.parseInt(expect.flags?.clear ?? '0', 16);
  if ((got.eflags & set) !== set || got.eflags & clear)
    differences.push(`EFLAGS ${hex(got.eflags)}: must have ${hex(set)}, must not have ${hex(clear)}`);
  for (const [at, text] of Object.entries(expect.memory ?? {})) {
    const bytes = Buffer.from(got.readMemory(Number.parseInt(at, 16), text.length / 2)).toString('hex');
    if (bytes !== text) differences.push(`memory ${at}: expected ${text}, got ${bytes}`);
  }
  return differences;
}

/** Boots a program flat on a TestEngine and checks it; returns the differences. */
export function runGuest(
  engine: TestEngine,
  program: GuestProgram,
  relax: readonly RelaxTerm[] | undefined = program.header.relax,
): string[] {
  engine.reset(relax);
  engine.writeMemory(ORIGIN, program.image);
  engine.setState({ eip: ENTRY });
  const result = engine.run({ maxInstructions: 2_000_000, ...(program.header.interrupt ? { interrupt: program.header.interrupt } : {}) });
  const state = engine.getState();
  // The rest is read by physical address: the program may have left any paging behind.
  engine.setState({ cr0: state.cr0 & 0x7fffffff });
  return checkOutcome(program.header, {
    end: result.reason,
    registers: state.gpr,
    eflags: state.eflags,
    readMemory: (at, length) => engine.readMemory(at, length),
  });
}
