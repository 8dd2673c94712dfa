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
import {
  CONTROL, CONTROL_CPUCOUNT, CONTROL_CPUS, CONTROL_CPUSTRIDE, CONTROL_EXCLUSIVE, CONTROL_LOCKSTEP, CONTROL_PAUSEMASK, CONTROL_STOP, CPU_BUDGET, CPU_EIP, CPU_EXCLUSIVE, CPU_PARKED,
  CPU_PAUSES, CPU_PENDING, CPU_STEPARMED, CPU_WATCH, PAGEMETA_FLAGS, PAGE_HAS_CODE, PAGE_MARK, PENDING_HOLD, RAM,
} from '../gen/layout';
import { probe, readSlow, writeSlow } from './access';
import { alone, enterCode, forgetStoresBeside, giveMap, hasStoresBeside, pageMeta, staysBesideCode } from './codepage';
import { faulted } from '../base/fault';
import { POLLED } from '../system/held';
import { ACCESS_REGION, ACCESS_WRITE, userAccess } from '../base/state';
import { foundCode, foundHost, foundPhys, protectPage, resolve } from './tlb';
import { isWatched } from './watch';

/** Nobody sleeps longer than this without looking whether the machine stops (ns). */
const LOOK: i64 = 20_000_000;
/** How long a CPU that spins lets others have its core (ns). */
const PAUSE: i64 = 50_000;
const SPINS: i32 = 200;

@inline
function cpuAt(n: u32): usize {
  return load<u32>(CONTROL, CONTROL_CPUS) + n * load<u32>(CONTROL, CONTROL_CPUSTRIDE);
}

@inline
function stopping(): bool {
  return atomic.load<u32>(CONTROL, CONTROL_STOP) != 0;
}

/** From here to unpark() this CPU touches no guest memory and trusts nothing that it found in its TLB. */
export function park(cpu: usize): void {
  atomic.store<u32>(cpu, 1, CPU_PARKED);
  atomic.notify(cpu + CPU_PARKED, -1);
}

/** Goes on as soon as nobody holds this CPU. (One that was not parked parks as long as it is held.) */
export function unpark(cpu: usize): void {
  while (true) {
    atomic.store<u32>(cpu, 0, CPU_PARKED);
    if (!(atomic.load<u32>(cpu, CPU_PENDING) & PENDING_HOLD)) return;
    park(cpu);
    while (atomic.load<u32>(cpu, CPU_PENDING) & PENDING_HOLD && !stopping()) atomic.wait<u32>(CONTROL + CONTROL_EXCLUSIVE, 1, LOOK);
    if (stopping()) {
      atomic.store<u32>(cpu, 0, CPU_PARKED);
      return;
    }
  }
}

/** Has the memory for itself when it comes back (or the machine stops). Only at a safe point, or where nothing found before is used after. */
export function begin(cpu: usize): void {
  if (alone()) return;
  park(cpu);
  while (atomic.cmpxchg<u32>(CONTROL, 0, 1, CONTROL_EXCLUSIVE) != 0) {
    if (stopping()) break;
    atomic.wait<u32>(CONTROL + CONTROL_EXCLUSIVE, 1, LOOK);
  }
  const count = load<u32>(CONTROL, CONTROL_CPUCOUNT);
  for (let n: u32 = 0; n < count; n++) {
    const other = cpuAt(n);
    if (other == cpu) continue;
    atomic.or<u32>(other, PENDING_HOLD, CPU_PENDING);
    // It may sleep for a moment in a loop that spins.
    if (!atomic.load<u32>(other, CPU_PARKED)) atomic.notify(other + CPU_PENDING, 1);
  }
  for (let n: u32 = 0; n < count; n++) {
    const other = cpuAt(n);
    if (other == cpu) continue;
    for (let spins = 0; !atomic.load<u32>(other, CPU_PARKED) && !stopping(); spins++) {
      if (spins > SPINS) atomic.wait<u32>(other + CPU_PARKED, 0, LOOK);
    }
  }
}

/** Lets the others go. */
export function end(cpu: usize): void {
  if (alone()) return;
  const count = load<u32>(CONTROL, CONTROL_CPUCOUNT);
  for (let n: u32 = 0; n < count; n++) {
    const other = cpuAt(n);
    if (other == cpu) continue;
    atomic.and<u32>(other, ~PENDING_HOLD, CPU_PENDING);
  }
  atomic.store<u32>(CONTROL, 0, CONTROL_EXCLUSIVE);
  atomic.notify(CONTROL + CONTROL_EXCLUSIVE, -1);
  // Somebody else may have the mutex by now, and have asked this CPU to park.
  unpark(cpu);
}

/**
 * This CPU holds code of `bytes` bytes at `phys`, all in one page of RAM: from now on whoever stores to them tells this CPU. (What was decoded must be looked at
 * once more behind this.) The page's flag is set while all other CPUs are parked, so when it is seen set, no store can be on its way that was looked up
 * before it was.
 */
