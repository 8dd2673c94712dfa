// Port input and output: the permission check, IN, OUT, INS, OUTS (SDM vol. 1, ch. 19).
import {
  CONTROL, CONTROL_SHADOWRAM, CPU_CPL, CPU_EFLAGS, CPU_SHADOWRAMSEEN, EFLAGS_DF, EFLAGS_IOPL, EFLAGS_VM, GPR_ECX, GPR_EDI, GPR_EDX, GPR_ESI, SEG_ACCESS, SEG_BASE, SEG_ES,
  SEG_LIMIT, SEG_TR, VECTOR_GP, PAGE,
} from '../gen/layout';
import { faulted, raiseError } from '../base/fault';
import { polled } from './held';
import { hostInvalidateCode, hostPortIn, hostPortOut } from '../base/host';
import { checkPort } from './debug';
import { load16, load32, load8, probeWrite, segLinear, store16, store32, store8, sysLoad16 } from '../memory/memory';
import { again, stepBudget } from '../string/repeat';
import { ACC_P, reg, segAt, setRegMasked, untypedSegments } from '../base/state';
import { flush } from '../memory/tlb';

/** Elements that one call of INS or OUTS moves at most. */
const CHUNK: u32 = 1024;

/** True, with the fault set, if the current code may not use ports [port, port + size). */
function forbidden(cpu: usize, port: u32, size: u32): bool {
  const flags = load<u32>(cpu, CPU_EFLAGS);
  if (untypedSegments(cpu) && !(flags & EFLAGS_VM)) return false;
  if (!(flags & EFLAGS_VM) && load<u32>(cpu, CPU_CPL) <= (flags & EFLAGS_IOPL) >>> 12) return false;
  // The I/O permission bitmap of a 32-bit TSS: two bytes are always read (SDM vol. 1, 19.5.2).
  const tr = segAt(cpu, SEG_TR);
  const access = load<u32>(tr, SEG_ACCESS);
  const limit = load<u32>(tr, SEG_LIMIT);
  const type = (access >>> 8) & 0x1f;
  if (access & ACC_P && (type & ~2) == 9 && limit >= 103) {
    const base = load<u32>(tr, SEG_BASE);
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
  raiseError(cpu, VECTOR_GP, 0);
  return true;
}

/** IN: `size` bytes, zero-extended. */
export function portIn(cpu: usize, port: u32, size: u32): u32 {
  port &= 0xffff;
  if (forbidden(cpu, port, size) || checkPort(cpu, port, size)) return 0;
  const value = hostPortIn(cpu, port, size);
  return size == 4 ? value : value & ((1 << (size << 3)) - 1);
}

/** Behind a write to a port: the host bridge may have put RAM in the place of ROM below 1 MiB, or taken it away. */
function settleShadowRam(cpu: usize): void {
  const now = load<u32>(CONTROL, CONTROL_SHADOWRAM);
  if (now == load<u32>(cpu, CPU_SHADOWRAMSEEN)) return;
  store<u32>(cpu, now, CPU_SHADOWRAMSEEN);
  flush(cpu);
  for (let phys: u32 = 0xe0000; phys < 0x100000; phys += PAGE) hostInvalidateCode(cpu, phys, PAGE);
}

/** OUT. */
export function portOut(cpu: usize, port: u32, size: u32, value: u32): void {
  port &= 0xffff;
  if (forbidden(cpu, port, size) || checkPort(cpu, port, size)) return;
  hostPortOut(cpu, port, size, size == 4 ? value : value & ((1 << (size << 3)) - 1));
  settleShadowRam(cpu);
}

/** INS: DX -> ES:EDI. Result as of the string operations: 1 where there is more to do. */
export function ins(cpu: usize, size: u32, mask: u32, rep: u32): u32 {
  let count: u32 = rep ? reg(cpu, GPR_ECX) & mask : 1;
  if (count == 0) return 0;
  const port = reg(cpu, GPR_EDX) & 0xffff;
  if (forbidden(cpu, port, size)) return 0;
  const es = segAt(cpu, SEG_ES);
  const step = load<u32>(cpu, CPU_EFLAGS) & EFLAGS_DF ? 0 - size : size;
  let budget = stepBudget(cpu, CHUNK);
  do {
    const edi = reg(cpu, GPR_EDI);
    const linear = segLinear(cpu, es, edi & mask, size, 1);
    // Reading a port has effects: nothing may fault after it.
    if (faulted(cpu) || probeWrite(cpu, linear, size) || checkPort(cpu, port, size)) return 0;
    const value = hostPortIn(cpu, port, size);
    if (size == 1) store8(cpu, linear, value);
    else if (size == 2) store16(cpu, linear, value);
    else store32(cpu, linear, value);
    setRegMasked(cpu, GPR_EDI, edi + step, mask);
    count--;
    if (rep) setRegMasked(cpu, GPR_ECX, count, mask);
    if (count == 0) return 0;
    budget--;
  } while (budget != 0 && polled(cpu) == 0);
  return again(cpu);
}

/** OUTS: seg:ESI -> DX. */
export function outs(cpu: usize, size: u32, mask: u32, seg: usize, rep: u32): u32 {
  let count: u32 = rep ? reg(cpu, GPR_ECX) & mask : 1;
  if (count == 0) return 0;
  const port = reg(cpu, GPR_EDX) & 0xffff;
  if (forbidden(cpu, port, size)) return 0;
  const step = load<u32>(cpu, CPU_EFLAGS) & EFLAGS_DF ? 0 - size : size;
  let budget = stepBudget(cpu, CHUNK);
  do {
    const esi = reg(cpu, GPR_ESI);
    const linear = segLinear(cpu, seg, esi & mask, size, 0);
    if (faulted(cpu)) return 0;
    const value = size == 1 ? load8(cpu, linear) : size == 2 ? load16(cpu, linear) : load32(cpu, linear);
    if (faulted(cpu) || checkPort(cpu, port, size)) return 0;
    hostPortOut(cpu, port, size, value);
    setRegMasked(cpu, GPR_ESI, esi + step, mask);
    count--;
    if (rep) setRegMasked(cpu, GPR_ECX, count, mask);
    if (count == 0) return 0;
    budget--;
  } while (budget != 0 && polled(cpu) == 0);
  return again(cpu);
}
