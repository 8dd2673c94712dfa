// Control and debug registers, and what follows from them: paging switched, the mode of the code, traps of x87 and SSE.
import { raise, raiseError } from '../base/fault';
import { changeMode, pagingOn, serialize, untypedSegments } from '../base/state';
import { setOfHost } from '../clients/told';
import { flushJumps, flushJumpsAt, flushKernelJumps, flushUserJumps } from '../engine/fetched';
import { enterSpace } from '../engine/spaces';
import {
  Cpu,
  Cr0,
  Cr4,
  control,
  Descriptor,
  Exit,
  FPU_ERROR,
  MODE_LIMIT_PAGES,
  MODE_LIMIT_SHIFT,
  Mode,
  Seg,
  SegCache,
  SSE_NM,
  SSE_UD,
  Vector,
} from '../gen/layout';
import { invalidateDirect, proveDirectSeldom } from '../memory/direct-map';
import { flushAndProve, flushNonGlobal, tlbInvalidate } from '../memory/tlb';
import { loadPdptes } from '../memory/walk';
import { updateAlignment, updateBreakpoints } from './watching';

const CR0_KNOWN: u32 = Cr0.PE | Cr0.MP | Cr0.EM | Cr0.TS | Cr0.NE | Cr0.WP | Cr0.AM | Cr0.NW | Cr0.CD | Cr0.PG;
const CR4_KNOWN: u32 = Cr4.TSD | Cr4.DE | Cr4.PSE | Cr4.PAE | Cr4.MCE | Cr4.PGE | Cr4.PCE | Cr4.OSFXSR | Cr4.OSXMMEXCPT;
const DR6_FIXED: u32 = 0xffff0ff0;
const DR7_FIXED: u32 = 0x400;
const DR7_GD: u32 = 0x2000;
const DR6_BD: u32 = 0x2000;

/** True, with #GP(0) raised, unless the CPL is 0. */
export function privileged(cpu: Cpu): bool {
  if (cpu.cpl == 0) return false;
  raiseError(cpu, Vector.GP, 0);
  return true;
}

/** Fpu/SSE trap words after a change of CR0 or CR4 (SDM vol. 3, tables 2-2 and 13-1). */
export function updateFpuTraps(cpu: Cpu): void {
  const cr0 = cpu.cr0;
  cpu.fpuTrap = cr0 & (Cr0.EM | Cr0.TS);
  // Where IGNNE# is asserted, and matters, the next pending exception will tell.
  cpu.fpuStop = FPU_ERROR;
  let sse: u32 = 0;
  if (cr0 & Cr0.EM || !(cpu.cr4 & Cr4.OSFXSR)) sse = SSE_UD;
  else if (cr0 & Cr0.TS) sse = SSE_NM;
  cpu.sseTrap = sse;
}

/** Sets the fast limits of one segment, and says whether it is flat and of use for data: bit 0 readable, bit 1 writable. */
@inline
function updateSegment(seg: SegCache, typed: bool): u32 {
  // The usual one: present, writable, expand-up data, all of the linear space.
  const kind = seg.access & (Descriptor.PRESENT | Descriptor.NOT_SYSTEM | Descriptor.CODE | Descriptor.EXPAND_DOWN | Descriptor.WRITABLE);
  if (typed && kind == (Descriptor.PRESENT | Descriptor.NOT_SYSTEM | Descriptor.WRITABLE) && seg.limit == 0xffffffff && seg.base == 0) {
    seg.topRead = 0xfffffff0;
    seg.topWrite = 0xfffffff0;
    return 3;
  }
  return updateAnySegment(seg, typed);
}

function updateAnySegment(seg: SegCache, typed: bool): u32 {
  const access = seg.access;
  const limit = seg.limit;
  let read = true;
  let write = true;
  let up = true;
  if (typed) {
    const usable = (access & (Descriptor.PRESENT | Descriptor.NOT_SYSTEM)) == (Descriptor.PRESENT | Descriptor.NOT_SYSTEM);
    const code = (access & Descriptor.CODE) != 0;
    read = usable && (!code || (access & Descriptor.READABLE) != 0);
    write = usable && !code && (access & Descriptor.WRITABLE) != 0;
    up = code || !(access & Descriptor.EXPAND_DOWN);
  }
  const top: u32 = up && limit >= 15 ? limit - 15 : 0;
  seg.topRead = read ? top : 0;
  seg.topWrite = write ? top : 0;
  if (!up || limit != 0xffffffff || seg.base != 0) return 0;
  return (read ? 1 : 0) | (write ? 2 : 0);
}

