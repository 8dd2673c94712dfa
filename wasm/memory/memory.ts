// Guest memory for helpers and for translated code: loads and stores at linear addresses, segment checks.
// In load*/store* the rights are those of the current privilege level. sysLoad*/sysStore* are the processor's own accesses to descriptor tables and
// task states: with the supervisor's rights, and no data breakpoint sees them. Pushes onto an inner stack are pushAs*.
// On a fault Cpu.fault is set and 0 is returned.
import { faulted, raiseError } from '../base/fault';
import { untypedSegments, userAccess } from '../base/state';
import { Access, Cpu, Descriptor, Seg, SegCache, Vector } from '../gen/layout';
import { probe, readAs, readSlow, readTable, rmwSlow, writeAs, writeBeside, writeSlow, writeTable } from './access';

export function load8(cpu: Cpu, linear: u32): u32 {
  return readAs<u8>(cpu, linear, userAccess(cpu));
}

export function store8(cpu: Cpu, linear: u32, value: u32): void {
  writeAs<u8>(cpu, linear, <u8>value, userAccess(cpu));
}

export function sysStore8(cpu: Cpu, linear: u32, value: u32): void {
  writeTable<u8>(cpu, linear, <u8>value);
}

/** A push onto a stack of the supervisor. */
export function pushAs16(cpu: Cpu, linear: u32, value: u32): void {
  writeAs<u16>(cpu, linear, <u16>value, 0);
}

export function pushAs32(cpu: Cpu, linear: u32, value: u32): void {
  writeAs<u32>(cpu, linear, <u32>value, 0);
}

export function load16(cpu: Cpu, linear: u32): u32 {
  return readAs<u16>(cpu, linear, userAccess(cpu));
}

export function store16(cpu: Cpu, linear: u32, value: u32): void {
  writeAs<u16>(cpu, linear, <u16>value, userAccess(cpu));
}

export function sysLoad16(cpu: Cpu, linear: u32): u32 {
  return readTable<u16>(cpu, linear);
}

export function sysStore16(cpu: Cpu, linear: u32, value: u32): void {
  writeTable<u16>(cpu, linear, <u16>value);
}

export function load32(cpu: Cpu, linear: u32): u32 {
  return readAs<u32>(cpu, linear, userAccess(cpu));
}

export function store32(cpu: Cpu, linear: u32, value: u32): void {
  writeAs<u32>(cpu, linear, <u32>value, userAccess(cpu));
}

export function sysLoad32(cpu: Cpu, linear: u32): u32 {
  return readTable<u32>(cpu, linear);
}

export function sysLoad64(cpu: Cpu, linear: u32): u64 {
  return readTable<u64>(cpu, linear);
}

export function sysStore32(cpu: Cpu, linear: u32, value: u32): void {
  writeTable<u32>(cpu, linear, <u32>value);
}

export function load64(cpu: Cpu, linear: u32): u64 {
  return readAs<u64>(cpu, linear, userAccess(cpu));
}

export function store64(cpu: Cpu, linear: u32, value: u64): void {
  writeAs<u64>(cpu, linear, <u64>value, userAccess(cpu));
}

/** Copies 16 bytes of guest memory to a host address. */
export function load128(cpu: Cpu, linear: u32, dest: usize): void {
  const user = userAccess(cpu);
  const low = readAs<u64>(cpu, linear, user);
  if (faulted(cpu)) return;
  const high = readAs<u64>(cpu, linear + 8, user);
  if (faulted(cpu)) return;
  store<u64>(dest, low);
  store<u64>(dest, high, 8);
}

/** Copies 16 bytes from a host address to guest memory: all or nothing. */
export function store128(cpu: Cpu, linear: u32, source: usize): void {
  const user = userAccess(cpu);
  if (probe(cpu, linear, 16, user | Access.WRITE)) return;
  writeAs<u64>(cpu, linear, load<u64>(source), user);
  writeAs<u64>(cpu, linear + 8, load<u64>(source, 8), user);
}

/** True, with the fault set, if [linear, linear + bytes) may not be written. `bytes` is at most a page. */
export function probeWrite(cpu: Cpu, linear: u32, bytes: u32): bool {
  return probe(cpu, linear, bytes, userAccess(cpu) | Access.WRITE);
}

export function probeRead(cpu: Cpu, linear: u32, bytes: u32): bool {
  return probe(cpu, linear, bytes, userAccess(cpu));
}

