// String instructions (SDM vol. 2: MOVS STOS LODS CMPS SCAS, REP). A call does one element, or with a REP prefix a chunk; it
// returns 1 where there is more to do (the caller runs the instruction again), 0 when it is done or Cpu.fault is set.
// Registers always stand at the element that comes next, or that faults.
import { faulted } from '../base/fault';
import { orderBulk } from '../base/order';
import { setRegMasked, userAccess } from '../base/state';
import { keepPart, tellsAccesses } from '../clients/told';
import { Access, Cpu, Eflags, Gpr, Mode, NotedAccess, Seg, SegCache, Tlb } from '../gen/layout';
import { hitsCode, noticeStore } from '../memory/codepage';
import { load8, load16, load32, segAllows, segLinear, store8, store16, store32 } from '../memory/memory';
import { foundCode, foundHost, foundPhys, resolve } from '../memory/tlb';
import { isWatched, watchProbe } from '../memory/watch';
import { setSubFlags } from '../system/flags';
import { polled } from '../system/held';
import { again, stepBudget } from './repeat';

/** Bytes that one call moves at most. */
const CHUNK_BYTES: u32 = 0x10000;

/** Elements that one call does at most. */
@inline
function budgetOf(cpu: Cpu, size: u32): u32 {
  return stepBudget(cpu, CHUNK_BYTES >>> (size >>> 1));
}

/** REPE and REPNE as CMPS and SCAS see them. */
const REPE: u32 = 1;

@inline
function loadElement(cpu: Cpu, linear: u32, size: u32): u32 {
  return size == 4 ? load32(cpu, linear) : size == 1 ? load8(cpu, linear) : load16(cpu, linear);
}

@inline
function storeElement(cpu: Cpu, linear: u32, value: u32, size: u32): void {
  if (size == 4) store32(cpu, linear, value);
  else if (size == 1) store8(cpu, linear, value);
  else store16(cpu, linear, value);
}

@inline
function loadHost(host: usize, size: u32): u32 {
  return size == 4 ? load<u32>(host) : size == 1 ? load<u8>(host) : load<u16>(host);
}

@inline
function backward(cpu: Cpu): bool {
  return (cpu.eflags & Eflags.DF) != 0;
}

/** How many of `count` elements from `offset` on lie in one page and do not wrap. */
@inline
function inPage(seg: SegCache, offset: u32, size: u32, mask: u32, count: u32): u32 {
  const linear = seg.base + offset;
  const shift: u32 = size >>> 1; // 1, 2, 4 -> 0, 1, 2
  return min<u32>(count, min<u32>((0x1000 - (linear & 0xfff)) >>> shift, (mask - offset) >>> shift));
}

/** The same downwards: elements from `offset` on that lie in one page and do not wrap. */
@inline
function inPageDown(seg: SegCache, offset: u32, size: u32, count: u32): u32 {
  const linear = seg.base + offset;
  const shift: u32 = size >>> 1;
  if ((linear & 0xfff) + size > 0x1000) return 0;
  return min<u32>(count, min<u32>(((linear & 0xfff) >>> shift) + 1, offset >>> shift));
}

/** SegCache.topRead or topWrite of a segment of 4 GiB. */
const WHOLE: u32 = 0xfffffff0;

/** Physical address of the run that is written, where its page holds code: noticeRun must follow. Else 0. */
let runCode: u32 = 0;

/** Host address of a run of elements that lies in one page of RAM; 0: go element by element, or a fault was raised. The run is
 * entered at `offset`, and starts `below` bytes under it. Of a page with code, only what is beside the code is written so. */
function runHost(cpu: Cpu, seg: SegCache, offset: u32, below: u32, bytes: u32, write: u32): usize {
  const linear = seg.base + offset;
  const user = userAccess(cpu);
  const word = load<u32>(cpu.tlb + ((linear >>> 12) << 2));
  if (word & ((write ? Tlb.KERNEL_WRITE : Tlb.KERNEL_READ) << (user >>> 1)) && (write ? seg.topWrite : seg.topRead) == WHOLE) {
    if (write) runCode = 0;
    return linear + (word & 0xfffff000) - below;
  }
  if ((cpu.watch && isWatched(cpu, linear, user)) || !segAllows(cpu, seg, offset - below, bytes, write)) return 0;
  if (resolve(cpu, linear, user | (write ? Access.WRITE : 0))) return 0;
  if (foundHost == 0 || (foundCode && hitsCode(foundPhys - below, bytes))) return 0;
  if (write) runCode = foundCode ? foundPhys - below : 0;
  return foundHost - below;
}

