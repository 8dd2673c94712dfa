// x87: the exported helpers for control and for images of the whole state: FLDCW, FNCLEX, FNINIT, FNSTENV, FLDENV, FNSAVE,
// FRSTOR, FXSAVE, FXRSTOR (SDM vol. 1, 8.1.10 and 10.5).
import { raiseError } from '../base/fault';
import {
  CPU_CR0, CPU_CR4, CPU_EFLAGS, CPU_FCS, CPU_FCW, CPU_FDP, CPU_FDS, CPU_FIP, CPU_FOP, CPU_FPR, CPU_FSW, CPU_FTOP, CPU_FTW, CPU_MXCSR, CPU_XMM,
  EFLAGS_VM, VECTOR_GP,
} from '../gen/layout';
import { settleError } from './fpu-error';
import { load16, load32, load64, load128, probeRead, probeWrite, store16, store32, store64, store128 } from '../memory/memory';
import { CR0_PE, CR4_OSFXSR } from '../base/state';
import { BUSY, C0, C1, C2, C3, ES, EXP_MAX, MSB } from './core';

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
function setWords(cpu: usize, cw: u32, sw: u32): void {
  cw = (cw & CONTROL_BITS) | CONTROL_ONE;
  const pending = (sw & ~cw & MASKS) != 0;
  store<u32>(cpu, cw, CPU_FCW);
  store<u32>(cpu, (sw & ~(ES | BUSY | 0x3800)) | (pending ? ES | BUSY : 0), CPU_FSW);
  settleError(cpu);
}

/** The status word as a program sees it. */
function statusWord(cpu: usize): u32 {
  return load<u32>(cpu, CPU_FSW) | (load<u32>(cpu, CPU_FTOP) << 11);
}

/** The full tag word: two bits for each physical register. */
function tagWord(cpu: usize): u32 {
  const used = load<u32>(cpu, CPU_FTW);
  let tags: u32 = 0;
  for (let i: u32 = 0; i < 8; i++) {
    let tag: u32 = TAG_EMPTY;
    if ((used >> i) & 1) {
      const reg = cpu + CPU_FPR + (i << 4);
      const exp = load<u16>(reg, 8) & EXP_MAX;
      const sig = load<u64>(reg);
      if (exp == 0 && sig == 0) tag = TAG_ZERO;
      else if (exp == 0 || exp == EXP_MAX || (sig & MSB) == 0) tag = TAG_SPECIAL;
      else tag = TAG_VALID;
    }
    tags |= tag << (i << 1);
  }
  return tags;
}

function setTagWord(cpu: usize, tags: u32): void {
  let used: u32 = 0;
  for (let i: u32 = 0; i < 8; i++) if (((tags >> (i << 1)) & 3) != TAG_EMPTY) used |= 1 << i;
  store<u32>(cpu, used, CPU_FTW);
}

export function fpuInit(cpu: usize): void {
  store<u32>(cpu, 0x37f, CPU_FCW);
  store<u32>(cpu, 0, CPU_FSW);
  store<u32>(cpu, 0, CPU_FTOP);
  store<u32>(cpu, 0, CPU_FTW);
  store<u32>(cpu, 0, CPU_FOP);
  store<u32>(cpu, 0, CPU_FIP);
  store<u32>(cpu, 0, CPU_FCS);
  store<u32>(cpu, 0, CPU_FDP);
  store<u32>(cpu, 0, CPU_FDS);
  settleError(cpu);
}

export function fpuClearExceptions(cpu: usize): void {
  store<u32>(cpu, load<u32>(cpu, CPU_FSW) & (C0 | C1 | C2 | C3), CPU_FSW);
  settleError(cpu);
}

export function fpuLoadControl(cpu: usize, cw: u32): void {
  setWords(cpu, cw, load<u32>(cpu, CPU_FSW));
}

/** Real-address and virtual-8086 mode keep the pointers as linear addresses. */
@inline
function isReal(cpu: usize): bool {
  return (load<u32>(cpu, CPU_CR0) & CR0_PE) == 0 || (load<u32>(cpu, CPU_EFLAGS) & EFLAGS_VM) != 0;
}

