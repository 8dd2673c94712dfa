// A stack at work: the pushes and pops of control transfers, which may use a stack that is not yet the current one and
// change ESP only when all is well; and the stack instructions that are too big for a lift (ENTER, PUSHA, POPA).
import { faulted, raiseError } from '../base/fault';
import { userAccess } from '../base/state';
import { tellStack } from '../clients/told';
import { Cpu, Descriptor, Gpr, NotedAccess, Seg, Vector } from '../gen/layout';
import { load16, load32, probeWrite, pushAs16, pushAs32, store16, store32 } from '../memory/memory';
import { isProtected } from '../segments/descriptor';

let base: u32 = 0;
let limit: u32 = 0;
let down: bool = false;
let mask: u32 = 0;
/** Bits of ESP above the mask: pushes and pops leave them alone. */
let high: u32 = 0;
let sp: u32 = 0;
let system: bool = false;
let error: u32 = 0;

/** Works on the stack segment given. With `sys`, pushes have the supervisor's rights; `code` is the error code of its #SS. */
export function openStack(segBase: u32, segLimit: u32, access: u32, esp: u32, sys: bool, code: u32): void {
  base = segBase;
  limit = segLimit;
  down = (access & (Descriptor.CODE | Descriptor.EXPAND_DOWN)) == Descriptor.EXPAND_DOWN;
  mask = access & Descriptor.BIG ? 0xffffffff : 0xffff;
  high = esp & ~mask;
  sp = esp & mask;
  system = sys;
  error = code;
}

/** ESP after a load of SS:ESP with a segment of these rights: a 16-bit stack takes SP alone, and the upper half stays (as QEMU, Bochs and
 * processors have it; in the manual's pseudo-code for inner and outer stacks all of ESP is loaded). */
export function loadedEsp(cpu: Cpu, access: u32, esp: u32): u32 {
  return access & Descriptor.BIG ? esp : (cpu.gpr[Gpr.ESP] & 0xffff0000) | (esp & 0xffff);
}

/** Works on the current stack. `code` is the error code of its #SS. */
export function openCurrentStack(cpu: Cpu, code: u32): void {
  const ss = cpu.seg[Seg.SS];
  const access = ss.access;
  const esp = cpu.gpr[Gpr.ESP];
  openStack(ss.base, ss.limit, access, esp, false, code);
  if (!isProtected(cpu)) down = false;
}

/** Raises #SS unless `bytes` bytes at `offset` are inside the segment (SDM vol. 3, 5.3); true: it was raised. */
function outside(cpu: Cpu, offset: u32, bytes: u32): bool {
  const last = offset + bytes - 1;
  if (down) {
    if (offset > limit && last >= offset && last <= mask) return false;
  } else if (limit == 0xffffffff || (last >= offset && last <= limit)) {
    return false;
  }
  raiseError(cpu, Vector.SS, error);
  return true;
}

/** Pushes 2 or 4 bytes; true: a fault was raised. */
export function push(cpu: Cpu, value: u32, size: u32): bool {
  if (pushUntold(cpu, value, size)) return true;
  tellStack(cpu, base + sp, size, system ? 0 : userAccess(cpu), NotedAccess.WRITES);
  return false;
}

/** The same, of which clients hear in another way. */
function pushUntold(cpu: Cpu, value: u32, size: u32): bool {
  const to = (sp - size) & mask;
  if (outside(cpu, to, size)) return true;
  if (size == 4) {
    if (system) pushAs32(cpu, base + to, value);
    else store32(cpu, base + to, value);
  } else if (system) {
    pushAs16(cpu, base + to, value);
  } else {
    store16(cpu, base + to, value);
  }
  if (faulted(cpu)) return true;
  sp = to;
  return false;
}

/** Pops 2 or 4 bytes, with the rights of the current CPL. Ask faulted() afterwards. */
export function pop(cpu: Cpu, size: u32): u32 {
  if (outside(cpu, sp, size)) return 0;
  const value = size == 4 ? load32(cpu, base + sp) : load16(cpu, base + sp);
  if (!faulted(cpu)) tellStack(cpu, base + sp, size, userAccess(cpu), 0);
  sp = (sp + size) & mask;
  return value;
}

/** Drops bytes. */
export function skip(bytes: u32): void {
  sp = (sp + bytes) & mask;
}

/** Makes it the ESP. */
export function closeStack(cpu: Cpu): void {
  cpu.gpr[Gpr.ESP] = high | sp;
}

/** ENTER (SDM vol. 2), whose code tells clients of its accesses (src/instrument/helper-accesses.ts). `opsize` is 2 or 4. */
export function enter(cpu: Cpu, size: u32, nesting: u32, opsize: u32): void {
  nesting &= 31;
  size &= 0xffff;
  openCurrentStack(cpu, 0);
  const ebp = cpu.gpr[Gpr.EBP];
  if (pushUntold(cpu, ebp, opsize)) return;
  const frame = sp;
  if (nesting > 0) {
    let bp = ebp;
    for (let i: u32 = 1; i < nesting; i++) {
      bp -= opsize;
      const at = bp & mask;
      if (outside(cpu, at, opsize)) return;
      const link = opsize == 4 ? load32(cpu, base + at) : load16(cpu, base + at);
      if (faulted(cpu) || pushUntold(cpu, link, opsize)) return;
    }
    if (pushUntold(cpu, high | frame, opsize)) return;
  }
  const top = (sp - size) & mask;
  // The new top of the stack must be writable, though nothing is written there.
  if (outside(cpu, top, opsize) || probeWrite(cpu, base + top, opsize)) return;
  sp = top;
  cpu.gpr[Gpr.EBP] = opsize == 4 && mask == 0xffffffff ? frame : (ebp & (opsize == 4 ? ~mask : 0xffff0000)) | (frame & 0xffff);
  closeStack(cpu);
}