/** The run was written. */
@inline
function noticeRun(cpu: Cpu, bytes: u32): void {
  if (runCode) noticeStore(cpu, runCode, bytes);
}

/** A copy of so many bytes is shorter than a call. */
const SHORT: u32 = 128;

/** Moves elements upwards one after the other, so that a destination just above the source repeats a pattern. */
function copyUp(to: usize, from: usize, bytes: u32, size: u32): void {
  if (to - from >= bytes) {
    // The destination does not start inside the source.
    if (bytes > SHORT || bytes & 3) {
      memory.copy(to, from, bytes);
      return;
    }
    for (; bytes > 4; bytes -= 8, to += 8, from += 8) store<u64>(to, load<u64>(from));
    if (bytes) store<u32>(to, load<u32>(from));
    return;
  }
  if (to == from) return;
  const end = to + bytes;
  if (size == 4) {
    for (; to < end; to += 4, from += 4) store<u32>(to, load<u32>(from));
  } else if (size == 2) {
    for (; to < end; to += 2, from += 2) store<u16>(to, load<u16>(from));
  } else if (to - from == 1) {
    memory.fill(to, load<u8>(from), bytes);
  } else {
    for (; to < end; to++, from++) store<u8>(to, load<u8>(from));
  }
}

/** Moves elements downwards one after the other; `to` and `from` are the lowest addresses. */
function copyDown(to: usize, from: usize, bytes: u32, size: u32): void {
  if (from - to >= bytes) {
    memory.copy(to, from, bytes);
    return;
  }
  for (let i = bytes; i != 0; ) {
    i -= size;
    if (size == 4) store<u32>(to + i, load<u32>(from + i));
    else if (size == 1) store<u8>(to + i, load<u8>(from + i));
    else store<u16>(to + i, load<u16>(from + i));
  }
}

/** Host address of `bytes` bytes of one page that the TLB has with the right given; 0: ask the slow ways. */
@inline
function hostOf(cpu: Cpu, linear: u32, bytes: u32, right: u32): usize {
  const word = load<u32>(cpu.tlb + ((linear >>> 12) << 2));
  return word & right && (linear & 0xfff) <= 4096 - bytes ? <usize>(linear + (word & 0xfffff000)) : 0;
}

/** REP MOVS upwards as it usually is: flat, from one page to one page, nothing in the way. False: not done. */
@inline
function movsAtOnce(cpu: Cpu, size: u32, mask: u32, seg: SegCache, rep: u32): bool {
  const count = cpu.gpr[Gpr.ECX];
  if (!rep || mask != 0xffffffff || count - 1 > 0xfff || !(cpu.mode & Mode.FLAT) || cpu.step || backward(cpu) || seg.topRead != WHOLE)
    return false;
  const bytes = count * size;
  if (bytes > 4096) return false;
  const user = userAccess(cpu);
  const esi = cpu.gpr[Gpr.ESI];
  const edi = cpu.gpr[Gpr.EDI];
  const from = hostOf(cpu, seg.base + esi, bytes, Tlb.KERNEL_READ << (user >>> 1));
  const to = hostOf(cpu, edi, bytes, Tlb.KERNEL_WRITE << (user >>> 1));
  if (!from || !to) return false;
  copyUp(to, from, bytes, size);
  cpu.gpr[Gpr.ESI] = esi + bytes;
  cpu.gpr[Gpr.EDI] = edi + bytes;
  cpu.gpr[Gpr.ECX] = 0;
  return true;
}