export function sysProbeWrite(cpu: Cpu, linear: u32, bytes: u32): bool {
  return probe(cpu, linear, bytes, Access.WRITE | Access.TABLE);
}

// Segments --------------------------------------------------------------------------------------------------------

/** Whether [offset, offset + bytes) is inside a segment and of the right kind (SDM vol. 3, 5.3 to 5.5). Raises nothing. */
export function segAllows(cpu: Cpu, seg: SegCache, offset: u32, bytes: u32, write: u32): bool {
  const access = seg.access;
  const typed = !untypedSegments(cpu);
  if (typed) {
    if (!(access & Descriptor.PRESENT)) return false;
    if (access & Descriptor.CODE) {
      if (write || !(access & Descriptor.READABLE)) return false;
    } else if (write && !(access & Descriptor.WRITABLE)) return false;
  }
  const limit = seg.limit;
  const last = offset + bytes - 1;
  if (typed && (access & (Descriptor.CODE | Descriptor.EXPAND_DOWN)) == Descriptor.EXPAND_DOWN) {
    const top: u32 = access & Descriptor.BIG ? 0xffffffff : 0xffff;
    return offset > limit && last <= top && last >= offset;
  }
  // A segment of 4 GiB wraps, as flat code does that checks nothing.
  return limit == 0xffffffff || (last <= limit && last >= offset);
}

/** Linear address of `offset` in a segment, after all checks for an access of `bytes`; raises #SS(0) or #GP(0). */
export function segLinear(cpu: Cpu, seg: SegCache, offset: u32, bytes: u32, write: u32): u32 {
  const top = write ? seg.topWrite : seg.topRead;
  if ((offset >= top || bytes > 16) && !segAllows(cpu, seg, offset, bytes, write)) {
    raiseError(cpu, seg == cpu.seg[Seg.SS] ? Vector.SS : Vector.GP, 0);
    return 0;
  }
  return seg.base + offset;
}

/** segLinear for translated code: it passes the EIP of its instruction. */
export function slowLinear(cpu: Cpu, seg: SegCache, offset: u32, bytes: u32, write: u32, eip: u32): u32 {
  cpu.eip = eip;
  return segLinear(cpu, seg, offset, bytes, write);
}

// Slow paths of translated code: like load and store, but the caller has tried the TLB and passes the EIP of its instruction. Each gives Cpu.fault: 0 where all went well; what a
// load found is in Cpu.loaded then. Those for regions leave with FAULT_BAIL where a store would hit code.

/** What a load found, for the code that asked for it. */
@inline
function loaded(cpu: Cpu, value: u64): u32 {
  store<u64>(cpu.loaded, value);
  return cpu.fault;
}

export function slowLoad8(cpu: Cpu, linear: u32, eip: u32): u32 {
  cpu.eip = eip;
  return loaded(cpu, readSlow(cpu, linear, 1, userAccess(cpu)));
}

export function slowStore8(cpu: Cpu, linear: u32, value: u32, eip: u32): u32 {
  cpu.eip = eip;
  writeBeside(cpu, linear, value, 1, userAccess(cpu));
  return cpu.fault;
}

export function regionStore8(cpu: Cpu, linear: u32, value: u32, eip: u32): u32 {
  cpu.eip = eip;
  writeBeside(cpu, linear, value, 1, userAccess(cpu) | Access.REGION);
  return cpu.fault;
}

/** A load for a read-modify-write: the store that follows cannot fault. */
export function slowRmw8(cpu: Cpu, linear: u32, eip: u32): u32 {
  cpu.eip = eip;
  return loaded(cpu, rmwSlow(cpu, linear, 1, userAccess(cpu)));
}

export function regionRmw8(cpu: Cpu, linear: u32, eip: u32): u32 {
  cpu.eip = eip;
  return loaded(cpu, rmwSlow(cpu, linear, 1, userAccess(cpu) | Access.REGION));
}

export function slowLoad16(cpu: Cpu, linear: u32, eip: u32): u32 {
  cpu.eip = eip;
  return loaded(cpu, readSlow(cpu, linear, 2, userAccess(cpu)));
}

export function slowStore16(cpu: Cpu, linear: u32, value: u32, eip: u32): u32 {
  cpu.eip = eip;
  writeBeside(cpu, linear, value, 2, userAccess(cpu));
  return cpu.fault;
}

