// Runs recorded vectors on a TestEngine and says in which field it first differs from the processor.
import iced from 'iced-x86';
import { undefinedFlags } from '../vectors/undefined-flags.ts';
import type { TestEngine } from './engine.ts';
import { baseState, CODE, SCRATCH, SCRATCH_BYTES, type State, type Vector, type VectorForm } from './vectors.ts';

const HLT = 0xf4;
const NAMES = ['eax', 'ecx', 'edx', 'ebx', 'esp', 'ebp', 'esi', 'edi'];

export interface FormInfo {
  mnemonic: string;
  text: string;
  /** Width of operand 0 in bits. */
  bits: number;
  /** The shift count of an immediate form; 'cl' by CL. */
  count: number | 'cl';
}

/** What iced-x86 says of the instruction. */
export function describe(bytes: Uint8Array): FormInfo {
  const decoder = new iced.Decoder(32, bytes, iced.DecoderOptions.None);
  const i = decoder.decode();
  const formatter = new iced.Formatter(iced.FormatterSyntax.Nasm);
  const kind = i.opCount > 0 ? i.opKind(0) : undefined;
  const size =
    kind === iced.OpKind.Register
      ? iced.RegisterExt.size(i.opRegister(0))
      : kind === iced.OpKind.Memory
        ? iced.MemorySizeExt.size(i.memorySize)
        : 4;
  const last = i.opCount > 0 ? i.opKind(i.opCount - 1) : undefined;
  const count = last === iced.OpKind.Immediate8 ? i.immediate8 & 0x1f : last === iced.OpKind.Register ? 'cl' : 1;
  const info: FormInfo = { mnemonic: iced.Mnemonic[i.mnemonic].toLowerCase(), text: formatter.format(i), bits: size * 8, count };
  if (info.mnemonic === 'invalid') info.mnemonic = 'undefined-opcode';
  for (const o of [i, formatter, decoder]) o.free();
  return info;
}

/** Page directory: 4 MiB pages for the recorded addresses, so that a small RAM is enough. */
export function prepare(engine: TestEngine): void {
  engine.reset();
  const directory = new Uint32Array(1024);
  directory[0] = 0x83;
  directory[0x10000000 >>> 22] = 0x400083;
  directory[0x20000000 >>> 22] = 0x800083;
  engine.writeMemory(0x1000, new Uint8Array(directory.buffer));
  engine.setState({ cr3: 0x1000, cr4: 0x610, cr0: 0x80010033 });
  engine.writeMemory(CODE - 0x800, new Uint8Array(0x1000).fill(HLT));
  engine.writeMemory(SCRATCH, baseState().memory);
}

/** Puts the form's instruction in place; HLT is behind it and at every target. */
export function placeForm(engine: TestEngine, form: VectorForm): void {
  const code = new Uint8Array(16).fill(HLT);
  code.set(form.bytes);
  engine.writeMemory(CODE, code);
}

/** Runs one vector; returns the first differing field with both values, or undefined. */
export function runVector(engine: TestEngine, v: Vector, info: FormInfo): string | undefined {
  const { memory, ...registers } = v.in;
  engine.writeMemory(SCRATCH, memory);
  engine.setState(registers);
  const result = engine.run({ maxInstructions: 10000, faults: 'stop' });
  if (result.reason === 'fault') {
    if (result.vector !== v.fault) return `fault: expected ${v.fault ?? 'none'}, got ${result.vector}`;
  } else if (result.reason !== 'halted') return `run: ${result.reason}`;
  else if (v.fault !== undefined) return `fault: expected ${v.fault}, got none`;
  const got = engine.getState();
  return compareStates(v, info, {
    ...got,
    eip: result.reason === 'halted' ? (got.eip - 1) >>> 0 : got.eip,
    memory: engine.readMemory(SCRATCH, SCRATCH_BYTES),
  });
}

const hex = (v: number) => `0x${(v >>> 0).toString(16)}`;
const dump = (b: Uint8Array) => Buffer.from(b).reverse().toString('hex');

/** The first difference of `got` to what was recorded. */
export function compareStates(v: Vector, info: FormInfo, got: State): string | undefined {
  const want = v.out;
  const number = (field: string, a: number, b: number) => (a >>> 0 === b >>> 0 ? undefined : `${field}: expected ${hex(a)}, got ${hex(b)}`);
  const bytes = (field: string, a: Uint8Array, b: Uint8Array) =>
    Buffer.compare(a, b) === 0 ? undefined : `${field}: expected ${dump(a)}, got ${dump(b)}`;
  for (let i = 0; i < 8; i++) {
    const d = number(NAMES[i], want.gpr[i], got.gpr[i]);
    if (d) return d;
  }
  const count = info.count === 'cl' ? v.in.gpr[1] & 0x1f : info.count;
  // RF is the trap's business, and is not recorded.
  const mask = ~(undefinedFlags(info.mnemonic, { count, bits: info.bits }) | 0x10000);
  let d = number('eflags', want.eflags & mask, got.eflags & mask) ?? number('eip', want.eip, got.eip);
  if (d) return d;
  for (let i = 0; i < SCRATCH_BYTES; i++) {
    if (want.memory[i] !== got.memory[i]) return `memory ${hex(SCRATCH + i)}: expected ${hex(want.memory[i])}, got ${hex(got.memory[i])}`;
  }
  for (let i = 0; i < 8; i++) {
    const a = want.xmm.subarray(i * 16, i * 16 + 16);
    const b = got.xmm.subarray(i * 16, i * 16 + 16);
    d = v.group === 'sse-approximate' && approximatelyEqual(a, b) ? undefined : bytes(`xmm${i}`, a, b);
    d ??= bytes(`mm${i}`, want.mm.subarray(i * 8, i * 8 + 8), got.mm.subarray(i * 8, i * 8 + 8));
    if (d) return d;
  }
  return (
    number('fcw', want.fcw, got.fcw) ??
    number('fsw', want.fsw, got.fsw) ??
    number('ftw', want.ftw, got.ftw) ??
    number('mxcsr', want.mxcsr & 0xffc0, got.mxcsr & 0xffc0) ??
    number('mxcsr-flags', want.mxcsr & 0x3f, got.mxcsr & 0x3f)
  );
}

/** RCPPS and RSQRTPS: a relative error of at most 1.5 * 2^-12 on either side (SDM vol. 2, RCPPS). */
function approximatelyEqual(a: Uint8Array, b: Uint8Array): boolean {
  const x = new Float32Array(a.slice().buffer);
  const y = new Float32Array(b.slice().buffer);
  for (let i = 0; i < 4; i++) {
    if (Object.is(x[i], y[i])) continue;
    if (!Number.isFinite(x[i]) || !(Math.abs(x[i] - y[i]) <= 3 * 2 ** -12 * Math.abs(x[i]))) return false;
  }
  return true;
}