/** The limit of CS as part of the mode, so that code is decoded and translated for just this limit; 0 for 4 GiB. */
function limitCode(limit: u32): u32 {
  if (limit == 0xffffffff) return 0;
  return limit < MODE_LIMIT_PAGES ? limit + 1 : (MODE_LIMIT_PAGES | (limit >>> 12)) + 1;
}

/** Recomputes all that follows from CPL, CR0.PE, CR0.PG, EFLAGS.VM and the segment caches: Cpu.mode, Cpu.stackMask, the fast limits. */
export function updateMode(cpu: Cpu): void {
  const typed = !untypedSegments(cpu);
  const es = updateSegment(cpu.seg[Seg.ES], typed);
  const cs = updateSegment(cpu.seg[Seg.CS], typed);
  const ss = updateSegment(cpu.seg[Seg.SS], typed);
  const ds = updateSegment(cpu.seg[Seg.DS], typed);
  updateSegment(cpu.seg[Seg.FS], typed);
  updateSegment(cpu.seg[Seg.GS], typed);
  const code32 = (cpu.seg[Seg.CS].access & Descriptor.BIG) != 0;
  const stack32 = (cpu.seg[Seg.SS].access & Descriptor.BIG) != 0;
  let mode: u32 = 0;
  if (code32) mode |= Mode.CODE32;
  if (code32 && stack32 && (es & ss & ds) == 3 && cs & 1) mode |= Mode.FLAT;
  if (cpu.cpl == 3) mode |= Mode.USER;
  if (!pagingOn(cpu)) mode |= Mode.PHYSICAL;
  if (control.placed) mode |= Mode.PLACED;
  mode |= limitCode(cpu.seg[Seg.CS].limit) << MODE_LIMIT_SHIFT;
  cpu.stackMask = stack32 ? 0xffffffff : 0xffff;
  const base = cpu.seg[Seg.CS].base;
  if ((cpu.mode ^ mode) & ~Mode.USER || cpu.jumpBase != base) {
    cpu.jumpBase = base;
    flushJumps(cpu);
  }
  changeMode(cpu, mode);
  updateAlignment(cpu);
}

/** The same for the host, which has changed what it follows from. */
export function updateModeOfHost(cpu: Cpu): void {
  setOfHost(true);
  updateMode(cpu);
  setOfHost(false);
}

/** updateMode behind a load of ES, SS, DS, FS or GS alone. True: the mode is another one. */
export function updateLoaded(cpu: Cpu, seg: u32): bool {
  const kinds = updateSegment(cpu.seg[seg], !untypedSegments(cpu));
  if (seg >= Seg.FS) return false;
  const mode = cpu.mode;
  const stays = mode & Mode.FLAT ? kinds == 3 && (seg != Seg.SS || cpu.seg[Seg.SS].access & Descriptor.BIG) : kinds != 3 && seg != Seg.SS;
  if (stays) return false;
  updateMode(cpu);
  return cpu.mode != mode;
}

function flushEverything(cpu: Cpu): void {
  flushAndProve(cpu);
  flushJumps(cpu);
}

/** CR0 without a check of the CPL. */
function setCr0(cpu: Cpu, value: u32): void {
  const old = cpu.cr0;
  const cr0 = (value & CR0_KNOWN) | Cr0.ET;
  if ((cr0 & Cr0.PG && !(cr0 & Cr0.PE)) || (cr0 & (Cr0.NW | Cr0.CD)) == Cr0.NW) {
    raiseError(cpu, Vector.GP, 0);
    return;
  }
  if (cr0 & ~old & Cr0.PG && cpu.cr4 & Cr4.PAE && !loadPdptes(cpu, cpu.cr3)) {
    raiseError(cpu, Vector.GP, 0);
    return;
  }
  cpu.cr0 = cr0;
  if ((cr0 ^ old) & (Cr0.PG | Cr0.PE | Cr0.WP)) flushEverything(cpu);
  updateFpuTraps(cpu);
  updateAlignment(cpu);
  if ((cr0 ^ old) & (Cr0.PE | Cr0.PG)) updateMode(cpu);
}

function setCr3(cpu: Cpu, value: u32): void {
  if (pagingOn(cpu) && cpu.cr4 & Cr4.PAE && !loadPdptes(cpu, value)) {
    raiseError(cpu, Vector.GP, 0);
    return;
  }
  cpu.cr3 = value;
  flushNonGlobal(cpu);
  if (!cpu.directBytes) proveDirectSeldom(cpu);
  if (!enterSpace(cpu)) flushUserJumps(cpu);
  if (cpu.jumpKernelLocal) flushKernelJumps(cpu);
}

