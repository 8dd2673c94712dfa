// From a guest EIP to code: instruction-fetch translation, the hash table of decoded blocks, the jump caches.
import {
  BLOCK_HASH_BITS, CPU_BLOCKHASH, CPU_CR0, CPU_CR4, CPU_EIP, CPU_EXIT, CPU_FAULT, CPU_STEP, CPU_JUMPKERNEL, CPU_JUMPKERNELGEN,
  CPU_JUMPKERNELLOCAL, CPU_JUMPUSER, CPU_JUMPUSERGEN, CPU_MODE,
  CPU_MSR, CPU_TLB, EXIT_LOOKUP, HEAD_EIP, HEAD_HANDLER, HEAD_HASHNEXT, HEAD_LASTPAGE, HEAD_MODE, HEAD_PHYS, HEAD_REGION, JUMP_ARG,
  JUMP_EIP, JUMP_ENTRIES, JUMP_FUNC, JUMP_GEN, JUMP_SIZE, MODE_BREAK, MODE_STEP, MODE_USER, RAM, SEG_BASE, SEG_CS, SEG_LIMIT, STEP_BAIL, TLB_GLOBAL, TLB_KERNEL_READ, TLB_WATCHED_SHIFT, VECTOR_GP,
} from '../gen/layout';
import { FRAME_BITS, noteFetched } from './fetched';
import { raiseError, raisePage } from '../base/fault';
import { codeHits } from '../system/debug';
import { noteBlock } from './history';
import { ACCESS_EXEC, CR0_PG, CR4_PAE, segAt, userAccess } from '../base/state';
import { breaksInside, isBreakPage } from '../memory/watch';
import { EFER_NXE, MSR_SLOT_EFER, WALK_FAILED, walk, walkFrame, walkRights } from '../memory/walk';

/** Whether the page of the last fetch translation is global, and large: FRAME_BITS. */
let fetchBits: u32 = 0;
/** Where findBlock found the page of EIP, and the one behind it where the block runs into that (else the same), each with FRAME_BITS. */
let firstFrame: u32 = 0;
let lastFrame: u32 = 0;
/** Whether the last fetch translation failed. No address says so: each of the 2^32 is one. */
let fetchFailed: bool = false;
/** Why it failed: error code of the #PF. */
let fetchError: u32 = 0;

/** Physical address for an instruction fetch, or fetchFailed and fetchError. Raises nothing. */
function fetchAddress(cpu: usize, linear: u32): u32 {
  fetchBits = 0;
  fetchFailed = false;
  if (!(load<u32>(cpu, CPU_CR0) & CR0_PG)) return linear;
  const user = userAccess(cpu);
  const nx = load<u32>(cpu, CPU_CR4) & CR4_PAE && load<u32>(cpu + MSR_SLOT_EFER * 8, CPU_MSR) & EFER_NXE;
  if (!nx) {
    const word = load<u32>(load<u32>(cpu, CPU_TLB) + ((linear >>> 12) << 2));
    const host = linear + (word & 0xfffff000);
    const right = TLB_KERNEL_READ << (user >>> 1);
    if (word & (right | (right << TLB_WATCHED_SHIFT)) && host >= RAM) {
      fetchBits = word & FRAME_BITS;
      return host - RAM;
    }
  }
  const failure = walk(cpu, linear, user | ACCESS_EXEC);
  if (failure) {
    fetchFailed = true;
    fetchError = failure & ~WALK_FAILED;
    return 0;
  }
  fetchBits = walkRights & FRAME_BITS;
  return walkFrame | (linear & 0xfff);
}

/** Physical address for an instruction fetch at the current privilege level. Where there is none, #PF is raised. */
export function translateExec(cpu: usize, linear: u32): u32 {
  const phys = fetchAddress(cpu, linear);
  if (fetchFailed) raisePage(cpu, linear, fetchError);
  return phys;
}

/** The same; -1: there is none, and nothing is raised. */
export function codeAddress(cpu: usize, linear: u32): f64 {
  const phys = fetchAddress(cpu, linear);
  return fetchFailed ? -1 : f64(phys);
}

/** Index into the table at Cpu.blockHash. By all that identifies a block: some code (the vDSO) is mapped at another address in every process. */
export function blockHashIndex(phys: u32, eip: u32, mode: u32): u32 {
  return ((phys * 0x9e3779b1) ^ ((eip >>> 12) * 0x85ebca6b) ^ (mode * 0xc2b2ae35)) >>> (32 - BLOCK_HASH_BITS);
}