export function markCode(cpu: usize, phys: u32, bytes: u32): void {
  const meta = pageMeta(phys);
  if (!(atomic.add<u32>(meta, PAGE_MARK, PAGEMETA_FLAGS) & PAGE_HAS_CODE)) {
    begin(cpu);
    if (!(atomic.load<u32>(meta, PAGEMETA_FLAGS) & PAGE_HAS_CODE)) {
      giveMap(phys);
      atomic.or<u32>(meta, PAGE_HAS_CODE, PAGEMETA_FLAGS);
      const count = load<u32>(CONTROL, CONTROL_CPUCOUNT);
      for (let n: u32 = 0; n < count; n++) protectPage(cpuAt(n), phys >>> 12);
    }
    end(cpu);
  }
  enterCode(phys, bytes);
  settleStores(cpu, phys);
}

/**
 * Code was entered in the map of a page with code: when this comes back, the stores of others that did not look behind that are done. Their CPUs have been parked, so each found
 * its bytes to be no code before that, and looks again. Called by CPUs that are parked as well: installing goes on meanwhile.
 */
export function settleStores(cpu: usize, phys: u32): void {
  if (alone() || !hasStoresBeside(phys)) return;
  const parked = load<u32>(cpu, CPU_PARKED);
  begin(cpu);
  forgetStoresBeside(phys);
  end(cpu);
  if (parked) park(cpu);
}

/** Host address of `bytes` bytes for an atomic access. 0: a fault was raised, or it is none of aligned RAM without code. */
export function lockedHost(cpu: usize, linear: u32, bytes: u32, region: u32, eip: u32): u32 {
  store<u32>(cpu, eip, CPU_EIP);
  const user = userAccess(cpu);
  if (probe(cpu, linear, bytes, user | ACCESS_WRITE | (region ? ACCESS_REGION : 0))) return 0;
  // A step notes which data breakpoints it hits, through the slow paths; outside of one the probe found that there is none.
  if (linear & (bytes - 1) || (load<u32>(cpu, CPU_WATCH) && load<u32>(cpu, CPU_STEPARMED) && isWatched(cpu, linear, 0))) return 0;
  if (resolve(cpu, linear, user | ACCESS_WRITE)) return 0;
  if (foundCode && !staysBesideCode(foundPhys, bytes)) return 0;
  return foundHost < RAM ? 0 : <u32>foundHost;
}

/** The load of a locked instruction for which lockedHost had no address. Other CPUs are kept away until the store, unless it is a device's. */
function lockedLoad(cpu: usize, linear: u32, bytes: u32): u64 {
  const user = userAccess(cpu);
  if (resolve(cpu, linear, user | ACCESS_WRITE)) return 0;
  if (foundHost >= RAM) {
    begin(cpu);
    store<u32>(cpu, 1, CPU_EXCLUSIVE);
    // Somebody may have decoded code there before the others were parked: the entry that was found then is worth nothing now.
  }
  const value = readSlow(cpu, linear, bytes, user | ACCESS_WRITE);
  if (faulted(cpu)) release(cpu);
  return value;
}

function lockedStore(cpu: usize, linear: u32, value: u64, bytes: u32): void {
  writeSlow(cpu, linear, value, bytes, userAccess(cpu));
  release(cpu);
}

function release(cpu: usize): void {
  if (!load<u32>(cpu, CPU_EXCLUSIVE)) return;
  store<u32>(cpu, 0, CPU_EXCLUSIVE);
  end(cpu);
}

export function lockedLoad8(cpu: usize, linear: u32): u32 {
  return <u32>lockedLoad(cpu, linear, 1);
}
export function lockedLoad16(cpu: usize, linear: u32): u32 {
  return <u32>lockedLoad(cpu, linear, 2);
}
export function lockedLoad32(cpu: usize, linear: u32): u32 {
  return <u32>lockedLoad(cpu, linear, 4);
}
export function lockedLoad64(cpu: usize, linear: u32): u64 {
  return lockedLoad(cpu, linear, 8);
}
export function lockedStore8(cpu: usize, linear: u32, value: u32): void {
  lockedStore(cpu, linear, value, 1);
}
export function lockedStore16(cpu: usize, linear: u32, value: u32): void {
  lockedStore(cpu, linear, value, 2);
}
export function lockedStore32(cpu: usize, linear: u32, value: u32): void {
  lockedStore(cpu, linear, value, 4);
}
export function lockedStore64(cpu: usize, linear: u32, value: u64): void {
  lockedStore(cpu, linear, value, 8);
}

/** PAUSE: a CPU that spins for long lets another thread of the host have its core, until something is pending. */
export function relax(cpu: usize): void {
  // In lockstep nobody else runs before this CPU's slice is over.
  if (load<u32>(CONTROL, CONTROL_LOCKSTEP)) store<u32>(cpu, 0, CPU_BUDGET);
  const pauses = load<u32>(cpu, CPU_PAUSES) + 1;
  store<u32>(cpu, pauses, CPU_PAUSES);
  if (pauses & load<u32>(CONTROL, CONTROL_PAUSEMASK)) return;
  const pending = atomic.load<u32>(cpu, CPU_PENDING);
  if (!(pending & POLLED)) atomic.wait<u32>(cpu + CPU_PENDING, pending, PAUSE);
}
