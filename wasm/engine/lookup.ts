// From a guest EIP to code: instruction-fetch translation, the hash table of decoded blocks, the jump caches.

import { raiseError, raisePage } from '../base/fault';
import { pagingOn, userAccess } from '../base/state';
import {
  Access,
  BLOCK_HASH_BITS,
  BlockHead,
  Cpu,
  Cr4,
  Exit,
  Mode,
  RAM,
  Seg,
  SlowPath,
  Step,
  TLB_WATCHED_SHIFT,
  Tlb,
  Vector,
} from '../gen/layout';
import { EFER_NXE, errorOf, FRAME_BITS, frameOf, isMapped, MSR_SLOT_EFER, walk } from '../memory/walk';
import { breaksInside, isBreakPage } from '../memory/watch';
import { codeHits } from '../system/debug';
import { enterSlow, leaveSlow } from './costs';
import { noteFetched } from './fetched';
import { noteBlock } from './history';
import { fillJump, takeBack } from './jumps';
import { notePlace, ownMask } from './places';

/** Where findBlock found the page of EIP, and the one behind it where the block runs into that (else the same), each with FRAME_BITS. */
let firstFrame: u32 = 0;
let lastFrame: u32 = 0;

/** In the place of the physical address of a fetch: there is none, and the low half is the error code of the #PF. (No address says so: each of the 2^32 is one.) */
const NO_FETCH: u64 = 1 << 63;

/** Physical address for an instruction fetch, in the low half, and what of FRAME_BITS its page has, in the high half; or NO_FETCH. Raises nothing. */
function fetchAddress(cpu: Cpu, linear: u32): u64 {
  if (!pagingOn(cpu)) return linear;
  const user = userAccess(cpu);
  const nx = cpu.cr4 & Cr4.PAE && <u32>cpu.msr[MSR_SLOT_EFER] & EFER_NXE;
  if (!nx) {
    const word = load<u32>(cpu.tlb + ((linear >>> 12) << 2));
    const host = linear + (word & 0xfffff000);
    const right = Tlb.KERNEL_READ << (user >>> 1);
    if (word & (right | (right << TLB_WATCHED_SHIFT)) && host >= RAM) return ((<u64>(word & FRAME_BITS)) << 32) | (host - RAM);
  }
  const found = walk(cpu, linear, user | Access.EXEC);
  if (!isMapped(found)) return NO_FETCH | errorOf(found);
  return ((<u64>(found & FRAME_BITS)) << 32) | frameOf(found) | (linear & 0xfff);
}

@inline
function isFetched(found: u64): bool {
  return <i64>found >= 0;
}

/** The frame of a fetch, with FRAME_BITS. */
@inline
function fetchedFrame(found: u64): u32 {
  return frameOf(<u32>found) | <u32>(found >>> 32);
}

/** Physical address for an instruction fetch at the current privilege level. Where there is none, #PF is raised. */
export function translateExec(cpu: Cpu, linear: u32): u32 {
  const found = fetchAddress(cpu, linear);
  if (!isFetched(found)) raisePage(cpu, linear, <u32>found);
  return <u32>found;
}

/** The same; -1: there is none, and nothing is raised. */
export function codeAddress(cpu: Cpu, linear: u32): f64 {
  const found = fetchAddress(cpu, linear);
  return isFetched(found) ? f64(<u32>found) : -1;
}

/** Index into the table at Cpu.blockHash. By all that identifies a block. */
export function blockHashIndex(phys: u32, eip: u32, mode: u32): u32 {
  return ((phys * 0x9e3779b1) ^ ((eip >>> 12) * 0x85ebca6b) ^ (mode * 0xc2b2ae35)) >>> (32 - BLOCK_HASH_BITS);
}

/** Head of the decoded block at CS:EIP, or 0: none is known, or a fault was raised (also for an EIP beyond the limit of CS:
 * code that is in the limit with its first byte only is decoded as the #GP(0) that it is). */
export function findBlock(cpu: Cpu): BlockHead {
  const eip = cpu.eip;
  if (eip > cpu.seg[Seg.CS].limit) {
    raiseError(cpu, Vector.GP, 0);
    return changetype<BlockHead>(0);
  }
  const linear = cpu.seg[Seg.CS].base + eip;
  const found = fetchAddress(cpu, linear);
  const phys = <u32>found;
  if (!isFetched(found)) {
    raisePage(cpu, linear, phys);
    return changetype<BlockHead>(0);
  }
  firstFrame = lastFrame = fetchedFrame(found);
  let mode = cpu.mode;
  if (!(mode & Mode.STEP) && isBreakPage(cpu, linear)) mode |= Mode.BREAK;
  const own = eip & ownMask(mode);
  let head = changetype<BlockHead>(load<u32>(cpu.blockHash + (blockHashIndex(phys, own, mode) << 2)));
  while (head) {
    if (head.phys == phys && head.eip == own && head.mode == mode) {
      const last = head.lastPage;
      if (mode & Mode.BREAK && breaksInside(cpu, head, linear)) {
        head = changetype<BlockHead>(head.hashNext);
        continue;
      }
      if (last == phys >>> 12) break;
      // The block runs into the next linear page: it is only this block if that page is mapped where it was.
      const next = fetchAddress(cpu, (linear & 0xfffff000) + 0x1000);
      if (isFetched(next) && <u32>next >>> 12 == last) {
        lastFrame = fetchedFrame(next);
        return head;
      }
    }
    head = changetype<BlockHead>(head.hashNext);
  }
  return head;
}

/** For the dispatcher, which asks the jump cache again where this is not 0. */
export function lookup(cpu: Cpu): u32 {
  return takeBack(cpu) ? 1 : lookupBlock(cpu);
}

/** findBlock, and an entry in the jump cache. 0 without a fault: Cpu.exit is Exit.LOOKUP. At an instruction breakpoint 1, and the instruction there is to be run alone. */
export function lookupBlock(cpu: Cpu): u32 {
  const since = enterSlow(cpu, SlowPath.LOOKUP);
  const found = lookedUp(cpu);
  leaveSlow(cpu, SlowPath.LOOKUP, since);
  return found;
}

function lookedUp(cpu: Cpu): u32 {
  const at = cpu.seg[Seg.CS].base + cpu.eip;
  if (isBreakPage(cpu, at) && codeHits(cpu, at)) {
    cpu.step |= Step.BAIL;
    return 1;
  }
  const head = findBlock(cpu);
  if (!head) {
    if (cpu.fault == 0) cpu.exit = Exit.LOOKUP;
    return 0;
  }
  const eip = cpu.eip;
  noteBlock(cpu, eip);
  const page = (cpu.seg[Seg.CS].base + eip) >>> 12;
  const user = (cpu.mode & Mode.USER) != 0;
  noteFetched(cpu, user, page, firstFrame);
  if (head.lastPage != head.phys >>> 12) noteFetched(cpu, user, (page + 1) & 0xfffff, lastFrame);
  if (!user && !(firstFrame & lastFrame & Tlb.GLOBAL)) cpu.jumpKernelLocal = 1;
  const region = head.region;
  notePlace(cpu, head);
  fillJump(cpu, region ? region : head.handler, region ? region : changetype<u32>(head));
  return changetype<u32>(head);
}