@inline
function environmentBytes(size: u32): u32 {
  return size == 4 ? 28 : 14;
}

/** Writes the environment at an address that was probed; size 2 or 4 is the operand size. */
function writeEnvironment(cpu: usize, linear: u32, size: u32): void {
  const fip = load<u32>(cpu, CPU_FIP);
  const fcs = load<u32>(cpu, CPU_FCS);
  const fdp = load<u32>(cpu, CPU_FDP);
  const fds = load<u32>(cpu, CPU_FDS);
  const fop = load<u32>(cpu, CPU_FOP) & 0x7ff;
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
  put(cpu, linear, 0, size, 0xffff0000 | load<u32>(cpu, CPU_FCW));
  put(cpu, linear, 1, size, 0xffff0000 | statusWord(cpu));
  put(cpu, linear, 2, size, 0xffff0000 | tagWord(cpu));
  put(cpu, linear, 3, size, ip);
  put(cpu, linear, 4, size, code);
  put(cpu, linear, 5, size, data);
  put(cpu, linear, 6, size, last);
}

function put(cpu: usize, linear: u32, index: u32, size: u32, value: u32): void {
  if (size == 4) store32(cpu, linear + (index << 2), value);
  else store16(cpu, linear + (index << 1), value & 0xffff);
}

function get(cpu: usize, linear: u32, index: u32, size: u32): u32 {
  return size == 4 ? load32(cpu, linear + (index << 2)) : load16(cpu, linear + (index << 1));
}

/** Reads an environment at an address that was probed. */
function readEnvironment(cpu: usize, linear: u32, size: u32): void {
  const sw = get(cpu, linear, 1, size) & 0xffff;
  setWords(cpu, get(cpu, linear, 0, size), sw);
  store<u32>(cpu, (sw >> 11) & 7, CPU_FTOP);
  setTagWord(cpu, get(cpu, linear, 2, size));
  const ip = get(cpu, linear, 3, size);
  const code = get(cpu, linear, 4, size);
  const data = get(cpu, linear, 5, size);
  const last = get(cpu, linear, 6, size);
  if (isReal(cpu)) {
    store<u32>(cpu, (ip & 0xffff) | ((code >> 12) << 16), CPU_FIP);
    store<u32>(cpu, 0, CPU_FCS);
    store<u32>(cpu, code & 0x7ff, CPU_FOP);
    store<u32>(cpu, (data & 0xffff) | ((last >> 12) << 16), CPU_FDP);
    store<u32>(cpu, 0, CPU_FDS);
  } else {
    store<u32>(cpu, ip, CPU_FIP);
    store<u32>(cpu, code & 0xffff, CPU_FCS);
    if (size == 4) store<u32>(cpu, (code >> 16) & 0x7ff, CPU_FOP);
    store<u32>(cpu, data, CPU_FDP);
    store<u32>(cpu, last & 0xffff, CPU_FDS);
  }
}

/** FNSTENV: afterwards all exceptions are masked. */
export function fpuStoreEnv(cpu: usize, linear: u32, size: u32): void {
  if (probeWrite(cpu, linear, environmentBytes(size))) return;
  writeEnvironment(cpu, linear, size);
  setWords(cpu, load<u32>(cpu, CPU_FCW) | MASKS, load<u32>(cpu, CPU_FSW));
}

export function fpuLoadEnv(cpu: usize, linear: u32, size: u32): void {
  if (probeRead(cpu, linear, environmentBytes(size))) return;
  readEnvironment(cpu, linear, size);
}

/** Address of ST(i). */
@inline
function register(cpu: usize, i: u32): usize {
  return cpu + CPU_FPR + (((load<u32>(cpu, CPU_FTOP) + i) & 7) << 4);
}

/** FNSAVE: environment, then ST(0)..ST(7), ten bytes each; afterwards as FNINIT. */
export function fpuSave(cpu: usize, linear: u32, size: u32): void {
  const head = environmentBytes(size);
  if (probeWrite(cpu, linear, head + 80)) return;
  writeEnvironment(cpu, linear, size);
  for (let i: u32 = 0; i < 8; i++) {
    const reg = register(cpu, i);
    store64(cpu, linear + head + i * 10, load<u64>(reg));
    store16(cpu, linear + head + i * 10 + 8, load<u16>(reg, 8));
  }
  fpuInit(cpu);
}

