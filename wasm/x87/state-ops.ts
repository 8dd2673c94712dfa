// x87: the exported helpers for control and for images of the whole state: FLDCW, FNCLEX, FNINIT, FNSTENV, FLDENV, FNSAVE,
// FRSTOR, FXSAVE, FXRSTOR (SDM vol. 1, 8.1.10 and 10.5).
import { raiseError } from '../base/fault';
import { Cpu, Cr0, Cr4, Eflags, Vector } from '../gen/layout';
import { load16, load32, load64, load128, probeRead, probeWrite, store16, store32, store64, store128 } from '../memory/memory';
import { BUSY, C0, C1, C2, C3, ES, EXP_MAX, MSB, st } from './core';
import { updateFerr } from './fpu-error';

const MASKS: u32 = 0x3f;
/** Bits of the control word that can be set; bit 6 always reads as 1. */
const CONTROL_BITS: u32 = 0x1f3f;
const CONTROL_ONE: u32 = 0x40;
/** Bits of MXCSR that may be set. */
const MXCSR_MASK: u32 = 0xffff;
const TAG_VALID = 0;
const TAG_ZERO = 1;
const TAG_SPECIAL = 2;
const TAG_EMPTY = 3;

/** Sets control and status word; ES and B follow from the flags and the masks. */
function setWords(cpu: Cpu, cw: u32, sw: u32): void {
  cw = (cw & CONTROL_BITS) | CONTROL_ONE;
  const pending = (sw & ~cw & MASKS) != 0;
  cpu.fcw = cw;
  cpu.fsw = (sw & ~(ES | BUSY | 0x3800)) | (pending ? ES | BUSY : 0);
  updateFerr(cpu);
}

/** The status word as a program sees it. */
function statusWord(cpu: Cpu): u32 {
  return cpu.fsw | (cpu.ftop << 11);
}

/** The full tag word: two bits for each physical register. */
function tagWord(cpu: Cpu): u32 {
  const used = cpu.ftw;
  let tags: u32 = 0;
  for (let i: u32 = 0; i < 8; i++) {
    let tag: u32 = TAG_EMPTY;
    if ((used >> i) & 1) {
      const reg = cpu.fpr[i];
      const exp = reg.signExponent & EXP_MAX;
      const sig = reg.significand;
      if (exp == 0 && sig == 0) tag = TAG_ZERO;
      else if (exp == 0 || exp == EXP_MAX || (sig & MSB) == 0) tag = TAG_SPECIAL;
      else tag = TAG_VALID;
    }
    tags |= tag << (i << 1);
  }
  return tags;
}

function setTagWord(cpu: Cpu, tags: u32): void {
  let used: u32 = 0;
  for (let i: u32 = 0; i < 8; i++) if (((tags >> (i << 1)) & 3) != TAG_EMPTY) used |= 1 << i;
  cpu.ftw = used;
}

export function fpuInit(cpu: Cpu): void {
  cpu.fcw = 0x37f;
  cpu.fsw = 0;
  cpu.ftop = 0;
  cpu.ftw = 0;
  cpu.fop = 0;
  cpu.fip = 0;
  cpu.fcs = 0;
  cpu.fdp = 0;
  cpu.fds = 0;
  updateFerr(cpu);
}

export function fpuClearExceptions(cpu: Cpu): void {
  cpu.fsw &= C0 | C1 | C2 | C3;
  updateFerr(cpu);
}

export function fpuLoadControl(cpu: Cpu, cw: u32): void {
  setWords(cpu, cw, cpu.fsw);
}

/** Real-address and virtual-8086 mode keep the pointers as linear addresses. */
@inline
function isReal(cpu: Cpu): bool {
  return (cpu.cr0 & Cr0.PE) == 0 || (cpu.eflags & Eflags.VM) != 0;
}

@inline
function environmentBytes(size: u32): u32 {
  return size == 4 ? 28 : 14;
}

/** Writes the environment at an address that was probed; size 2 or 4 is the operand size. */
function writeEnvironment(cpu: Cpu, linear: u32, size: u32): void {
  const fip = cpu.fip;
  const fcs = cpu.fcs;
  const fdp = cpu.fdp;
  const fds = cpu.fds;
  const fop = cpu.fop & 0x7ff;
  let ip = fip;
  let code = fcs | (fop << 16);
  let data = fdp;
  let last = fds | 0xffff0000;
  if (isReal(cpu)) {
    const code20 = (fcs << 4) + fip;
    const data20 = (fds << 4) + fdp;
    ip = code20 & 0xffff;
    code = ((code20 >> 16) << 12) | fop;
    data = data20 & 0xffff;
    last = (data20 >> 16) << 12;
  }
  put(cpu, linear, 0, size, 0xffff0000 | cpu.fcw);
  put(cpu, linear, 1, size, 0xffff0000 | statusWord(cpu));
  put(cpu, linear, 2, size, 0xffff0000 | tagWord(cpu));
  put(cpu, linear, 3, size, ip);
  put(cpu, linear, 4, size, code);
  put(cpu, linear, 5, size, data);
  put(cpu, linear, 6, size, last);
}

function put(cpu: Cpu, linear: u32, index: u32, size: u32, value: u32): void {
  if (size == 4) store32(cpu, linear + (index << 2), value);
  else store16(cpu, linear + (index << 1), value & 0xffff);
}

function get(cpu: Cpu, linear: u32, index: u32, size: u32): u32 {
  return size == 4 ? load32(cpu, linear + (index << 2)) : load16(cpu, linear + (index << 1));
}