/** Head of the decoded block at CS:EIP, or 0: none is known, or a fault was raised (also for an EIP beyond the limit of CS:
 * code that is in the limit with its first byte only is decoded as the #GP(0) that it is). */
export function findBlock(cpu: usize): u32 {
  const eip = load<u32>(cpu, CPU_EIP);
  if (eip > load<u32>(segAt(cpu, SEG_CS), SEG_LIMIT)) {
    raiseError(cpu, VECTOR_GP, 0);
    return 0;
  }
  const linear = load<u32>(segAt(cpu, SEG_CS), SEG_BASE) + eip;
  const phys = translateExec(cpu, linear);
  if (fetchFailed) return 0;
  firstFrame = lastFrame = (phys & 0xfffff000) | fetchBits;
  let mode = load<u32>(cpu, CPU_MODE);
  if (!(mode & MODE_STEP) && isBreakPage(cpu, linear)) mode |= MODE_BREAK;
  let head = load<u32>(load<u32>(cpu, CPU_BLOCKHASH) + (blockHashIndex(phys, eip, mode) << 2));
  while (head) {
    if (load<u32>(head, HEAD_PHYS) == phys && load<u32>(head, HEAD_EIP) == eip && load<u32>(head, HEAD_MODE) == mode) {
      const last = load<u32>(head, HEAD_LASTPAGE);
      if (mode & MODE_BREAK && breaksInside(cpu, head, linear)) {
        head = load<u32>(head, HEAD_HASHNEXT);
        continue;
      }
      if (last == phys >>> 12) break;
      // The block runs into the next linear page: it is only this block if that page is mapped where it was.
      const next = fetchAddress(cpu, (linear & 0xfffff000) + 0x1000);
      if (!fetchFailed && next >>> 12 == last) {
        lastFrame = (next & 0xfffff000) | fetchBits;
        return head;
      }
    }
    head = load<u32>(head, HEAD_HASHNEXT);
  }
  return head;
}

/** findBlock, and an entry in the jump cache. 0 without a fault: Cpu.exit is EXIT_LOOKUP. At an instruction breakpoint not 0, and the instruction there is to be run alone. */
export function lookup(cpu: usize): u32 {
  const at = load<u32>(segAt(cpu, SEG_CS), SEG_BASE) + load<u32>(cpu, CPU_EIP);
  if (isBreakPage(cpu, at) && codeHits(cpu, at)) {
    store<u32>(cpu, load<u32>(cpu, CPU_STEP) | STEP_BAIL, CPU_STEP);
    return 1;
  }
  const head = findBlock(cpu);
  if (head == 0) {
    if (load<u32>(cpu, CPU_FAULT) == 0) store<u32>(cpu, EXIT_LOOKUP, CPU_EXIT);
    return 0;
  }
  const eip = load<u32>(cpu, CPU_EIP);
  noteBlock(cpu, eip);
  const index = (eip ^ (eip >>> 12)) & (JUMP_ENTRIES - 1);
  const page = (load<u32>(segAt(cpu, SEG_CS), SEG_BASE) + eip) >>> 12;
  const user = (load<u32>(cpu, CPU_MODE) & MODE_USER) != 0;
  noteFetched(cpu, user, page, firstFrame);
  if (load<u32>(head, HEAD_LASTPAGE) != load<u32>(head, HEAD_PHYS) >>> 12) noteFetched(cpu, user, (page + 1) & 0xfffff, lastFrame);
  let entry: usize;
  if (user) {
    entry = load<u32>(cpu, CPU_JUMPUSER) + index * JUMP_SIZE;
    store<u32>(entry, load<u32>(cpu, CPU_JUMPUSERGEN), JUMP_GEN);
  } else {
    entry = load<u32>(cpu, CPU_JUMPKERNEL) + index * JUMP_SIZE;
    store<u32>(entry, load<u32>(cpu, CPU_JUMPKERNELGEN), JUMP_GEN);
    if (!(firstFrame & lastFrame & TLB_GLOBAL)) store<u32>(cpu, 1, CPU_JUMPKERNELLOCAL);
  }
  const region = load<u32>(head, HEAD_REGION);
  store<u32>(entry, eip, JUMP_EIP);
  store<u32>(entry, region ? region : load<u32>(head, HEAD_HANDLER), JUMP_FUNC);
  store<u32>(entry, region ? region : head, JUMP_ARG);
  return head;
}