function setCr4(cpu: Cpu, value: u32): void {
  const old = cpu.cr4;
  const paging = pagingOn(cpu);
  const changed = value ^ old;
  if (value & ~CR4_KNOWN) {
    raiseError(cpu, Vector.GP, 0);
    return;
  }
  if (paging && value & Cr4.PAE && changed & (Cr4.PAE | Cr4.PSE | Cr4.PGE) && !loadPdptes(cpu, cpu.cr3)) {
    raiseError(cpu, Vector.GP, 0);
    return;
  }
  cpu.cr4 = value;
  if (changed & (Cr4.PAE | Cr4.PSE | Cr4.PGE)) flushEverything(cpu);
  updateFpuTraps(cpu);
}

/** MOV CRn, r32. */
export function movToCr(cpu: Cpu, n: u32, value: u32): void {
  serialize(cpu);
  if (n == 1 || n > 4) {
    raise(cpu, Vector.UD);
    return;
  }
  if (privileged(cpu)) return;
  if (n == 0) setCr0(cpu, value);
  else if (n == 2) cpu.cr2 = value;
  else if (n == 3) setCr3(cpu, value);
  else setCr4(cpu, value);
}

/** MOV r32, CRn. */
export function movFromCr(cpu: Cpu, n: u32): u32 {
  if (n == 1 || n > 4) {
    raise(cpu, Vector.UD);
    return 0;
  }
  if (privileged(cpu)) return 0;
  if (n == 0) return cpu.cr0;
  if (n == 2) return cpu.cr2;
  return n == 3 ? cpu.cr3 : cpu.cr4;
}

export function clts(cpu: Cpu): void {
  if (privileged(cpu)) return;
  cpu.cr0 &= ~Cr0.TS;
  updateFpuTraps(cpu);
}

/** LMSW: PE can be set but not cleared (SDM vol. 2, LMSW). */
export function lmsw(cpu: Cpu, value: u32): void {
  if (privileged(cpu)) return;
  const bits = Cr0.MP | Cr0.EM | Cr0.TS;
  setCr0(cpu, (cpu.cr0 & ~bits) | (value & (bits | Cr0.PE)));
}

/** SMSW: open to all. */
export function smsw(cpu: Cpu): u32 {
  return cpu.cr0;
}

export function invlpg(cpu: Cpu, linear: u32): void {
  serialize(cpu);
  if (privileged(cpu)) return;
  tlbInvalidate(cpu, linear);
  invalidateDirect(cpu, linear);
  flushJumpsAt(cpu, linear);
}

/** Number of the debug register that is meant, or 8 with a fault raised (SDM vol. 3, 17.2). */
function debugRegister(cpu: Cpu, n: u32): u32 {
  if (n == 4 || n == 5) {
    if (cpu.cr4 & Cr4.DE) {
      raise(cpu, Vector.UD);
      return 8;
    }
    n += 2;
  }
  if (privileged(cpu)) return 8;
  const dr7 = cpu.dr[7];
  if (dr7 & DR7_GD) {
    cpu.dr[6] |= DR6_BD;
    cpu.dr[7] = dr7 & ~DR7_GD;
    raise(cpu, Vector.DB);
    return 8;
  }
  return n;
}

/** MOV DRn, r32. */
export function movToDr(cpu: Cpu, n: u32, value: u32): void {
  const to = debugRegister(cpu, n);
  if (to > 7) return;
  if (to == 6) value = (value & 0xe00f) | DR6_FIXED;
  if (to == 7) {
    value = (value & 0xffff23ff) | DR7_FIXED;
  }
  cpu.dr[to] = value;
  updateBreakpoints(cpu);
}

/** MOV r32, DRn. */
export function movFromDr(cpu: Cpu, n: u32): u32 {
  const from = debugRegister(cpu, n);
  return from > 7 ? 0 : cpu.dr[from];
}

/** WBINVD and INVD: there are no caches. */
export function wbinvd(cpu: Cpu): void {
  privileged(cpu);
}

export function hlt(cpu: Cpu): void {
  const behind = control.haltBehind;
  if ((behind == 0 || behind != cpu.eip + 1) && privileged(cpu)) return;
  cpu.halted = 1;
  cpu.exit = Exit.HALT;
}
