// When one CPU needs the memory for itself: locked accesses that no atomic instruction of the host can do (they cross an
// alignment boundary, or change code), and taking the right to write a page with code from everybody.
//
// A CPU that holds something which it found in its TLB (a host address between the look-up and the access, a copy of an entry
// in a region's locals) holds it only between two of its safe points: a poll, HLT, the run loop in JavaScript. At those it can be
// parked (Cpu.parked). `begin` takes the mutex Control.exclusive, asks every other CPU to park (Pending.HOLD) and waits until all
// have; `end` lets them go. In between nobody but the holder touches guest memory or a TLB, so what it changes in other CPUs' TLBs
// is seen by their next look-up, and no store is on its way that was looked up before.
//
// Why no CPU slips through: a CPU leaves the parked state by `unpark` alone, which first clears Cpu.parked and then looks at
// Pending.HOLD; `begin` first sets HOLD and then looks at Cpu.parked. Both orders are of atomic, sequentially consistent accesses, so
// at least one of the two sees the other: either `unpark` parks again, or `begin` goes on waiting.
//
// Why nobody waits for ever: who waits for the mutex or for the others is parked itself, and holds nothing (no device lock: the
// locked instruction and the decoder touch no device in between). A CPU that runs meets a poll after a bounded number of
// instructions; one that is inside a device comes back, as devices wait for the host's threads alone. Lockstep machines run one
// CPU at a time: it always has the memory for itself.

import { faulted } from '../base/fault';
import { userAccess } from '../base/state';
import { enterSlow, leaveSlow } from '../engine/costs';
import { Access, Cpu, control, PAGE_HAS_CODE, PAGE_MARK, Pending, RAM, SLICE_OVER, SlowPath } from '../gen/layout';
import { POLLED } from '../system/held';
import { probe, readSlow, writeSlow } from './access';
import { enterCode, forgetStoresBeside, giveMap, hasStoresBeside, onlyCpu, pageMeta, staysBesideCode } from './codepage';
import { learnLinear } from './direct-access';
import { foundCode, foundHost, foundPhys, protectPage, resolve } from './tlb';
import { isWatched } from './watch';

/** Nobody sleeps longer than this without looking whether the machine stops (ns). */
const CHECK_NS: i64 = 20_000_000;
/** How long a CPU that spins lets others have its core (ns). */
const PAUSE: i64 = 50_000;
const SPINS: i32 = 200;

@inline
function cpuAt(n: u32): Cpu {
  return changetype<Cpu>(control.cpus + n * control.cpuStride);
}

@inline
function stopping(): bool {
  return control.stop.load() != 0;
}

/** From here to unpark() this CPU touches no guest memory and trusts nothing that it found in its TLB. */
export function park(cpu: Cpu): void {
  cpu.parked.store(1);
  cpu.parked.notify(-1);
}

/** Goes on as soon as nobody holds this CPU. (One that was not parked parks as long as it is held.) */
export function unpark(cpu: Cpu): void {
  while (true) {
    cpu.parked.store(0);
    if (!(cpu.pending.load() & Pending.HOLD)) return;
    park(cpu);
    while (cpu.pending.load() & Pending.HOLD && !stopping()) control.exclusive.wait(1, CHECK_NS);
    if (stopping()) {
      cpu.parked.store(0);
      return;
    }
  }
}

/** Has the memory for itself when it comes back (or the machine stops). Only at a safe point, or where nothing found before is used after. */
export function begin(cpu: Cpu): void {
  if (onlyCpu()) return;
  const since = enterSlow(cpu, SlowPath.EXCLUSIVE);
  awaitOthers(cpu);
  leaveSlow(cpu, SlowPath.EXCLUSIVE, since);
}

function awaitOthers(cpu: Cpu): void {
  park(cpu);
  while (control.exclusive.compareExchange(0, 1) != 0) {
    if (stopping()) break;
    control.exclusive.wait(1, CHECK_NS);
  }
  const count = control.cpuCount;
  for (let n: u32 = 0; n < count; n++) {
    const other = cpuAt(n);
    if (other == cpu) continue;
    other.pending.or(Pending.HOLD);
    // It may sleep for a moment in a loop that spins.
    if (!other.parked.load()) other.pending.notify(1);
  }
  for (let n: u32 = 0; n < count; n++) {
    const other = cpuAt(n);
    if (other == cpu) continue;
    for (let spins = 0; !other.parked.load() && !stopping(); spins++) {
      if (spins > SPINS) other.parked.wait(0, CHECK_NS);
    }
  }
}

/** Lets the others go. */
export function end(cpu: Cpu): void {
  if (onlyCpu()) return;
  const count = control.cpuCount;
  for (let n: u32 = 0; n < count; n++) {
    const other = cpuAt(n);
    if (other == cpu) continue;
    other.pending.and(~Pending.HOLD);
  }
  control.exclusive.store(0);
  control.exclusive.notify(-1);
  // Somebody else may have the mutex by now, and have asked this CPU to park.
  unpark(cpu);
}

