// MASKMOVQ and MASKMOVDQU: stores of the bytes whose mask bit is set, all of them or, where one may not be written, none.
import { Cpu } from '../gen/layout';
import { probeWrite, store8 } from '../memory/memory';

function storeMasked(cpu: Cpu, linear: u32, data: v128, mask: u32): void {
  if (!mask) return;
  const first: u32 = ctz<u32>(mask);
  const last: u32 = 31 - clz<u32>(mask);
  if (probeWrite(cpu, linear + first, last - first + 1)) return;
  v128.store(cpu.scratch, data);
  for (let i = first; i <= last; i++) if ((mask >> i) & 1) store8(cpu, linear + i, load<u8>(cpu.scratch + i));
}

export function sseMaskmovq(cpu: Cpu, linear: u32, data: u64, mask: u64): void {
  storeMasked(cpu, linear, i64x2.splat(data), i8x16.bitmask(i64x2.splat(mask)) & 0xff);
}
export function sseMaskmovdqu(cpu: Cpu, linear: u32, data: v128, mask: v128): void {
  storeMasked(cpu, linear, data, i8x16.bitmask(mask));
}
