// What the user's jump cache knows of the address spaces that a CPU was in. Processes take turns, and each comes back to code that it ran before: where the words of its page
// tables by which that was found are as they were, no page has moved, and the entries of the cache count once more. SDM vol. 3, 4.10.4: a load of CR3 forgets
// translations, so that what is in memory then counts, whoever changed it meanwhile; it is looked at here.
import { pagingOn } from '../base/state';
import { Cpu, CpuArea, Cr4, SPACE_ENTRIES, SPACE_UNKNOWN, SPACES, Space, SpaceEntry } from '../gen/layout';
import { directory, directoryAt, fetchesFrom, findEntries, leaf, leafAt, pointer, pointerAt } from '../memory/walk';
import { isLiveUser } from './jumps';

@inline
function spaceAt(cpu: Cpu, index: u32): Space {
  return changetype<CpuArea>(cpu).spaces[index];
}

@inline
function entryAt(cpu: Cpu, index: u32, k: u32): SpaceEntry {
  return changetype<CpuArea>(cpu).spaceEntries[index * SPACE_ENTRIES + k];
}

/** Whether what led to all code of an address space is in memory as it was. */
function isUnchanged(cpu: Cpu, index: u32): bool {
  const count = spaceAt(cpu, index).count;
  if (count == SPACE_UNKNOWN) return false;
  for (let k: u32 = 0; k < count; k++) {
    const entry = entryAt(cpu, index, k);
    if (atomic.load<u32>(entry.at) != entry.value) return false;
  }
  return true;
}

/** CR3 was loaded: true where the user's jump cache knows code of that address space, and goes on with it. */
export function enterSpace(cpu: Cpu): bool {
  const cr3 = cpu.cr3;
  const entered = cpu.spacesEntered + 1;
  cpu.spacesEntered = entered;
  let last: u32 = 0;
  for (let index: u32 = 0; index < SPACES; index++) {
    const space = spaceAt(cpu, index);
    if (space.cr3 == cr3 && isLiveUser(cpu, space.gen)) {
      cpu.space = index;
      space.used = entered;
      if (!isUnchanged(cpu, index)) return false;
      if (space.gen != cpu.jumpUserGen) {
        cpu.jumpUserGen = space.gen;
        // Its pages may be in the table of Fetched no more.
        cpu.jumpUserLow = space.low;
        cpu.jumpUserHigh = space.high;
      }
      return true;
    }
    if (entered - space.used > entered - spaceAt(cpu, last).used) last = index;
  }
  cpu.space = last;
  spaceAt(cpu, last).used = entered;
  return false;
}

/** Whether all that the user's jump cache knows of the address space the CPU is in is mapped as it was. */
export function isAsNoted(cpu: Cpu): bool {
  const index = cpu.space;
  return spaceAt(cpu, index).gen == cpu.jumpUserGen && isUnchanged(cpu, index);
}

/** None is gone on with but the one the CPU is in. */
export function forgetOtherSpaces(cpu: Cpu): void {
  for (let index: u32 = 0; index < SPACES; index++) {
    const space = spaceAt(cpu, index);
    if (space.gen != cpu.jumpUserGen) space.gen = 0;
  }
}

/** Keeps what was in the word at a host address; false: there is no room, or something else was kept of it. */
function keep(cpu: Cpu, index: u32, at: usize, value: u32): bool {
  const space = spaceAt(cpu, index);
  const count = space.count;
  for (let k: u32 = 0; k < count; k++) {
    const entry = entryAt(cpu, index, k);
    if (entry.at == <u32>at) return entry.value == value;
  }
  if (count == SPACE_ENTRIES) return false;
  const entry = entryAt(cpu, index, count);
  entry.at = <u32>at;
  entry.value = value;
  space.count = count + 1;
  return true;
}

/** The same of an entry of a page table, of four bytes or eight. `at` 0: there is none. */
function keepEntry(cpu: Cpu, index: u32, at: usize, value: u64): bool {
  if (at == 0) return true;
  return keep(cpu, index, at, <u32>value) && (!(cpu.cr4 & Cr4.PAE) || keep(cpu, index, at + 4, <u32>(value >>> 32)));
}

function keepPage(cpu: Cpu, index: u32, page: u32, frame: u32): bool {
  const linear = page << 12;
  if (!pagingOn(cpu) || !findEntries(cpu, linear)) return false;
  if (!keepEntry(cpu, index, pointerAt, pointer) || !keepEntry(cpu, index, directoryAt, directory) || !keepEntry(cpu, index, leafAt, leaf))
    return false;
  // Behind that: what changes from here on is no longer as it was kept. And the TLB may know what memory says no more.
  return fetchesFrom(cpu, linear, true, frame);
}

/** The user's jump cache is about to know code of a linear page that it knew none of. `frame`: where that is mapped, with FRAME_BITS. */
export function noteInSpace(cpu: Cpu, page: u32, frame: u32): void {
  const index = cpu.space;
  const space = spaceAt(cpu, index);
  if (space.gen != cpu.jumpUserGen) {
    space.cr3 = cpu.cr3;
    space.gen = cpu.jumpUserGen;
    space.count = 0;
    space.low = page;
    space.high = page;
  }
  if (page < space.low) space.low = page;
  if (page > space.high) space.high = page;
  if (space.count != SPACE_UNKNOWN && !keepPage(cpu, index, page, frame)) space.count = SPACE_UNKNOWN;
}