export function fpuRestore(cpu: usize, linear: u32, size: u32): void {
  const head = environmentBytes(size);
  if (probeRead(cpu, linear, head + 80)) return;
  readEnvironment(cpu, linear, size);
  for (let i: u32 = 0; i < 8; i++) {
    const reg = register(cpu, i);
    store<u64>(reg, load64(cpu, linear + head + i * 10));
    store<u16>(reg, <u16>load16(cpu, linear + head + i * 10 + 8), 8);
  }
}

/** FXSAVE: 416 of the 512 bytes of the image are written, the rest is reserved (SDM vol. 1, 10.5.1). */
export function fpuFxsave(cpu: usize, linear: u32): void {
  if (linear & 15) {
    raiseError(cpu, VECTOR_GP, 0);
    return;
  }
  if (probeWrite(cpu, linear, 512)) return;
  store16(cpu, linear, load<u32>(cpu, CPU_FCW));
  store16(cpu, linear + 2, statusWord(cpu));
  store16(cpu, linear + 4, load<u32>(cpu, CPU_FTW));
  store16(cpu, linear + 6, load<u32>(cpu, CPU_FOP) & 0x7ff);
  store32(cpu, linear + 8, load<u32>(cpu, CPU_FIP));
  store32(cpu, linear + 12, load<u32>(cpu, CPU_FCS));
  store32(cpu, linear + 16, load<u32>(cpu, CPU_FDP));
  store32(cpu, linear + 20, load<u32>(cpu, CPU_FDS));
  store32(cpu, linear + 24, load<u32>(cpu, CPU_MXCSR));
  store32(cpu, linear + 28, MXCSR_MASK);
  for (let i: u32 = 0; i < 8; i++) {
    const reg = register(cpu, i);
    store64(cpu, linear + 32 + (i << 4), load<u64>(reg));
    store64(cpu, linear + 40 + (i << 4), load<u16>(reg, 8));
  }
  if ((load<u32>(cpu, CPU_CR4) & CR4_OSFXSR) == 0) return;
  for (let i: u32 = 0; i < 8; i++) store128(cpu, linear + 160 + (i << 4), cpu + CPU_XMM + (i << 4));
}

export function fpuFxrstor(cpu: usize, linear: u32): void {
  if (linear & 15) {
    raiseError(cpu, VECTOR_GP, 0);
    return;
  }
  if (probeRead(cpu, linear, 512)) return;
  const sse = (load<u32>(cpu, CPU_CR4) & CR4_OSFXSR) != 0;
  const mxcsr = load32(cpu, linear + 24);
  if (sse && (mxcsr & ~MXCSR_MASK) != 0) {
    raiseError(cpu, VECTOR_GP, 0);
    return;
  }
  const sw = load16(cpu, linear + 2);
  setWords(cpu, load16(cpu, linear), sw);
  store<u32>(cpu, (sw >> 11) & 7, CPU_FTOP);
  store<u32>(cpu, load16(cpu, linear + 4) & 0xff, CPU_FTW);
  store<u32>(cpu, load16(cpu, linear + 6) & 0x7ff, CPU_FOP);
  store<u32>(cpu, load32(cpu, linear + 8), CPU_FIP);
  store<u32>(cpu, load16(cpu, linear + 12), CPU_FCS);
  store<u32>(cpu, load32(cpu, linear + 16), CPU_FDP);
  store<u32>(cpu, load16(cpu, linear + 20), CPU_FDS);
  for (let i: u32 = 0; i < 8; i++) {
    const reg = register(cpu, i);
    store<u64>(reg, load64(cpu, linear + 32 + (i << 4)));
    store<u16>(reg, <u16>load16(cpu, linear + 40 + (i << 4)), 8);
  }
  if (!sse) return;
  store<u32>(cpu, mxcsr, CPU_MXCSR);
  for (let i: u32 = 0; i < 8; i++) load128(cpu, linear + 160 + (i << 4), cpu + CPU_XMM + (i << 4));
}
