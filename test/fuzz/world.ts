// The guest that fuzz cases run in: pages of every kind, segments, a stack; how a case runs on an engine and what it leaves.
import { Cpu, Pending } from '../../src/layout/cpu.ts';
import { BlockHead, RAM } from '../../src/layout/memory.ts';
import type { EngineState, RunResult, SegmentState, TestEngine } from '../harness/engine.ts';
import { Random } from '../vectors/gen/values.ts';
import { assemble, type Case, type CaseMode, is16, isFlat, isUser } from './case.ts';

const PRESENT = 1;
const WRITE = 2;
const USER = 4;
const RW = PRESENT | WRITE | USER;

/** Linear page number -> rights; physical pages follow one another from PHYS on. */
const PAGES: readonly (readonly [number, number])[] = [
  [0x0, RW],
  [0x1, RW],
  [0x2, RW],
  [0x3, RW],
  [0x4, PRESENT | USER],
  [0x5, RW],
  [0x6, PRESENT | WRITE],
  [0x7, RW],
  [0x8, 0],
  [0x9, RW],
  // 0xa: the second page of code once more, writable.
  [0xb, 0],
  [0xc, RW],
  [0xd, RW],
  [0xe, RW],
  // Counters of loops.
  [0xf, RW],
  // The GDT.
  [0x30, PRESENT | WRITE],
  [0xfffff, RW],
];
const PHYS = 0x100000;
const CODE_PHYS = 0x200000;
const DIRECTORY = 0x1000;
const TABLE = 0x2000;
const LAST_TABLE = 0x3000;
export const CODE = 0x20000;
export const COUNTERS = 0xf000;
const GDT = 0x30000;

/** Pages that pointers lead into; those with faults are rarer. */
export const POINTER_PAGES = [0x0, 0x1, 0x1, 0x2, 0x2, 0x3, 0x3, 0x3, 0x5, 0x5, 0x7, 0x7, 0x9, 0x1, 0x2, 0x3, 0x4, 0x6, 0x8, 0xa];

const descriptor = (base: number, limit: number, access: number): bigint => {
  const low = BigInt(limit & 0xffff) | (BigInt(base & 0xffffff) << 16n) | (BigInt(access & 0xff00) << 32n);
  return low | (BigInt((limit >>> 16) & 15) << 48n) | (BigInt((access >>> 20) & 15) << 52n) | (BigInt(base >>> 24) << 56n);
};
export const SELECTORS = [0, 0x10, 0x18, 0x20, 0x28, 0x38, 0x3b, 0x43, 0x48, 8];
const GDT_ENTRIES = [
  0n,
  descriptor(0, 0xfffff, 0xc09b00),
  descriptor(0, 0xfffff, 0xc09300),
  descriptor(0x1000, 0x8fff, 0x409300),
  descriptor(0, 0xfffff, 0xc09100),
  descriptor(0, 0xfffff, 0xc01300),
  descriptor(0, 0xfffff, 0xc0fb00),
  descriptor(0, 0xfffff, 0xc0f300),
  descriptor(0x2000, 0x4fff, 0x40f300),
  // Expand-down: valid above the limit.
  descriptor(0, 0x2fff, 0x40f700),
];

/** What the tests reach into of an engine, beyond its interface. */
interface Inside {
  cpu: {
    base: number;
    blocks: { bumpJumps(): void };
    onDecode?: (head: number) => void;
    shared: { u8: Uint8Array; i32: Int32Array; memory?: unknown };
  };
}
const inside = (engine: TestEngine): Inside['cpu'] => (engine as unknown as Inside).cpu;
/** Where a watchdog sets the word that makes the engine stop: index into an Int32Array of the engine's memory, and the bit. */
export const stopWord = (engine: TestEngine) => ({
  buffer: inside(engine).shared.i32.buffer,
  index: (inside(engine).base + Cpu.at.pending) >> 2,
  bit: Pending.STOP,
});

/** Makes the JIT translate only the blocks whose EIP `wanted` agrees to; the others are interpreted. */
export function translateOnly(engine: TestEngine, wanted: (eip: number) => boolean): void {
  const cpu = inside(engine);
  const translate = cpu.onDecode!;
  cpu.onDecode = (head) => {
    if (wanted(cpu.shared.i32[(head + BlockHead.at.eip) >> 2])) translate(head);
  };
}

