// Control and debug registers, and what follows from them: paging switched, the mode of the code, traps of x87 and SSE.
import {
  CONTROL, CONTROL_HALTBEHIND, CPU_CPL, CPU_CR0, CPU_CR2, CPU_CR3, CPU_CR4, CPU_DR, CPU_EIP, CPU_EXIT, CPU_FPUSTOP, CPU_FPUTRAP, CPU_HALTED, CPU_JUMPBASE, CPU_JUMPKERNELLOCAL, CPU_MODE,
  CPU_SSETRAP, CPU_STACKMASK, EXIT_HALT, FPU_ERROR, MODE_CODE32, MODE_FLAT, MODE_LIMIT_PAGES, MODE_LIMIT_SHIFT, MODE_USER, SEG_ACCESS, SEG_BASE, SEG_CS, SEG_DS, SEG_ES,
  SEG_FS, SEG_GS, SEG_LIMIT, SEG_SS, SEG_TOPREAD, SEG_TOPWRITE, SSE_NM, SSE_UD, VECTOR_DB, VECTOR_GP, VECTOR_UD,
} from '../gen/layout';
import { raise, raiseError } from '../base/fault';
import { flushJumps, flushJumpsAt, flushKernelJumps, flushUserJumps } from '../engine/fetched';
import {
  ACC_CODE, ACC_DB, ACC_DC, ACC_P, ACC_RW, ACC_S, CR0_AM, CR0_CD, CR0_EM, CR0_ET, CR0_MP, CR0_NE, CR0_NW, CR0_PE, CR0_PG, CR0_TS, CR0_WP,
  CR4_DE, CR4_MCE, CR4_OSFXSR, CR4_OSXMMEXCPT, CR4_PAE, CR4_PCE, CR4_PGE, CR4_PSE, CR4_TSD, segAt, serialize, untypedSegments,
} from '../base/state';
import { flush, flushNonGlobal, tlbInvalidate } from '../memory/tlb';
import { loadPdptes } from '../memory/walk';
import { settleAlignment, updateAlignment, updateBreakpoints } from './watching';

const CR0_KNOWN: u32 = CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_NE | CR0_WP | CR0_AM | CR0_NW | CR0_CD | CR0_PG;
const CR4_KNOWN: u32 = CR4_TSD | CR4_DE | CR4_PSE | CR4_PAE | CR4_MCE | CR4_PGE | CR4_PCE | CR4_OSFXSR | CR4_OSXMMEXCPT;
const DR6_FIXED: u32 = 0xffff0ff0;
const DR7_FIXED: u32 = 0x400;
const DR7_GD: u32 = 0x2000;
const DR6_BD: u32 = 0x2000;

/** True, with #GP(0) raised, unless the CPL is 0. */
export function privileged(cpu: usize): bool {
  if (load<u32>(cpu, CPU_CPL) == 0) return false;
  raiseError(cpu, VECTOR_GP, 0);
  return true;
}

/** Fpu/SSE trap words after a change of CR0 or CR4 (SDM vol. 3, tables 2-2 and 13-1). */
export function updateFpuTraps(cpu: usize): void {
  const cr0 = load<u32>(cpu, CPU_CR0);
  store<u32>(cpu, cr0 & (CR0_EM | CR0_TS), CPU_FPUTRAP);
  // Where IGNNE# is asserted, and matters, the next pending exception will tell.
  store<u32>(cpu, FPU_ERROR, CPU_FPUSTOP);
  let sse: u32 = 0;
  if (cr0 & CR0_EM || !(load<u32>(cpu, CPU_CR4) & CR4_OSFXSR)) sse = SSE_UD;
  else if (cr0 & CR0_TS) sse = SSE_NM;
  store<u32>(cpu, sse, CPU_SSETRAP);
}

/** Sets the fast limits of one segment, and says whether it is flat and of use for data: bit 0 readable, bit 1 writable. */
@inline
function updateSegment(seg: usize, typed: bool): u32 {
  // The usual one: present, writable, expand-up data, all of the linear space.
  const kind = load<u32>(seg, SEG_ACCESS) & (ACC_P | ACC_S | ACC_CODE | ACC_DC | ACC_RW);
  if (typed && kind == (ACC_P | ACC_S | ACC_RW) && load<u32>(seg, SEG_LIMIT) == 0xffffffff && load<u32>(seg, SEG_BASE) == 0) {
    store<u32>(seg, 0xfffffff0, SEG_TOPREAD);
    store<u32>(seg, 0xfffffff0, SEG_TOPWRITE);
    return 3;
  }
  return updateAnySegment(seg, typed);
}

