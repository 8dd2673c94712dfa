// Where the pages were mapped that the jump caches know code of: for INVLPG, which need not touch the caches where that is as it was (Linux's mprotect
// of code that a program writes, and all of its pages of data). A cache's pages are in a table, by linear page; those that found no place
// there, and those of large pages, are in a range instead.
import { pagingOn } from '../base/state';
import { Cpu, CpuArea, FETCHED_ENTRIES, Fetched, Mode, NO_RETURN, Tlb } from '../gen/layout';
import { fetchesFrom } from '../memory/walk';
import { forgetOtherSpaces, isAsNoted, noteInSpace } from './spaces';

/** A page is in one of so many entries, from its own on. */
const WAYS: u32 = 4;

@inline
function entryOf(cpu: Cpu, user: bool, page: u32, way: u32): Fetched {
  const index = (((page * 0x9e3779b1) >>> 12) + way) & (FETCHED_ENTRIES - 1);
  const area = changetype<CpuArea>(cpu);
  return user ? area.fetchedUser[index] : area.fetchedKernel[index];
}
@inline
function generation(cpu: Cpu, user: bool): u32 {
  return user ? cpu.jumpUserGen : cpu.jumpKernelGen;
}

/** Makes all entries of the user's jump cache stale that are of this address space. */
export function flushUserJumps(cpu: Cpu): void {
  const last = cpu.jumpUserLast + 1;
  const gen = last ? last : 1;
  cpu.jumpUserLast = gen;
  cpu.jumpUserGen = gen;
  // Code of the user's that waits for a return while the kernel runs is not gone on with in any case: the mode changes on the way back.
  if (cpu.mode & Mode.USER) cpu.callReturn = NO_RETURN;
  cpu.jumpUserLow = 0xfffff;
  cpu.jumpUserHigh = 0;
}

/** Makes all entries of the kernel's jump cache stale. */
export function flushKernelJumps(cpu: Cpu): void {
  const gen = cpu.jumpKernelGen + 1;
  cpu.jumpKernelGen = gen ? gen : 1;
  cpu.callReturn = NO_RETURN;
  cpu.jumpKernelLocal = 0;
  cpu.jumpKernelLow = 0xfffff;
  cpu.jumpKernelHigh = 0;
}

/** Makes all entries of both jump caches stale, of all address spaces. */
export function flushJumps(cpu: Cpu): void {
  flushUserJumps(cpu);
  cpu.jumpUserFirst = cpu.jumpUserGen;
  flushKernelJumps(cpu);
}

function flushOne(cpu: Cpu, user: bool): void {
  if (user) flushUserJumps(cpu);
  else flushKernelJumps(cpu);
}

function widen(cpu: Cpu, user: bool, page: u32): void {
  if (user) {
    if (page < cpu.jumpUserLow) cpu.jumpUserLow = page;
    if (page > cpu.jumpUserHigh) cpu.jumpUserHigh = page;
  } else {
    if (page < cpu.jumpKernelLow) cpu.jumpKernelLow = page;
    if (page > cpu.jumpKernelHigh) cpu.jumpKernelHigh = page;
  }
}

/** Whether the range of a jump cache has one of the pages `first` to `last`. */
function inRange(cpu: Cpu, user: bool, first: u32, last: u32): bool {
  return user ? cpu.jumpUserLow <= last && cpu.jumpUserHigh >= first : cpu.jumpKernelLow <= last && cpu.jumpKernelHigh >= first;
}

/** The entry of a page that a jump cache knows code of; 0: it has none in the table. */
function known(cpu: Cpu, user: bool, page: u32): Fetched {
  const gen = generation(cpu, user);
  for (let way: u32 = 0; way < WAYS; way++) {
    const entry = entryOf(cpu, user, page, way);
    if (entry.gen != gen) return changetype<Fetched>(0);
    if (entry.page == page) return entry;
  }
  return changetype<Fetched>(0);
}

/** A place for a page that is not in the table: a free entry, or else its own, whose page counts by the range from now on. */
function freeEntry(cpu: Cpu, user: bool, page: u32): Fetched {
  const gen = generation(cpu, user);
  for (let way: u32 = 0; way < WAYS; way++) {
    const entry = entryOf(cpu, user, page, way);
    if (entry.gen != gen) return entry;
  }
  const own = entryOf(cpu, user, page, 0);
  widen(cpu, user, own.page);
  return own;
}

/** A jump cache is about to know code of a linear page. `frame`: where that is mapped, with FRAME_BITS. */
export function noteFetched(cpu: Cpu, user: bool, page: u32, frame: u32): void {
  const old = known(cpu, user, page);
  if (old) {
    if (old.frame == frame) return;
    // Mapped elsewhere without an INVLPG: what was found before is told apart no more.
    flushOne(cpu, user);
  }
  if (frame & Tlb.LARGE) widen(cpu, user, page);
  if (user) noteInSpace(cpu, page, frame);
  const entry = freeEntry(cpu, user, page);
  entry.page = page;
  entry.frame = frame;
  entry.gen = generation(cpu, user);
}

/** Makes a jump cache stale that may know code of a page. */
function flushOn(cpu: Cpu, user: bool, page: u32): void {
  if (known(cpu, user, page) || inRange(cpu, user, page, page)) flushOne(cpu, user);
}

/** Makes the jump caches stale that may know code of a page. Code that runs, or waits for a call's return, in their present generation was found since the last one. */
export function flushJumpsOn(cpu: Cpu, page: u32): void {
  forgetOtherSpaces(cpu);
  flushOn(cpu, true, page);
  flushOn(cpu, false, page);
}

function flushMoved(cpu: Cpu, user: bool, linear: u32): void {
  const page = linear >>> 12;
  const first = (linear >>> 22) << 10;
  if (!inRange(cpu, user, first, first | 0x3ff)) {
    const entry = known(cpu, user, page);
    if (!entry || !pagingOn(cpu)) return;
    if (fetchesFrom(cpu, linear, user, entry.frame)) return;
  } else if (user && isAsNoted(cpu)) return;
  flushOne(cpu, user);
}

/** INVLPG: makes the jump caches stale that know code of the page where that is no longer mapped as it was (a large page: that may know code in the 4 MiB around `linear`). */
export function flushJumpsAt(cpu: Cpu, linear: u32): void {
  flushMoved(cpu, true, linear);
  flushMoved(cpu, false, linear);
}
