// Port input and output: the permission check, IN, OUT, INS, OUTS (SDM vol. 1, ch. 19).
import { faulted, raiseError } from '../base/fault';
import { setRegMasked, untypedSegments } from '../base/state';
import { keepPart, tellsAccesses } from '../clients/told';
import { hostInvalidateCode, hostPortIn, hostPortOut } from '../gen/host';
import { Cpu, control, Descriptor, Eflags, Gpr, NotedAccess, PAGE, Seg, SegCache, Vector } from '../gen/layout';
import { load8, load16, load32, probeWrite, segLinear, store8, store16, store32, sysLoad16 } from '../memory/memory';
import { flushAndProve } from '../memory/tlb';
import { again, stepBudget } from '../string/repeat';
import { checkPort } from './debug';
import { polled } from './held';

/** Elements that one call of INS or OUTS moves at most. */
const CHUNK: u32 = 1024;

/** True, with the fault set, if the current code may not use ports [port, port + size). */
function forbidden(cpu: Cpu, port: u32, size: u32): bool {
  const flags = cpu.eflags;
  if (untypedSegments(cpu) && !(flags & Eflags.VM)) return false;
  if (!(flags & Eflags.VM) && cpu.cpl <= (flags & Eflags.IOPL) >>> 12) return false;
  // The I/O permission bitmap of a 32-bit TSS: two bytes are always read (SDM vol. 1, 19.5.2).
  const tr = cpu.seg[Seg.TR];
  const access = tr.access;
  const limit = tr.limit;
  const type = (access >>> 8) & 0x1f;
  if (access & Descriptor.PRESENT && (type & ~2) == 9 && limit >= 103) {
    const base = tr.base;
    const map = sysLoad16(cpu, base + 102);
    if (faulted(cpu)) return true;
    const at = map + (port >>> 3);
    if (at + 1 <= limit) {
      const bits = sysLoad16(cpu, base + at);
      if (faulted(cpu)) return true;
      const mask: u32 = ((1 << size) - 1) << (port & 7);
      if (!(bits & mask)) return false;
    }
  }
  raiseError(cpu, Vector.GP, 0);
  return true;
}

/** IN: `size` bytes, zero-extended. */
export function portIn(cpu: Cpu, port: u32, size: u32): u32 {
  port &= 0xffff;
  if (forbidden(cpu, port, size) || checkPort(cpu, port, size)) return 0;
  const value = hostPortIn(cpu, port, size);
  return size == 4 ? value : value & ((1 << (size << 3)) - 1);
}

/** Behind a write to a port: the host bridge may have put RAM in the place of ROM below 1 MiB, or taken it away. */
function updateShadowRam(cpu: Cpu): void {
  const now = control.shadowRam;
  if (now == cpu.shadowRamSeen) return;
  cpu.shadowRamSeen = now;
  flushAndProve(cpu);
  for (let phys: u32 = 0xe0000; phys < 0x100000; phys += PAGE) hostInvalidateCode(cpu, phys, PAGE);
}

/** OUT. */
export function portOut(cpu: Cpu, port: u32, size: u32, value: u32): void {
  port &= 0xffff;
  if (forbidden(cpu, port, size) || checkPort(cpu, port, size)) return;
  hostPortOut(cpu, port, size, size == 4 ? value : value & ((1 << (size << 3)) - 1));
  updateShadowRam(cpu);
}

function doIns(cpu: Cpu, size: u32, mask: u32, rep: u32): u32 {
  let count: u32 = rep ? cpu.gpr[Gpr.ECX] & mask : 1;
  if (count == 0) return 0;
  const port = cpu.gpr[Gpr.EDX] & 0xffff;
  if (forbidden(cpu, port, size)) return 0;
  const es = cpu.seg[Seg.ES];
  const step = cpu.eflags & Eflags.DF ? 0 - size : size;
  let budget = stepBudget(cpu, CHUNK);
  do {
    const edi = cpu.gpr[Gpr.EDI];
    const linear = segLinear(cpu, es, edi & mask, size, 1);
    // Reading a port has effects: nothing may fault after it.
    if (faulted(cpu) || probeWrite(cpu, linear, size) || checkPort(cpu, port, size)) return 0;
    const value = hostPortIn(cpu, port, size);
    if (size == 1) store8(cpu, linear, value);
    else if (size == 2) store16(cpu, linear, value);
    else store32(cpu, linear, value);
    setRegMasked(cpu, Gpr.EDI, edi + step, mask);
    count--;
    if (rep) setRegMasked(cpu, Gpr.ECX, count, mask);
    if (count == 0) return 0;
    budget--;
  } while (budget != 0 && polled(cpu) == 0);
  return again(cpu);
}

function doOuts(cpu: Cpu, size: u32, mask: u32, seg: SegCache, rep: u32): u32 {
  let count: u32 = rep ? cpu.gpr[Gpr.ECX] & mask : 1;
  if (count == 0) return 0;
  const port = cpu.gpr[Gpr.EDX] & 0xffff;
  if (forbidden(cpu, port, size)) return 0;
  const step = cpu.eflags & Eflags.DF ? 0 - size : size;
  let budget = stepBudget(cpu, CHUNK);
  do {
    const esi = cpu.gpr[Gpr.ESI];
    const linear = segLinear(cpu, seg, esi & mask, size, 0);
    if (faulted(cpu)) return 0;
    const value = size == 1 ? load8(cpu, linear) : size == 2 ? load16(cpu, linear) : load32(cpu, linear);
    if (faulted(cpu) || checkPort(cpu, port, size)) return 0;
    hostPortOut(cpu, port, size, value);
    setRegMasked(cpu, Gpr.ESI, esi + step, mask);
    count--;
    if (rep) setRegMasked(cpu, Gpr.ECX, count, mask);
    if (count == 0) return 0;
    budget--;
  } while (budget != 0 && polled(cpu) == 0);
  return again(cpu);
}

/** INS: DX -> ES:EDI. Result as of the string operations: 1 where there is more to do. */
export function ins(cpu: Cpu, size: u32, mask: u32, rep: u32): u32 {
  const edi = cpu.gpr[Gpr.EDI];
  const more = doIns(cpu, size, mask, rep);
  if (tellsAccesses() && faulted(cpu)) keepPart(cpu, 1, cpu.seg[Seg.ES].base, edi, cpu.gpr[Gpr.EDI], size, NotedAccess.WRITES);
  return more;
}

/** OUTS: seg:ESI -> DX. */
export function outs(cpu: Cpu, size: u32, mask: u32, seg: SegCache, rep: u32): u32 {
  const esi = cpu.gpr[Gpr.ESI];
  const more = doOuts(cpu, size, mask, seg, rep);
  if (tellsAccesses() && faulted(cpu)) keepPart(cpu, 0, seg.base, esi, cpu.gpr[Gpr.ESI], size, 0);
  return more;
}