/** Reads an environment at an address that was probed. */
function readEnvironment(cpu: Cpu, linear: u32, size: u32): void {
  const sw = get(cpu, linear, 1, size) & 0xffff;
  setWords(cpu, get(cpu, linear, 0, size), sw);
  cpu.ftop = (sw >> 11) & 7;
  setTagWord(cpu, get(cpu, linear, 2, size));
  const ip = get(cpu, linear, 3, size);
  const code = get(cpu, linear, 4, size);
  const data = get(cpu, linear, 5, size);
  const last = get(cpu, linear, 6, size);
  if (isReal(cpu)) {
    cpu.fip = (ip & 0xffff) | ((code >> 12) << 16);
    cpu.fcs = 0;
    cpu.fop = code & 0x7ff;
    cpu.fdp = (data & 0xffff) | ((last >> 12) << 16);
    cpu.fds = 0;
  } else {
    cpu.fip = ip;
    cpu.fcs = code & 0xffff;
    if (size == 4) cpu.fop = (code >> 16) & 0x7ff;
    cpu.fdp = data;
    cpu.fds = last & 0xffff;
  }
}

/** FNSTENV: afterwards all exceptions are masked. */
export function fpuStoreEnv(cpu: Cpu, linear: u32, size: u32): void {
  if (probeWrite(cpu, linear, environmentBytes(size))) return;
  writeEnvironment(cpu, linear, size);
  setWords(cpu, cpu.fcw | MASKS, cpu.fsw);
}

export function fpuLoadEnv(cpu: Cpu, linear: u32, size: u32): void {
  if (probeRead(cpu, linear, environmentBytes(size))) return;
  readEnvironment(cpu, linear, size);
}

/** FNSAVE: environment, then ST(0)..ST(7), ten bytes each; afterwards as FNINIT. */
export function fpuSave(cpu: Cpu, linear: u32, size: u32): void {
  const head = environmentBytes(size);
  if (probeWrite(cpu, linear, head + 80)) return;
  writeEnvironment(cpu, linear, size);
  for (let i: u32 = 0; i < 8; i++) {
    const reg = st(cpu, i);
    store64(cpu, linear + head + i * 10, reg.significand);
    store16(cpu, linear + head + i * 10 + 8, reg.signExponent);
  }
  fpuInit(cpu);
}

export function fpuRestore(cpu: Cpu, linear: u32, size: u32): void {
  const head = environmentBytes(size);
  if (probeRead(cpu, linear, head + 80)) return;
  readEnvironment(cpu, linear, size);
  for (let i: u32 = 0; i < 8; i++) {
    const reg = st(cpu, i);
    reg.significand = load64(cpu, linear + head + i * 10);
    reg.signExponent = <u16>load16(cpu, linear + head + i * 10 + 8);
  }
}

/** FXSAVE: 416 of the 512 bytes of the image are written, the rest is reserved (SDM vol. 1, 10.5.1). */
export function fpuFxsave(cpu: Cpu, linear: u32): void {
  if (linear & 15) {
    raiseError(cpu, Vector.GP, 0);
    return;
  }
  if (probeWrite(cpu, linear, 512)) return;
  store16(cpu, linear, cpu.fcw);
  store16(cpu, linear + 2, statusWord(cpu));
  store16(cpu, linear + 4, cpu.ftw);
  store16(cpu, linear + 6, cpu.fop & 0x7ff);
  store32(cpu, linear + 8, cpu.fip);
  store32(cpu, linear + 12, cpu.fcs);
  store32(cpu, linear + 16, cpu.fdp);
  store32(cpu, linear + 20, cpu.fds);
  store32(cpu, linear + 24, cpu.mxcsr);
  store32(cpu, linear + 28, MXCSR_MASK);
  for (let i: u32 = 0; i < 8; i++) {
    const reg = st(cpu, i);
    store64(cpu, linear + 32 + (i << 4), reg.significand);
    store64(cpu, linear + 40 + (i << 4), reg.signExponent);
  }
  if ((cpu.cr4 & Cr4.OSFXSR) == 0) return;
  for (let i: u32 = 0; i < 8; i++) store128(cpu, linear + 160 + (i << 4), cpu.xmm + (i << 4));
}

export function fpuFxrstor(cpu: Cpu, linear: u32): void {
  if (linear & 15) {
    raiseError(cpu, Vector.GP, 0);
    return;
  }
  if (probeRead(cpu, linear, 512)) return;
  const sse = (cpu.cr4 & Cr4.OSFXSR) != 0;
  const mxcsr = load32(cpu, linear + 24);
  if (sse && (mxcsr & ~MXCSR_MASK) != 0) {
    raiseError(cpu, Vector.GP, 0);
    return;
  }
  const sw = load16(cpu, linear + 2);
  setWords(cpu, load16(cpu, linear), sw);
  cpu.ftop = (sw >> 11) & 7;
  cpu.ftw = load16(cpu, linear + 4) & 0xff;
  cpu.fop = load16(cpu, linear + 6) & 0x7ff;
  cpu.fip = load32(cpu, linear + 8);
  cpu.fcs = load16(cpu, linear + 12);
  cpu.fdp = load32(cpu, linear + 16);
  cpu.fds = load16(cpu, linear + 20);
  for (let i: u32 = 0; i < 8; i++) {
    const reg = st(cpu, i);
    reg.significand = load64(cpu, linear + 32 + (i << 4));
    reg.signExponent = <u16>load16(cpu, linear + 40 + (i << 4));
  }
  if (!sse) return;
  cpu.mxcsr = mxcsr;
  for (let i: u32 = 0; i < 8; i++) load128(cpu, linear + 160 + (i << 4), cpu.xmm + (i << 4));
}
