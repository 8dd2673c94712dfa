// Chooses the inputs of one instruction: every register and memory operand that it reads gets an edge value of its width.
import iced from 'iced-x86';
import { baseState, OPERAND, SCRATCH, type State } from '../../harness/vectors.ts';
import type { SimdForm } from './forms-simd.ts';
import { integer, type Random, simd } from './values.ts';

const { Decoder, DecoderOptions, OpKind, Register, RegisterExt, InstructionInfoFactory, OpAccess, MemorySizeExt } = iced;

export interface Operands {
  /** General registers that are read as values, with their access: number 0..7, width in bits, high byte or not. */
  registers: { number: number; bits: 8 | 16 | 32; high: boolean }[];
  memoryBytes: number;
  readsMemory: boolean;
}

/** What the instruction reads, by iced-x86. Address registers keep their base values. */
export function operandsOf(bytes: Uint8Array): Operands {
  const decoder = new Decoder(32, bytes, DecoderOptions.None);
  const instruction = decoder.decode();
  const info = new InstructionInfoFactory().info(instruction);
  const address = new Set<number>();
  let memoryBytes = 0;
  let readsMemory = false;
  for (let i = 0; i < instruction.opCount; i++)
    if (instruction.opKind(i) === OpKind.Memory) memoryBytes = MemorySizeExt.size(instruction.memorySize);
  for (const m of info.usedMemory()) {
    for (const r of [m.base, m.index]) if (r !== Register.None) address.add(RegisterExt.number(RegisterExt.fullRegister32(r)));
    if (m.access !== OpAccess.Write && m.access !== OpAccess.NoMemAccess) readsMemory = true;
  }
  const registers: Operands['registers'] = [];
  for (const u of info.usedRegisters()) {
    const r = u.register;
    if (!RegisterExt.isGPR(r) || u.access === OpAccess.Write) continue;
    const full = RegisterExt.number(RegisterExt.fullRegister32(r));
    if (full === 4 || address.has(full)) continue;
    registers.push({ number: full, bits: (RegisterExt.size(r) * 8) as 8 | 16 | 32, high: r >= Register.AH && r <= Register.BH });
  }
  decoder.free();
  return { registers, memoryBytes, readsMemory };
}

const ARITH = [1, 4, 0x10, 0x40, 0x80, 0x800];

/** An input for vector `index` of a form. */
export function makeInput(form: SimdForm, operands: Operands, r: Random, index: number): State {
  const s = baseState();
  for (const { number, bits, high } of operands.registers) {
    const v = integer(r, bits);
    const old = index % 2 ? r.u32() : s.gpr[number];
    if (bits === 32) s.gpr[number] = v;
    else if (bits === 16) s.gpr[number] = (old & 0xffff0000) | v;
    else s.gpr[number] = high ? (old & 0xffff00ff) | (v << 8) : (old & 0xffffff00) | v;
  }
  for (const flag of ARITH) if (r.below(2)) s.eflags |= flag;
  const at = OPERAND - SCRATCH;
  if (form.lanes !== undefined || /mm\d/.test(form.asm) || form.group === 'mxcsr') {
    const lanes = form.lanes ?? 'int';
    const intSource = /^cvt(dq|pi)2/.test(form.asm);
    for (const n of used(form.asm, /xmm(\d)/g)) s.xmm.set(simd(r, 16, intSource && n !== 1 ? 'int' : lanes), n * 16);
    for (const n of used(form.asm, /(?<!x)mm(\d)/g)) s.mm.set(simd(r, 8, 'int'), n * 8);
    if (operands.readsMemory) s.memory.set(simd(r, 16, lanes), at);
  } else if (operands.readsMemory) {
    // Integer operands at EBX and behind: the accesses of the forms are at small displacements.
    const view = new DataView(s.memory.buffer);
    const bits = (operands.memoryBytes === 1 ? 8 : operands.memoryBytes === 2 ? 16 : 32) as 8 | 16 | 32;
    for (const d of [0, 4]) {
      const v = integer(r, bits);
      if (bits === 8) for (const k of [0, 1, 3, 5, 9]) view.setUint8(at + k, k === 0 ? v : integer(r, 8));
      else if (bits === 16) view.setUint16(at + d, v, true);
      else view.setUint32(at + d, v, true);
    }
  }
  form.setup?.(s, r, index);
  return s;
}

const used = (text: string, pattern: RegExp) => new Set([...text.matchAll(pattern)].map((m) => Number(m[1])));