function doMovs(cpu: Cpu, size: u32, mask: u32, seg: SegCache, rep: u32): u32 {
  if (movsAtOnce(cpu, size, mask, seg, rep)) return 0;
  let count: u32 = rep ? cpu.gpr[Gpr.ECX] & mask : 1;
  if (count == 0) return 0;
  const es = cpu.seg[Seg.ES];
  const back = backward(cpu);
  let budget = budgetOf(cpu, size);
  do {
    const esi = cpu.gpr[Gpr.ESI];
    const edi = cpu.gpr[Gpr.EDI];
    let n: u32 = 0;
    if (count > 1) {
      const most = min<u32>(count, budget);
      n = back
        ? inPageDown(es, edi & mask, size, inPageDown(seg, esi & mask, size, most))
        : inPage(es, edi & mask, size, mask, inPage(seg, esi & mask, size, mask, most));
      if (n > 1) {
        const bytes = n * size;
        const below: u32 = back ? bytes - size : 0;
        const from = runHost(cpu, seg, esi & mask, below, bytes, 0);
        if (faulted(cpu)) return 0;
        const to = from ? runHost(cpu, es, edi & mask, below, bytes, 1) : 0;
        if (faulted(cpu)) return 0;
        if (to == 0) n = 0;
        else {
          if (back) copyDown(to, from, bytes, size);
          else copyUp(to, from, bytes, size);
          noticeRun(cpu, bytes);
        }
      } else n = 0;
    }
    if (n == 0) {
      const from = segLinear(cpu, seg, esi & mask, size, 0);
      if (faulted(cpu)) return 0;
      // A device's register is read once: what stops the store for a step must come before.
      if (cpu.watch && watchProbe(cpu, es.base + (edi & mask), size, Access.WRITE)) return 0;
      const value = loadElement(cpu, from, size);
      if (faulted(cpu)) return 0;
      const to = segLinear(cpu, es, edi & mask, size, 1);
      if (faulted(cpu)) return 0;
      storeElement(cpu, to, value, size);
      if (faulted(cpu)) return 0;
      n = 1;
    }
    const step = back ? 0 - n * size : n * size;
    setRegMasked(cpu, Gpr.ESI, esi + step, mask);
    setRegMasked(cpu, Gpr.EDI, edi + step, mask);
    count -= n;
    if (rep) setRegMasked(cpu, Gpr.ECX, count, mask);
    if (count == 0) return 0;
    budget -= n;
  } while (budget != 0 && polled(cpu) == 0);
  return again(cpu);
}

function fillUp(to: usize, value: u32, bytes: u32, size: u32): void {
  if (size == 1) value *= 0x01010101;
  else if (size == 2) value *= 0x00010001;
  if (value == rotl<u32>(value, 8)) {
    memory.fill(to, <u8>value, bytes);
    return;
  }
  // Here size is 2 or 4.
  const end = to + bytes;
  for (; to + 4 <= end; to += 4) store<u32>(to, value);
  if (to < end) store<u16>(to, <u16>value);
}

function doStos(cpu: Cpu, size: u32, mask: u32, _seg: SegCache, rep: u32): u32 {
  let count: u32 = rep ? cpu.gpr[Gpr.ECX] & mask : 1;
  if (count == 0) return 0;
  const es = cpu.seg[Seg.ES];
  const back = backward(cpu);
  const eax = cpu.gpr[Gpr.EAX];
  const value: u32 = size == 4 ? eax : eax & ((1 << (size << 3)) - 1);
  let budget = budgetOf(cpu, size);
  do {
    const edi = cpu.gpr[Gpr.EDI];
    let n: u32 = 0;
    if (!back && count > 1) {
      n = inPage(es, edi & mask, size, mask, min<u32>(count, budget));
      if (n > 1) {
        const to = runHost(cpu, es, edi & mask, 0, n * size, 1);
        if (faulted(cpu)) return 0;
        if (to) {
          fillUp(to, value, n * size, size);
          noticeRun(cpu, n * size);
        } else n = 0;
      } else n = 0;
    }
    if (n == 0) {
      const to = segLinear(cpu, es, edi & mask, size, 1);
      if (faulted(cpu)) return 0;
      storeElement(cpu, to, value, size);
      if (faulted(cpu)) return 0;
      n = 1;
    }
    setRegMasked(cpu, Gpr.EDI, edi + (back ? 0 - size : n * size), mask);
    count -= n;
    if (rep) setRegMasked(cpu, Gpr.ECX, count, mask);
    if (count == 0) return 0;
    budget -= n;
  } while (budget != 0 && polled(cpu) == 0);
  return again(cpu);
}

