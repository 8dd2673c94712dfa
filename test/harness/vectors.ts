// Recorded vectors: what the real processor did with one instruction, from test/vectors/data/*.bin.gz.
// Made by test/vectors/generate.ts; the format is described at decodeVectors. This file reads them and knows the base state.
import { readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { FloatState } from './engine.ts';

/** Linear address of the instruction; the page around it is full of INT3 while recording (HLT in the tests). */
export const CODE = 0x10000800;
/** The window of memory that is filled before and recorded after each vector; it spans a page boundary at 0x20001000. */
export const SCRATCH = 0x20000e00;
export const SCRATCH_BYTES = 0x400;
/** Value of ESP in the base state. */
export const STACK = 0x20000ed0;
/** EBX, ESI and EDI of the base state: where memory operands are. */
export const OPERAND = 0x20000f00;

export interface State extends FloatState {
  /** EAX ECX EDX EBX ESP EBP ESI EDI. */
  gpr: Uint32Array;
  eflags: number;
  eip: number;
  /** SCRATCH_BYTES bytes from SCRATCH on. */
  memory: Uint8Array;
}

export interface Vector {
  id: string;
  group: string;
  bytes: Uint8Array;
  in: State;
  out: State;
  /** Vector of the exception that the instruction raised; undefined: none. `out.eip` is then what the processor pushed. */
  fault?: number;
}

export interface VectorForm {
  group: string;
  bytes: Uint8Array;
  vectors: Vector[];
}

/** The state that every recorded input is a difference to. CPU in 32-bit flat mode, EFLAGS.IF set as user code sees it. */
export function baseState(): State {
  const state: State = {
    gpr: Uint32Array.of(0x12345678, 0x9abcdef0, 0x0fedcba9, OPERAND, STACK, 0x20000ee0, 0x20000f80, 0x20001000),
    eflags: 0x202,
    eip: CODE,
    mxcsr: 0x1f80,
    fcw: 0x37f,
    fsw: 0,
    ftw: 0,
    mm: new Uint8Array(64),
    xmm: new Uint8Array(128),
    memory: new Uint8Array(SCRATCH_BYTES),
  };
  // SplitMix-like filler, so that a wrong address shows.
  let seed = 0x2545f491;
  const next = () => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) >>> 24;
  for (const bytes of [state.mm, state.xmm, state.memory]) for (let i = 0; i < bytes.length; i++) bytes[i] = next();
  return state;
}

export function copyState(s: State): State {
  return { ...s, gpr: s.gpr.slice(), mm: s.mm.slice(), xmm: s.xmm.slice(), memory: s.memory.slice() };
}

/** Bits of a difference's mask; MMn is bit 16 + n, XMMn bit 24 + n, general register n bit n. */
export const Part = { EFLAGS: 8, EIP: 9, MXCSR: 10, FPU: 11, MEMORY: 12, MM: 16, XMM: 24 } as const;

export const MAGIC = 'DVEC1\n';

/**
 * Format (after gunzip), all little-endian: MAGIC; u8 number of groups, each u8 length + ASCII name; then forms until the end:
 * u8 group; u8 length; the instruction's bytes; u16 number of vectors; vectors: a difference to the base state (the input), a
 * difference to the input (the output), u8 exception vector or 0xff. A difference: u32 mask of Part bits; then, in the order of the bits, u32 for
 * each general register, EFLAGS, EIP, MXCSR; three u16 for the FPU (FCW, FSW, FTW); memory as u8 number of runs of (u16 offset, u8 length,
 * bytes); 8 bytes for each MM, 16 for each XMM.
 */
export function decodeVectors(data: Uint8Array): VectorForm[] {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  let at = 0;
  const u8 = () => data[at++];
  const u16 = () => {
    at += 2;
    return view.getUint16(at - 2, true);
  };
  const u32 = () => {
    at += 4;
    return view.getUint32(at - 4, true);
  };
  const take = (n: number) => data.subarray(at, (at += n));
  const ascii = (n: number) => Buffer.from(take(n)).toString('latin1');
  if (ascii(MAGIC.length) !== MAGIC) throw new Error('not a vector file');
  const groups: string[] = [];
  for (let n = u8(); n > 0; n--) groups.push(ascii(u8()));
  const difference = (from: State): State => {
    const s = copyState(from);
    const mask = u32();
    for (let i = 0; i < 8; i++) if (mask & (1 << i)) s.gpr[i] = u32();
    if (mask & (1 << Part.EFLAGS)) s.eflags = u32();
    if (mask & (1 << Part.EIP)) s.eip = u32();
    if (mask & (1 << Part.MXCSR)) s.mxcsr = u32();
    if (mask & (1 << Part.FPU)) [s.fcw, s.fsw, s.ftw] = [u16(), u16(), u16()];
    if (mask & (1 << Part.MEMORY))
      for (let n = u8(); n > 0; n--) {
        const offset = u16();
        s.memory.set(take(u8()), offset);
      }
    for (let i = 0; i < 8; i++) if (mask & (1 << (Part.MM + i))) s.mm.set(take(8), i * 8);
    for (let i = 0; i < 8; i++) if (mask & (1 << (Part.XMM + i))) s.xmm.set(take(16), i * 16);
    return s;
  };
  const base = baseState();
  const forms: VectorForm[] = [];
  while (at < data.length) {
    const group = groups[u8()];
    const bytes = take(u8()).slice();
    const form: VectorForm = { group, bytes, vectors: [] };
    const name = Buffer.from(bytes).toString('hex');
    for (let n = u16(), i = 0; i < n; i++) {
      const input = difference(base);
      const output = difference(input);
      const fault = u8();
      form.vectors.push({ id: `${name}#${i}`, group, bytes, in: input, out: output, ...(fault === 0xff ? {} : { fault }) });
    }
    forms.push(form);
  }
  return forms;
}

const dataFolder = new URL('../vectors/data/', import.meta.url);

/** Names of the vector files that this reader knows (x87 has a reader of its own). */
export function vectorFiles(): string[] {
  return readdirSync(dataFolder)
    .filter((name) => /^(integer|string|mmx|sse)[\w-]*\.bin\.gz$/.test(name))
    .sort();
}

/** All forms of one file of test/vectors/data. */
export function readForms(file: string): VectorForm[] {
  return decodeVectors(gunzipSync(readFileSync(new URL(file, dataFolder))));
}

/** All vectors of all files, or of the named ones. */
export function* allVectors(files = vectorFiles()): Generator<Vector> {
  for (const file of files) for (const form of readForms(file)) yield* form.vectors;
}