/**
 * This CPU holds code of `bytes` bytes at `phys`, all in one page of RAM: from now on whoever stores to them tells this CPU. (What was decoded must be looked at
 * once more behind this. Installing goes on parked.) The page's flag is set while all other CPUs are parked, so when it is seen set, no store can be on its way that was looked up
 * before it was.
 */
export function markCode(cpu: Cpu, phys: u32, bytes: u32): void {
  const meta = pageMeta(phys);
  if (!(meta.flags.add(PAGE_MARK) & PAGE_HAS_CODE)) {
    const parked = cpu.parked.plain;
    begin(cpu);
    if (!(meta.flags.load() & PAGE_HAS_CODE)) {
      giveMap(phys);
      meta.flags.or(PAGE_HAS_CODE);
      const count = control.cpuCount;
      for (let n: u32 = 0; n < count; n++) protectPage(cpuAt(n), phys >>> 12);
    }
    end(cpu);
    if (parked) park(cpu);
  }
  enterCode(phys, bytes);
  awaitStores(cpu, phys);
}

/**
 * Code was entered in the map of a page with code: when this comes back, the stores of others that did not look behind that are done. Their CPUs have been parked, so each found
 * its bytes to be no code before that, and looks again. Called by CPUs that are parked as well: installing goes on meanwhile.
 */
export function awaitStores(cpu: Cpu, phys: u32): void {
  if (onlyCpu() || !hasStoresBeside(phys)) return;
  const parked = cpu.parked.plain;
  begin(cpu);
  forgetStoresBeside(phys);
  end(cpu);
  if (parked) park(cpu);
}

/** Host address of `bytes` bytes for an atomic access. 0: a fault was raised, or it is none of aligned RAM without code. */
export function lockedHost(cpu: Cpu, linear: u32, bytes: u32, region: u32, eip: u32): u32 {
  cpu.eip = eip;
  const user = userAccess(cpu);
  if (probe(cpu, linear, bytes, user | Access.WRITE | (region ? Access.REGION : 0))) return 0;
  // A step notes which data breakpoints it hits, through the slow paths; outside of one the probe found that there is none.
  if (linear & (bytes - 1) || (cpu.watch && cpu.stepArmed && isWatched(cpu, linear, 0))) return 0;
  if (resolve(cpu, linear, user | Access.WRITE)) return 0;
  if (foundCode && !staysBesideCode(foundPhys, bytes)) return 0;
  if (foundHost < RAM) return 0;
  if (!foundCode && !user) learnLinear(cpu, linear, foundHost);
  return <u32>foundHost;
}

/** The load of a locked instruction for which lockedHost had no address. Other CPUs are kept away until the store, unless it is a device's. */
function lockedLoad(cpu: Cpu, linear: u32, bytes: u32): u64 {
  const user = userAccess(cpu);
  if (resolve(cpu, linear, user | Access.WRITE)) return 0;
  if (foundHost >= RAM) {
    begin(cpu);
    cpu.exclusive = 1;
    // Somebody may have decoded code there before the others were parked: the entry that was found then is worth nothing now.
  }
  const value = readSlow(cpu, linear, bytes, user | Access.WRITE);
  if (faulted(cpu)) release(cpu);
  return value;
}

function lockedStore(cpu: Cpu, linear: u32, value: u64, bytes: u32): void {
  writeSlow(cpu, linear, value, bytes, userAccess(cpu));
  release(cpu);
}

function release(cpu: Cpu): void {
  if (!cpu.exclusive) return;
  cpu.exclusive = 0;
  end(cpu);
}

export function lockedLoad8(cpu: Cpu, linear: u32): u32 {
  return <u32>lockedLoad(cpu, linear, 1);
}
export function lockedLoad16(cpu: Cpu, linear: u32): u32 {
  return <u32>lockedLoad(cpu, linear, 2);
}
export function lockedLoad32(cpu: Cpu, linear: u32): u32 {
  return <u32>lockedLoad(cpu, linear, 4);
}
export function lockedLoad64(cpu: Cpu, linear: u32): u64 {
  return lockedLoad(cpu, linear, 8);
}
export function lockedStore8(cpu: Cpu, linear: u32, value: u32): void {
  lockedStore(cpu, linear, value, 1);
}
export function lockedStore16(cpu: Cpu, linear: u32, value: u32): void {
  lockedStore(cpu, linear, value, 2);
}
export function lockedStore32(cpu: Cpu, linear: u32, value: u32): void {
  lockedStore(cpu, linear, value, 4);
}
export function lockedStore64(cpu: Cpu, linear: u32, value: u64): void {
  lockedStore(cpu, linear, value, 8);
}

/** PAUSE: a CPU that spins for long lets another thread of the host have its core, until something is pending. */
export function relax(cpu: Cpu): void {
  // In lockstep nobody else runs before this CPU's slice is over.
  if (control.lockstep) cpu.budget = SLICE_OVER;
  const pauses = cpu.pauses + 1;
  cpu.pauses = pauses;
  if (pauses & control.pauseMask) return;
  const pending = cpu.pending.load();
  if (!(pending & POLLED)) cpu.pending.wait(pending, PAUSE);
}