function doLods(cpu: Cpu, size: u32, mask: u32, seg: SegCache, rep: u32): u32 {
  let count: u32 = rep ? cpu.gpr[Gpr.ECX] & mask : 1;
  if (count == 0) return 0;
  const step = backward(cpu) ? 0 - size : size;
  const part: u32 = size == 4 ? 0xffffffff : (1 << (size << 3)) - 1;
  let budget = budgetOf(cpu, size);
  do {
    const esi = cpu.gpr[Gpr.ESI];
    const from = segLinear(cpu, seg, esi & mask, size, 0);
    if (faulted(cpu)) return 0;
    const value = loadElement(cpu, from, size);
    if (faulted(cpu)) return 0;
    cpu.gpr[Gpr.EAX] = (cpu.gpr[Gpr.EAX] & ~part) | value;
    setRegMasked(cpu, Gpr.ESI, esi + step, mask);
    count--;
    if (rep) setRegMasked(cpu, Gpr.ECX, count, mask);
    if (count == 0) return 0;
    budget--;
  } while (budget != 0 && polled(cpu) == 0);
  return again(cpu);
}

/** CMPS: flags of [seg:ESI] - [ES:EDI]. */
function doCmps(cpu: Cpu, size: u32, mask: u32, seg: SegCache, rep: u32): u32 {
  let count: u32 = rep ? cpu.gpr[Gpr.ECX] & mask : 1;
  if (count == 0) return 0;
  const es = cpu.seg[Seg.ES];
  const back = backward(cpu);
  let budget = budgetOf(cpu, size);
  do {
    const esi = cpu.gpr[Gpr.ESI];
    const edi = cpu.gpr[Gpr.EDI];
    let n: u32 = 0;
    let a: u32 = 0;
    let b: u32 = 0;
    if (!back && count > 1) {
      const most = inPage(es, edi & mask, size, mask, inPage(seg, esi & mask, size, mask, min<u32>(count, budget)));
      if (most > 1) {
        let left = runHost(cpu, seg, esi & mask, 0, most * size, 0);
        if (faulted(cpu)) return 0;
        let right = left ? runHost(cpu, es, edi & mask, 0, most * size, 0) : 0;
        if (faulted(cpu)) return 0;
        while (right != 0 && n < most) {
          a = loadHost(left, size);
          b = loadHost(right, size);
          left += size;
          right += size;
          n++;
          if ((a == b) != (rep == REPE)) break;
        }
      }
    }
    if (n == 0) {
      const left = segLinear(cpu, seg, esi & mask, size, 0);
      if (faulted(cpu)) return 0;
      a = loadElement(cpu, left, size);
      if (faulted(cpu)) return 0;
      const right = segLinear(cpu, es, edi & mask, size, 0);
      if (faulted(cpu)) return 0;
      b = loadElement(cpu, right, size);
      if (faulted(cpu)) return 0;
      n = 1;
    }
    const step = back ? 0 - size : n * size;
    setRegMasked(cpu, Gpr.ESI, esi + step, mask);
    setRegMasked(cpu, Gpr.EDI, edi + step, mask);
    setSubFlags(cpu, a, b, size);
    count -= n;
    if (rep) setRegMasked(cpu, Gpr.ECX, count, mask);
    if (count == 0 || (a == b) != (rep == REPE)) return 0;
    budget -= n;
  } while (budget != 0 && polled(cpu) == 0);
  return again(cpu);
}

