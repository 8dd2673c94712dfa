// Where the pages were mapped that the jump caches know code of: for INVLPG, which need not touch the caches where that is as it was (Linux's mprotect
// of code that a program writes, and all of its pages of data). A cache's pages are in a table, by linear page; those that found no place
// there, and those of large pages, are in a range instead.
import {
  AREA_FETCHEDKERNEL, AREA_FETCHEDUSER, CPU_CR0, CPU_JUMPKERNELGEN, CPU_JUMPKERNELHIGH, CPU_JUMPKERNELLOCAL, CPU_JUMPKERNELLOW, CPU_JUMPUSERGEN, CPU_JUMPUSERHIGH,
  CPU_JUMPUSERLOW, FETCHED_ENTRIES, FETCHED_FRAME, FETCHED_GEN, FETCHED_PAGE, FETCHED_SIZE, TLB_GLOBAL, TLB_LARGE,
} from '../gen/layout';
import { ACCESS_EXEC, ACCESS_PEEK, ACCESS_USER, CR0_PG } from '../base/state';
import { walk, walkFrame, walkRights } from '../memory/walk';

/** Bits of Fetched.frame beside the frame. */
export const FRAME_BITS: u32 = TLB_GLOBAL | TLB_LARGE;

/** A page is in one of so many entries, from its own on. */
const WAYS: u32 = 4;

@inline
function entryOf(cpu: usize, user: bool, page: u32, way: u32): usize {
  const index = (((page * 0x9e3779b1) >>> 12) + way) & (FETCHED_ENTRIES - 1);
  return cpu + (user ? AREA_FETCHEDUSER : AREA_FETCHEDKERNEL) + index * FETCHED_SIZE;
}
@inline
function generation(cpu: usize, user: bool): u32 {
  return user ? load<u32>(cpu, CPU_JUMPUSERGEN) : load<u32>(cpu, CPU_JUMPKERNELGEN);
}

/** Makes all entries of the user's jump cache stale. */
export function flushUserJumps(cpu: usize): void {
  const gen = load<u32>(cpu, CPU_JUMPUSERGEN) + 1;
  store<u32>(cpu, gen ? gen : 1, CPU_JUMPUSERGEN);
  store<u32>(cpu, 0xfffff, CPU_JUMPUSERLOW);
  store<u32>(cpu, 0, CPU_JUMPUSERHIGH);
}

/** Makes all entries of the kernel's jump cache stale. */
export function flushKernelJumps(cpu: usize): void {
  const gen = load<u32>(cpu, CPU_JUMPKERNELGEN) + 1;
  store<u32>(cpu, gen ? gen : 1, CPU_JUMPKERNELGEN);
  store<u32>(cpu, 0, CPU_JUMPKERNELLOCAL);
  store<u32>(cpu, 0xfffff, CPU_JUMPKERNELLOW);
  store<u32>(cpu, 0, CPU_JUMPKERNELHIGH);
}

/** Makes all entries of both jump caches stale. */
export function flushJumps(cpu: usize): void {
  flushUserJumps(cpu);
  flushKernelJumps(cpu);
}

function flushOne(cpu: usize, user: bool): void {
  if (user) flushUserJumps(cpu);
  else flushKernelJumps(cpu);
}

function widen(cpu: usize, user: bool, page: u32): void {
  if (user) {
    if (page < load<u32>(cpu, CPU_JUMPUSERLOW)) store<u32>(cpu, page, CPU_JUMPUSERLOW);
    if (page > load<u32>(cpu, CPU_JUMPUSERHIGH)) store<u32>(cpu, page, CPU_JUMPUSERHIGH);
  } else {
    if (page < load<u32>(cpu, CPU_JUMPKERNELLOW)) store<u32>(cpu, page, CPU_JUMPKERNELLOW);
    if (page > load<u32>(cpu, CPU_JUMPKERNELHIGH)) store<u32>(cpu, page, CPU_JUMPKERNELHIGH);
  }
}

/** Whether the range of a jump cache has one of the pages `first` to `last`. */
function inRange(cpu: usize, user: bool, first: u32, last: u32): bool {
  return user
    ? load<u32>(cpu, CPU_JUMPUSERLOW) <= last && load<u32>(cpu, CPU_JUMPUSERHIGH) >= first
    : load<u32>(cpu, CPU_JUMPKERNELLOW) <= last && load<u32>(cpu, CPU_JUMPKERNELHIGH) >= first;
}

/** The entry of a page that a jump cache knows code of; 0: it has none in the table. */
function known(cpu: usize, user: bool, page: u32): usize {
  const gen = generation(cpu, user);
  for (let way: u32 = 0; way < WAYS; way++) {
    const entry = entryOf(cpu, user, page, way);
    if (load<u32>(entry, FETCHED_GEN) != gen) return 0;
    if (load<u32>(entry, FETCHED_PAGE) == page) return entry;
  }
  return 0;
}

/** A place for a page that is not in the table: a free entry, or else its own, whose page counts by the range from now on. */
function freeEntry(cpu: usize, user: bool, page: u32): usize {
  const gen = generation(cpu, user);
  for (let way: u32 = 0; way < WAYS; way++) {
    const entry = entryOf(cpu, user, page, way);
    if (load<u32>(entry, FETCHED_GEN) != gen) return entry;
  }
  const own = entryOf(cpu, user, page, 0);
  widen(cpu, user, load<u32>(own, FETCHED_PAGE));
  return own;
}

/** A jump cache is about to know code of a linear page. `frame`: where that is mapped, with FRAME_BITS. */
export function noteFetched(cpu: usize, user: bool, page: u32, frame: u32): void {
  const old = known(cpu, user, page);
  if (old) {
    if (load<u32>(old, FETCHED_FRAME) == frame) return;
    // Mapped elsewhere without an INVLPG: what was found before is told apart no more.
    flushOne(cpu, user);
  }
  if (frame & TLB_LARGE) widen(cpu, user, page);
  const entry = freeEntry(cpu, user, page);
  store<u32>(entry, page, FETCHED_PAGE);
  store<u32>(entry, frame, FETCHED_FRAME);
  store<u32>(entry, generation(cpu, user), FETCHED_GEN);
}

/** Makes a jump cache stale that may know code of a page. */
function flushOn(cpu: usize, user: bool, page: u32): void {
  if (known(cpu, user, page) || inRange(cpu, user, page, page)) flushOne(cpu, user);
}

/** Makes the jump caches stale that may know code of a page. Code that runs, or waits for a call's return, in their present generation was found since the last one. */
export function flushJumpsOn(cpu: usize, page: u32): void {
  flushOn(cpu, true, page);
  flushOn(cpu, false, page);
}

function flushMoved(cpu: usize, user: bool, linear: u32): void {
  const page = linear >>> 12;
  const first = (linear >>> 22) << 10;
  if (!inRange(cpu, user, first, first | 0x3ff)) {
    const entry = known(cpu, user, page);
    if (!entry || !(load<u32>(cpu, CPU_CR0) & CR0_PG)) return;
    const failure = walk(cpu, linear, ACCESS_EXEC | ACCESS_PEEK | (user ? ACCESS_USER : 0));
    if (!failure && (walkFrame | (walkRights & FRAME_BITS)) == load<u32>(entry, FETCHED_FRAME)) return;
  }
  flushOne(cpu, user);
}

/** INVLPG: makes the jump caches stale that know code of the page where that is no longer mapped as it was (a large page: that may know code in the 4 MiB around `linear`). */
export function flushJumpsAt(cpu: usize, linear: u32): void {
  flushMoved(cpu, true, linear);
  flushMoved(cpu, false, linear);
}