function segments(mode: CaseMode): SegmentState[] {
  const dpl = isUser(mode) ? 0x6000 : 0;
  const rpl = isUser(mode) ? 3 : 0;
  const data = (base: number, limit: number, access = 0x409300): SegmentState => ({
    selector: 0x10 | rpl,
    base,
    limit,
    access: access | dpl,
  });
  const flat = data(0, 0xffffffff, 0xc09300);
  const small = data(0x1000, 0x8fff);
  const code = { selector: 8 | rpl, base: 0, limit: 0xffffffff, access: 0xc09b00 | dpl };
  const fs = data(0x2000, 0x17ff);
  const gs = data(0x3000, 0x3fff);
  const system = [
    { selector: 0, base: 0, limit: 0, access: 0 },
    { selector: 0, base: 0x30800, limit: 0x200, access: 0x8b00 },
  ];
  if (isFlat(mode)) return [flat, code, flat, flat, fs, gs, ...system];
  if (is16(mode)) {
    const half = data(0, 0xffff, 0x9300);
    return [half, { ...code, base: CODE, limit: 0xffff, access: 0x9b00 }, half, half, fs, gs, ...system];
  }
  return [flat, { ...code, base: CODE, limit: 0x1fff, access: 0x409b00 | dpl }, data(0xc000, 0x2fff), small, fs, gs, ...system];
}

/** EIP of the first instruction of a case. */
export const firstEip = (c: Case): number => (isFlat(c.mode) ? CODE : 0) + c.start;

/** Value of ESP that is `depth` below the top of the stack. */
export const stackTop = (mode: CaseMode, depth: number): number => (isFlat(mode) || is16(mode) ? 0xf000 : 0x3000) - depth;

function fill(target: Uint8Array, seed: number): void {
  const r = new Random(seed);
  const words = new Uint32Array(target.buffer, target.byteOffset, target.byteLength >> 2);
  for (let i = 0; i < words.length; i++) {
    const v = r.u32();
    words[i] = v & 0x30 ? v : v & 0x40 ? v & 0x0f0f : 0;
  }
}

/** Exceptions whose EIP is already behind the instruction: #DB, #BP, #OF. */
const TRAPS = new Set([1, 3, 4]);
/** Exceptions in one case after which it goes on. */
const RESUMES = 12;

/** What a case left: how it ended, registers, and memory by name. */
export interface Outcome {
  result: RunResult;
  /** The exceptions before the last one, with the registers that a handler would see. */
  faults: string[];
  state: EngineState;
  memory: Uint8Array;
  code: Uint8Array;
  tables: Uint8Array;
  /** Physical registers R0..R7, 16 bytes each. */
  fpr: Uint8Array;
  fip: number;
  fdp: number;
}

/**
 * Sets all that a case may have touched, and runs it. undefined: the case cannot be assembled. `again`: its code is there
 * from the last run, and with it what was translated.
 */
export function runCase(engine: TestEngine, c: Case, again = false): Outcome | undefined {
  const eip = firstEip(c);
  const code = assemble(c, eip);
  if (code === undefined || c.start + code.bytes.length > 0x2000 - 0x800) return undefined;
  const { u8, i32 } = inside(engine).shared;
  engine.setState({ cr0: 0x11, cpl: 0 });
  const put = (phys: number, bytes: Uint8Array) => engine.writeMemory(phys, bytes);
  const directory = new Uint32Array(1024);
  directory[0] = TABLE | RW;
  directory[1023] = LAST_TABLE | RW;
  const table = new Uint32Array(1024);
  const last = new Uint32Array(1024);
  for (const [i, [page, rights]] of PAGES.entries()) (page < 1024 ? table : last)[page & 1023] = (PHYS + i * 0x1000) | rights;
  for (const k of [0, 1]) table[(CODE >> 12) + k] = (CODE_PHYS + k * 0x1000) | PRESENT | USER;
  table[0xa] = (CODE_PHYS + 0x1000) | RW;
  put(DIRECTORY, new Uint8Array(directory.buffer));
  put(TABLE, new Uint8Array(table.buffer));
  put(LAST_TABLE, new Uint8Array(last.buffer));
  const memory = new Uint8Array(PAGES.length * 0x1000);
  fill(memory, c.seed);
  const gdt = BigUint64Array.from(GDT_ENTRIES);
  memory.set(new Uint8Array(gdt.buffer), PAGES.findIndex(([page]) => page === GDT >> 12) * 0x1000);
  put(PHYS, memory);
  const text = new Uint8Array(0x2000).fill(0xf4);
  text.set(code.bytes, c.start);
  if (!again) put(CODE_PHYS, text);
  const registers = new Uint8Array(192);
  fill(registers, c.seed ^ 0x5bd1e995);
  const { base } = inside(engine);
  const fpr = new Uint8Array(128);
  fill(fpr, c.seed ^ 0x1b873593);
  u8.set(fpr, base + Cpu.at.fpr);
  for (const field of [Cpu.at.fip, Cpu.at.fdp, Cpu.at.fop, Cpu.at.fcs, Cpu.at.fds, Cpu.at.shadow, Cpu.at.debugPending, Cpu.at.faultError])
    i32[(base + field) >> 2] = 0;
  engine.setState({
    segments: segments(c.mode),
    cpl: isUser(c.mode) ? 3 : 0,
    gdt: { base: GDT, limit: GDT_ENTRIES.length * 8 - 1 },
    idt: { base: 0, limit: 0 },
    cr3: DIRECTORY,
    cr4: 0x600,
    cr2: 0,
    cr0: 0x80010033,
    gpr: Uint32Array.from(c.gpr),
    eflags: c.eflags,
    eip,
    mxcsr: c.mxcsr,
    fcw: c.fcw,
    fsw: c.fsw,
    ftw: c.ftw,
    dr: Uint32Array.of(0, 0, 0, 0, 0, 0, 0xffff0ff0, 0x400),
    xmm: registers.subarray(64),
  });
  // As MOV CR3 does: what was looked up under the page tables of before is looked up again.
  inside(engine).blocks.bumpJumps();
  let result = engine.run({ faults: 'stop' });
  const faults: string[] = [];
  // Behind an instruction that faulted it goes on, so that every part of the case runs; what the fault showed is kept.
  while (result.reason === 'fault' && faults.length < RESUMES) {
    const at = engine.getState();
    const index = code.at.findIndex((offset) => eip + offset === at.eip);
    const skip = TRAPS.has(result.vector!) ? index : index + 1;
    if (index < 0 || skip >= c.items.length) break;
    const shown = [...at.gpr, at.eflags, at.cr2, at.fsw, at.mxcsr].map((v) => (v >>> 0).toString(16)).join(' ');
    faults.push(`${result.vector} ${result.error ?? ''} at item ${index}: ${shown}`);
    engine.setState({ eip: eip + code.at[skip] });
    result = engine.run({ faults: 'stop' });
  }
  const word = (offset: number) => i32[(base + offset) >> 2];
  return {
    result,
    faults,
    state: engine.getState(),
    memory: u8.slice(RAM + PHYS, RAM + PHYS + memory.length),
    code: u8.slice(RAM + CODE_PHYS, RAM + CODE_PHYS + 0x2000),
    tables: u8.slice(RAM + DIRECTORY, RAM + DIRECTORY + 0x3000),
    fpr: u8.slice(base + Cpu.at.fpr, base + Cpu.at.fpr + 128),
    fip: word(Cpu.at.fip),
    fdp: word(Cpu.at.fdp),
  };
}