/** SCAS: flags of AL, AX or EAX - [ES:EDI]. */
function doScas(cpu: Cpu, size: u32, mask: u32, _seg: SegCache, rep: u32): u32 {
  let count: u32 = rep ? cpu.gpr[Gpr.ECX] & mask : 1;
  if (count == 0) return 0;
  const es = cpu.seg[Seg.ES];
  const back = backward(cpu);
  const eax = cpu.gpr[Gpr.EAX];
  const a: u32 = size == 4 ? eax : eax & ((1 << (size << 3)) - 1);
  let budget = budgetOf(cpu, size);
  do {
    const edi = cpu.gpr[Gpr.EDI];
    let n: u32 = 0;
    let b: u32 = 0;
    if (!back && count > 1) {
      const most = inPage(es, edi & mask, size, mask, min<u32>(count, budget));
      if (most > 1) {
        let at = runHost(cpu, es, edi & mask, 0, most * size, 0);
        if (faulted(cpu)) return 0;
        while (at != 0 && n < most) {
          b = loadHost(at, size);
          at += size;
          n++;
          if ((a == b) != (rep == REPE)) break;
        }
      }
    }
    if (n == 0) {
      const at = segLinear(cpu, es, edi & mask, size, 0);
      if (faulted(cpu)) return 0;
      b = loadElement(cpu, at, size);
      if (faulted(cpu)) return 0;
      n = 1;
    }
    setRegMasked(cpu, Gpr.EDI, edi + (back ? 0 - size : n * size), mask);
    setSubFlags(cpu, a, b, size);
    count -= n;
    if (rep) setRegMasked(cpu, Gpr.ECX, count, mask);
    if (count == 0 || (a == b) != (rep == REPE)) return 0;
    budget -= n;
  } while (budget != 0 && polled(cpu) == 0);
  return again(cpu);
}

// Many accesses at a time: what is before and behind them is in order with all of them.

export function movs(cpu: Cpu, size: u32, mask: u32, seg: SegCache, rep: u32): u32 {
  const esi = cpu.gpr[Gpr.ESI];
  const edi = cpu.gpr[Gpr.EDI];
  orderBulk(cpu);
  const more = doMovs(cpu, size, mask, seg, rep);
  orderBulk(cpu);
  if (tellsAccesses() && faulted(cpu)) {
    keepPart(cpu, 0, seg.base, esi, cpu.gpr[Gpr.ESI], size, 0);
    keepPart(cpu, 1, cpu.seg[Seg.ES].base, edi, cpu.gpr[Gpr.EDI], size, NotedAccess.WRITES);
  }
  return more;
}

export function stos(cpu: Cpu, size: u32, mask: u32, _seg: SegCache, rep: u32): u32 {
  const edi = cpu.gpr[Gpr.EDI];
  orderBulk(cpu);
  const more = doStos(cpu, size, mask, _seg, rep);
  orderBulk(cpu);
  if (tellsAccesses() && faulted(cpu)) keepPart(cpu, 1, cpu.seg[Seg.ES].base, edi, cpu.gpr[Gpr.EDI], size, NotedAccess.WRITES);
  return more;
}

export function lods(cpu: Cpu, size: u32, mask: u32, seg: SegCache, rep: u32): u32 {
  const esi = cpu.gpr[Gpr.ESI];
  orderBulk(cpu);
  const more = doLods(cpu, size, mask, seg, rep);
  orderBulk(cpu);
  if (tellsAccesses() && faulted(cpu)) keepPart(cpu, 0, seg.base, esi, cpu.gpr[Gpr.ESI], size, 0);
  return more;
}

export function cmps(cpu: Cpu, size: u32, mask: u32, seg: SegCache, rep: u32): u32 {
  const esi = cpu.gpr[Gpr.ESI];
  const edi = cpu.gpr[Gpr.EDI];
  orderBulk(cpu);
  const more = doCmps(cpu, size, mask, seg, rep);
  orderBulk(cpu);
  if (tellsAccesses() && faulted(cpu)) {
    keepPart(cpu, 0, seg.base, esi, cpu.gpr[Gpr.ESI], size, 0);
    keepPart(cpu, 1, cpu.seg[Seg.ES].base, edi, cpu.gpr[Gpr.EDI], size, 0);
  }
  return more;
}

export function scas(cpu: Cpu, size: u32, mask: u32, _seg: SegCache, rep: u32): u32 {
  const edi = cpu.gpr[Gpr.EDI];
  orderBulk(cpu);
  const more = doScas(cpu, size, mask, _seg, rep);
  orderBulk(cpu);
  if (tellsAccesses() && faulted(cpu)) keepPart(cpu, 1, cpu.seg[Seg.ES].base, edi, cpu.gpr[Gpr.EDI], size, 0);
  return more;
}
