// A sample for the client flame: where a CPU is, and who called that by the chain of frames that EBP begins (at EBP lies the caller's EBP, above it the address that the call comes back to).
// Guest memory is looked at as the page tables have it, and nothing of it changes: no fault is raised, nothing is marked as accessed, the TLB is left alone. A chain ends
// where it leads to what is not mapped, not aligned, or for a supervisor the user's; it leads upwards, but for a change of stacks now and then.
import { pagingOn } from '../base/state';
import { Access, Cpu, CpuArea, FLAME_COUNT_SHIFT, FLAME_DEPTH, FLAME_RECORDS, FlameInfo, Gpr, Mode, Seg, Tlb } from '../gen/layout';
import { frameOf, isMapped, physHost, walk } from '../memory/walk';

/** How often a chain may lead downwards, at least so far: to the stack of what was interrupted. */
const STACKS: u32 = 2;
const APART: u32 = 4096;

/** Linux marks the registers of what was interrupted by a frame's address without its highest bit (ENCODE_FRAME_POINTER); where some of them are. */
const MARK: u32 = 0x80000000;
const SAVED_EBP: u32 = 0x14;
const SAVED_EIP: u32 = 0x30;
const SAVED_CS: u32 = 0x34;

/** The page that was looked at last, and where it is; 0: it cannot be read. */
let knownPage: u32 = 0xffffffff;
let knownHost: usize = 0;
/** Access.USER of what is read; whether pages of the user are none of it. */
let access: u32 = 0;
let onlySupervisor: bool = false;
/** What was read last. */
let word: u32 = 0;

/** Whether a page can be read by its host address, which is known then. */
function find(cpu: Cpu, linear: u32): bool {
  const page = linear >>> 12;
  if (page != knownPage) {
    knownPage = page;
    knownHost = 0;
    let frame = linear & 0xfffff000;
    if (pagingOn(cpu)) {
      const found = walk(cpu, linear, access | Access.PEEK);
      if (!isMapped(found) || (onlySupervisor && found & Tlb.USER_READ)) return false;
      frame = frameOf(found);
    }
    knownHost = physHost(frame, false);
  }
  return knownHost != 0;
}

/** Reads the aligned word at a linear address. */
function read(cpu: Cpu, linear: u32): bool {
  if (linear & 3 || !find(cpu, linear)) return false;
  word = atomic.load<u32>(knownHost + (linear & 0xfff));
  return true;
}

/** A byte of code; -1 where there is none. */
function codeAt(cpu: Cpu, linear: u32): i32 {
  return find(cpu, linear) ? load<u8>(knownHost + (linear & 0xfff)) : -1;
}

/** Bytes of what may stand before a function's PUSH EBP: a no-operation of five bytes, which is room for a tracer, or ENDBR32; 0: none of them. `first`: the byte at `at`. */
function bytesBefore(cpu: Cpu, at: u32, first: i32): u32 {
  const second = codeAt(cpu, at + 1);
  if (first == 0x0f && second == 0x1f) return 5;
  if (first == 0x3e && second == 0x8d) return 5;
  if (first == 0xf3 && second == 0x0f && codeAt(cpu, at + 2) == 0x1e) return 4;
  return 0;
}

/** How far above ESP the return address is of a function that is about to make its frame, or to return; -1: none is. */
function bytesPushed(cpu: Cpu, here: u32): i32 {
  let first = codeAt(cpu, here);
  if (first == 0xc3 || first == 0xc2) return 0;
  // PUSH EBP; MOV EBP, ESP in either encoding.
  if ((first == 0x89 && codeAt(cpu, here + 1) == 0xe5) || (first == 0x8b && codeAt(cpu, here + 1) == 0xec))
    return codeAt(cpu, here - 1) == 0x55 ? 4 : -1;
  let at = here;
  for (let n = 0; n < 2 && first != 0x55; n++) {
    const bytes = bytesBefore(cpu, at, first);
    if (bytes == 0) return -1;
    at += bytes;
    first = codeAt(cpu, at);
  }
  return first == 0x55 ? 0 : -1;
}

/** Where an interrupted supervisor was, by a frame that marks its registers: `word` is its EIP then. The EBP; 0: there is none. */
function interrupted(cpu: Cpu, base: u32, frame: u32): u32 {
  const at = base + (frame | MARK);
  if (frame & MARK || !read(cpu, at + SAVED_CS) || word & 3 || (word & 0xffff) != cpu.seg[Seg.CS].selector) return 0;
  if (!read(cpu, at + SAVED_EBP)) return 0;
  const ebp = word;
  return read(cpu, at + SAVED_EIP) ? ebp : 0;
}

/** Samples a CPU whose registers are in memory, at Cpu.eip. `ns`, `idle`: see FlameRecord. */
export function sample(cpu: Cpu, ns: u64, idle: u64): void {
  const head = cpu.flameHead.plain;
  if (head - cpu.flameTail.load() >= FLAME_RECORDS) {
    cpu.flameLost += 1;
    return;
  }
  const record = changetype<CpuArea>(cpu).flame[head & (FLAME_RECORDS - 1)];
  const code = cpu.seg[Seg.CS].base;
  const here = code + cpu.eip;
  record.eip = here;
  record.above = 0;
  record.cr3 = cpu.cr3;
  record.ns = ns;
  record.idleNs = idle;
  record.lost = cpu.flameLost;
  let info = cpu.cpl & FlameInfo.CPL;
  let count: u32 = 0;
  if (cpu.mode & Mode.CODE32 && cpu.stackMask == 0xffffffff) {
    const stack = cpu.seg[Seg.SS].base;
    const esp = stack + cpu.gpr[Gpr.ESP];
    knownPage = 0xffffffff;
    onlySupervisor = false;
    access = cpu.mode & Mode.USER;
    const pushed = bytesPushed(cpu, here);
    if (pushed >= 0 && read(cpu, esp + pushed) && word) record.above = code + word;
    // Not where supervisors share all of their pages with the user.
    onlySupervisor = !access && pagingOn(cpu) && !(walk(cpu, esp, Access.PEEK) & Tlb.USER_READ);
    knownPage = 0xffffffff;
    let frame = cpu.gpr[Gpr.EBP];
    let stacks = STACKS;
    while (true) {
      let next: u32;
      if (read(cpu, stack + frame)) {
        next = word;
        if (!read(cpu, stack + frame + 4)) break;
      } else {
        if (access) break;
        next = interrupted(cpu, stack, frame);
        if (!next) break;
        frame = frame | MARK;
      }
      if (!word) break;
      if (count == FLAME_DEPTH) {
        info |= FlameInfo.CUT;
        break;
      }
      record.frames[count] = code + word;
      count += 1;
      if (!next) break;
      if (next <= frame && (next | MARK) <= frame) {
        if (stacks == 0 || frame - next < APART) break;
        stacks -= 1;
      }
      frame = next;
    }
  }
  record.info = info | (count << FLAME_COUNT_SHIFT);
  cpu.flameHead.store(head + 1);
}

/** The same at a safe point. */
export function sampleHere(cpu: Cpu): void {
  sample(cpu, 0, cpu.idleNs);
}