export function regionStore16(cpu: Cpu, linear: u32, value: u32, eip: u32): u32 {
  cpu.eip = eip;
  writeBeside(cpu, linear, value, 2, userAccess(cpu) | Access.REGION);
  return cpu.fault;
}

/** A load for a read-modify-write: the store that follows cannot fault. */
export function slowRmw16(cpu: Cpu, linear: u32, eip: u32): u32 {
  cpu.eip = eip;
  return loaded(cpu, rmwSlow(cpu, linear, 2, userAccess(cpu)));
}

export function regionRmw16(cpu: Cpu, linear: u32, eip: u32): u32 {
  cpu.eip = eip;
  return loaded(cpu, rmwSlow(cpu, linear, 2, userAccess(cpu) | Access.REGION));
}

export function slowLoad32(cpu: Cpu, linear: u32, eip: u32): u32 {
  cpu.eip = eip;
  return loaded(cpu, readSlow(cpu, linear, 4, userAccess(cpu)));
}

export function slowStore32(cpu: Cpu, linear: u32, value: u32, eip: u32): u32 {
  cpu.eip = eip;
  writeBeside(cpu, linear, value, 4, userAccess(cpu));
  return cpu.fault;
}

export function regionStore32(cpu: Cpu, linear: u32, value: u32, eip: u32): u32 {
  cpu.eip = eip;
  writeBeside(cpu, linear, value, 4, userAccess(cpu) | Access.REGION);
  return cpu.fault;
}

/** A load for a read-modify-write: the store that follows cannot fault. */
export function slowRmw32(cpu: Cpu, linear: u32, eip: u32): u32 {
  cpu.eip = eip;
  return loaded(cpu, rmwSlow(cpu, linear, 4, userAccess(cpu)));
}

export function regionRmw32(cpu: Cpu, linear: u32, eip: u32): u32 {
  cpu.eip = eip;
  return loaded(cpu, rmwSlow(cpu, linear, 4, userAccess(cpu) | Access.REGION));
}

export function slowLoad64(cpu: Cpu, linear: u32, eip: u32): u32 {
  cpu.eip = eip;
  return loaded(cpu, readSlow(cpu, linear, 8, userAccess(cpu)));
}

export function slowStore64(cpu: Cpu, linear: u32, value: u64, eip: u32): u32 {
  cpu.eip = eip;
  writeBeside(cpu, linear, value, 8, userAccess(cpu));
  return cpu.fault;
}

export function regionStore64(cpu: Cpu, linear: u32, value: u64, eip: u32): u32 {
  cpu.eip = eip;
  writeBeside(cpu, linear, value, 8, userAccess(cpu) | Access.REGION);
  return cpu.fault;
}

/** A load for a read-modify-write: the store that follows cannot fault. */
export function slowRmw64(cpu: Cpu, linear: u32, eip: u32): u32 {
  cpu.eip = eip;
  return loaded(cpu, rmwSlow(cpu, linear, 8, userAccess(cpu)));
}

export function regionRmw64(cpu: Cpu, linear: u32, eip: u32): u32 {
  cpu.eip = eip;
  return loaded(cpu, rmwSlow(cpu, linear, 8, userAccess(cpu) | Access.REGION));
}

export function slowLoad128(cpu: Cpu, linear: u32, eip: u32): u32 {
  cpu.eip = eip;
  const user = userAccess(cpu);
  if (loaded(cpu, readSlow(cpu, linear, 8, user))) return cpu.fault;
  const high = readSlow(cpu, linear + 8, 8, user);
  store<u64>(cpu.loaded, high, 8);
  return cpu.fault;
}

function storeVector(cpu: Cpu, linear: u32, value: v128, access: u32): u32 {
  if (probe(cpu, linear, 16, access | Access.WRITE)) return cpu.fault;
  const user = access & ~Access.REGION;
  writeSlow(cpu, linear, i64x2.extract_lane(value, 0), 8, user);
  writeSlow(cpu, linear + 8, i64x2.extract_lane(value, 1), 8, user);
  return cpu.fault;
}

export function slowStore128(cpu: Cpu, linear: u32, value: v128, eip: u32): u32 {
  cpu.eip = eip;
  return storeVector(cpu, linear, value, userAccess(cpu));
}

export function regionStore128(cpu: Cpu, linear: u32, value: v128, eip: u32): u32 {
  cpu.eip = eip;
  return storeVector(cpu, linear, value, userAccess(cpu) | Access.REGION);
}