function updateAnySegment(seg: usize, typed: bool): u32 {
  const access = load<u32>(seg, SEG_ACCESS);
  const limit = load<u32>(seg, SEG_LIMIT);
  let read = true;
  let write = true;
  let up = true;
  if (typed) {
    const usable = (access & (ACC_P | ACC_S)) == (ACC_P | ACC_S);
    const code = (access & ACC_CODE) != 0;
    read = usable && (!code || (access & ACC_RW) != 0);
    write = usable && !code && (access & ACC_RW) != 0;
    up = code || !(access & ACC_DC);
  }
  const top: u32 = up && limit >= 15 ? limit - 15 : 0;
  store<u32>(seg, read ? top : 0, SEG_TOPREAD);
  store<u32>(seg, write ? top : 0, SEG_TOPWRITE);
  if (!up || limit != 0xffffffff || load<u32>(seg, SEG_BASE) != 0) return 0;
  return (read ? 1 : 0) | (write ? 2 : 0);
}

/** The limit of CS as part of the mode, so that code is decoded and translated for just this limit; 0 for 4 GiB. */
function limitCode(limit: u32): u32 {
  if (limit == 0xffffffff) return 0;
  return limit < MODE_LIMIT_PAGES ? limit + 1 : (MODE_LIMIT_PAGES | (limit >>> 12)) + 1;
}

/** Recomputes all that follows from CPL, CR0.PE, EFLAGS.VM and the segment caches: Cpu.mode, Cpu.stackMask, the fast limits. */
export function updateMode(cpu: usize): void {
  const typed = !untypedSegments(cpu);
  const es = updateSegment(segAt(cpu, SEG_ES), typed);
  const cs = updateSegment(segAt(cpu, SEG_CS), typed);
  const ss = updateSegment(segAt(cpu, SEG_SS), typed);
  const ds = updateSegment(segAt(cpu, SEG_DS), typed);
  updateSegment(segAt(cpu, SEG_FS), typed);
  updateSegment(segAt(cpu, SEG_GS), typed);
  const code32 = (load<u32>(segAt(cpu, SEG_CS), SEG_ACCESS) & ACC_DB) != 0;
  const stack32 = (load<u32>(segAt(cpu, SEG_SS), SEG_ACCESS) & ACC_DB) != 0;
  let mode: u32 = 0;
  if (code32) mode |= MODE_CODE32;
  if (code32 && stack32 && (es & ss & ds) == 3 && cs & 1) mode |= MODE_FLAT;
  if (load<u32>(cpu, CPU_CPL) == 3) mode |= MODE_USER;
  mode |= limitCode(load<u32>(segAt(cpu, SEG_CS), SEG_LIMIT)) << MODE_LIMIT_SHIFT;
  store<u32>(cpu, stack32 ? 0xffffffff : 0xffff, CPU_STACKMASK);
  const base = load<u32>(segAt(cpu, SEG_CS), SEG_BASE);
  if ((load<u32>(cpu, CPU_MODE) ^ mode) & ~MODE_USER || load<u32>(cpu, CPU_JUMPBASE) != base) {
    store<u32>(cpu, base, CPU_JUMPBASE);
    flushJumps(cpu);
  }
  store<u32>(cpu, mode, CPU_MODE);
  settleAlignment(cpu);
}

function flushEverything(cpu: usize): void {
  flush(cpu);
  flushJumps(cpu);
}

/** CR0 without a check of the CPL. */
function setCr0(cpu: usize, value: u32): void {
  const old = load<u32>(cpu, CPU_CR0);
  const cr0 = (value & CR0_KNOWN) | CR0_ET;
  if (cr0 & CR0_PG && !(cr0 & CR0_PE) || (cr0 & (CR0_NW | CR0_CD)) == CR0_NW) {
    raiseError(cpu, VECTOR_GP, 0);
    return;
  }
  if (cr0 & ~old & CR0_PG && load<u32>(cpu, CPU_CR4) & CR4_PAE && !loadPdptes(cpu, load<u32>(cpu, CPU_CR3))) {
    raiseError(cpu, VECTOR_GP, 0);
    return;
  }
  store<u32>(cpu, cr0, CPU_CR0);
  if ((cr0 ^ old) & (CR0_PG | CR0_PE | CR0_WP)) flushEverything(cpu);
  updateFpuTraps(cpu);
  updateAlignment(cpu);
  if ((cr0 ^ old) & CR0_PE) updateMode(cpu);
}

function setCr3(cpu: usize, value: u32): void {
  if (load<u32>(cpu, CPU_CR0) & CR0_PG && load<u32>(cpu, CPU_CR4) & CR4_PAE && !loadPdptes(cpu, value)) {
    raiseError(cpu, VECTOR_GP, 0);
    return;
  }
  store<u32>(cpu, value, CPU_CR3);
  flushNonGlobal(cpu);
  flushUserJumps(cpu);
  if (load<u32>(cpu, CPU_JUMPKERNELLOCAL)) flushKernelJumps(cpu);
}