const hex = (v: number) => `0x${(v >>> 0).toString(16)}`;

function differentBytes(name: (at: number) => string, a: Uint8Array, b: Uint8Array): string[] {
  if (Buffer.compare(a, b) === 0) return [];
  const at = a.findIndex((v, i) => v !== b[i]);
  const window = (v: Uint8Array) => Buffer.from(v.subarray(at & ~3, (at & ~3) + 16)).toString('hex');
  return [`${name(at)}: ${window(a)} / ${window(b)}`];
}

/** Every field in which two outcomes differ, as text; empty: none. */
export function differences(a: Outcome, b: Outcome): string[] {
  const out: string[] = [];
  const numbers = (name: string, x: number, y: number) => {
    if (x >>> 0 !== y >>> 0) out.push(`${name}: ${hex(x)} / ${hex(y)}`);
  };
  const end = (r: RunResult) => `${r.reason} ${r.vector ?? ''} ${r.error ?? ''}`.trim();
  if (end(a.result) !== end(b.result)) out.push(`end: ${end(a.result)} / ${end(b.result)}`);
  for (let i = 0; i < Math.max(a.faults.length, b.faults.length); i++)
    if (a.faults[i] !== b.faults[i]) {
      out.push(`fault ${i}: ${a.faults[i]} / ${b.faults[i]}`);
      break;
    }
  const names = ['eax', 'ecx', 'edx', 'ebx', 'esp', 'ebp', 'esi', 'edi'];
  for (const [i, name] of names.entries()) numbers(name, a.state.gpr[i], b.state.gpr[i]);
  for (const key of ['eip', 'eflags', 'cpl', 'cr0', 'cr2', 'cr3', 'cr4', 'mxcsr', 'fcw', 'fsw', 'ftw'] as const)
    numbers(key, a.state[key], b.state[key]);
  for (let i = 0; i < 8; i++) numbers(`dr${i}`, a.state.dr[i], b.state.dr[i]);
  for (const [i, s] of a.state.segments.entries())
    for (const key of ['selector', 'base', 'limit', 'access'] as const) numbers(`segment ${i} ${key}`, s[key], b.state.segments[i][key]);
  numbers('fip', a.fip, b.fip);
  numbers('fdp', a.fdp, b.fdp);
  out.push(
    ...differentBytes((at) => `x87 register ${at >> 4}`, a.fpr, b.fpr),
    ...differentBytes((at) => `xmm${at >> 4}`, a.state.xmm, b.state.xmm),
    ...differentBytes((at) => `memory ${hex(PAGES[at >> 12][0] * 0x1000 + (at & 0xfff))}`, a.memory, b.memory),
    ...differentBytes((at) => `code ${hex(CODE + at)}`, a.code, b.code),
    ...differentBytes((at) => `page table word ${hex((at >> 2) & 1023)} of table ${at >> 12}`, a.tables, b.tables),
  );
  return out;
}