function setCr4(cpu: usize, value: u32): void {
  const old = load<u32>(cpu, CPU_CR4);
  const paging = (load<u32>(cpu, CPU_CR0) & CR0_PG) != 0;
  const changed = value ^ old;
  if (value & ~CR4_KNOWN) {
    raiseError(cpu, VECTOR_GP, 0);
    return;
  }
  if (paging && value & CR4_PAE && changed & (CR4_PAE | CR4_PSE | CR4_PGE) && !loadPdptes(cpu, load<u32>(cpu, CPU_CR3))) {
    raiseError(cpu, VECTOR_GP, 0);
    return;
  }
  store<u32>(cpu, value, CPU_CR4);
  if (changed & (CR4_PAE | CR4_PSE | CR4_PGE)) flushEverything(cpu);
  updateFpuTraps(cpu);
}

/** MOV CRn, r32. */
export function movToCr(cpu: usize, n: u32, value: u32): void {
  serialize(cpu);
  if (n == 1 || n > 4) {
    raise(cpu, VECTOR_UD);
    return;
  }
  if (privileged(cpu)) return;
  if (n == 0) setCr0(cpu, value);
  else if (n == 2) store<u32>(cpu, value, CPU_CR2);
  else if (n == 3) setCr3(cpu, value);
  else setCr4(cpu, value);
}

/** MOV r32, CRn. */
export function movFromCr(cpu: usize, n: u32): u32 {
  if (n == 1 || n > 4) {
    raise(cpu, VECTOR_UD);
    return 0;
  }
  if (privileged(cpu)) return 0;
  if (n == 0) return load<u32>(cpu, CPU_CR0);
  if (n == 2) return load<u32>(cpu, CPU_CR2);
  return n == 3 ? load<u32>(cpu, CPU_CR3) : load<u32>(cpu, CPU_CR4);
}

export function clts(cpu: usize): void {
  if (privileged(cpu)) return;
  store<u32>(cpu, load<u32>(cpu, CPU_CR0) & ~CR0_TS, CPU_CR0);
  updateFpuTraps(cpu);
}

/** LMSW: PE can be set but not cleared (SDM vol. 2, LMSW). */
export function lmsw(cpu: usize, value: u32): void {
  if (privileged(cpu)) return;
  const bits = CR0_MP | CR0_EM | CR0_TS;
  setCr0(cpu, (load<u32>(cpu, CPU_CR0) & ~bits) | (value & (bits | CR0_PE)));
}

/** SMSW: open to all. */
export function smsw(cpu: usize): u32 {
  return load<u32>(cpu, CPU_CR0);
}

export function invlpg(cpu: usize, linear: u32): void {
  serialize(cpu);
  if (privileged(cpu)) return;
  tlbInvalidate(cpu, linear);
  flushJumpsAt(cpu, linear);
}

/** Number of the debug register that is meant, or 8 with a fault raised (SDM vol. 3, 17.2). */
function debugRegister(cpu: usize, n: u32): u32 {
  if (n == 4 || n == 5) {
    if (load<u32>(cpu, CPU_CR4) & CR4_DE) {
      raise(cpu, VECTOR_UD);
      return 8;
    }
    n += 2;
  }
  if (privileged(cpu)) return 8;
  const dr7 = load<u32>(cpu + 7 * 4, CPU_DR);
  if (dr7 & DR7_GD) {
    store<u32>(cpu + 6 * 4, load<u32>(cpu + 6 * 4, CPU_DR) | DR6_BD, CPU_DR);
    store<u32>(cpu + 7 * 4, dr7 & ~DR7_GD, CPU_DR);
    raise(cpu, VECTOR_DB);
    return 8;
  }
  return n;
}

/** MOV DRn, r32. */
export function movToDr(cpu: usize, n: u32, value: u32): void {
  const to = debugRegister(cpu, n);
  if (to > 7) return;
  if (to == 6) value = (value & 0xe00f) | DR6_FIXED;
  if (to == 7) {
    value = (value & 0xffff23ff) | DR7_FIXED;
  }
  store<u32>(cpu + (to << 2), value, CPU_DR);
  updateBreakpoints(cpu);
}

/** MOV r32, DRn. */
export function movFromDr(cpu: usize, n: u32): u32 {
  const from = debugRegister(cpu, n);
  return from > 7 ? 0 : load<u32>(cpu + (from << 2), CPU_DR);
}

/** WBINVD and INVD: there are no caches. */
export function wbinvd(cpu: usize): void {
  privileged(cpu);
}

export function hlt(cpu: usize): void {
  const behind = load<u32>(CONTROL, CONTROL_HALTBEHIND);
  if ((behind == 0 || behind != load<u32>(cpu, CPU_EIP) + 1) && privileged(cpu)) return;
  store<u32>(cpu, 1, CPU_HALTED);
  store<u32>(cpu, EXIT_HALT, CPU_EXIT);
}
