// SYSENTER and SYSEXIT (SDM vol. 2): to CPL 0 and back with segments that are fixed rather than read from the GDT.
import { Cpu, Eflags, Gpr, Seg } from '../gen/layout';
import { setSegment } from '../segments/segment';
import { enterFlat } from './flat';
import { entered, general, updateModeBehindTransfer } from './flow';

/** Flat, 4 GiB, 32-bit, present, accessed: code that can be read and data that can be written, of DPL 0. */
const CODE_ACCESS: u32 = 0xc09b00;
const DATA_ACCESS: u32 = 0xc09300;

function enter(cpu: Cpu, cs: u32, ss: u32, cpl: u32): void {
  entered(cpu);
  if (enterFlat(cpu, cs | cpl, ss | cpl, cpl)) return;
  setSegment(cpu, Seg.CS, cs | cpl, 0, 0xffffffff, CODE_ACCESS | (cpl << 13));
  setSegment(cpu, Seg.SS, ss | cpl, 0, 0xffffffff, DATA_ACCESS | (cpl << 13));
  cpu.cpl = cpl;
  updateModeBehindTransfer(cpu);
}

export function sysenter(cpu: Cpu): void {
  const cs = cpu.sysenterCs & 0xfffc;
  if (!(cpu.cr0 & 1) || cs == 0) {
    general(cpu, 0);
    return;
  }
  cpu.eflags = cpu.eflags & ~(Eflags.VM | Eflags.IF | Eflags.RF);
  cpu.gpr[Gpr.ESP] = cpu.sysenterEsp;
  cpu.eip = cpu.sysenterEip;
  enter(cpu, cs, (cs + 8) & 0xffff, 0);
}

export function sysexit(cpu: Cpu): void {
  const cs = cpu.sysenterCs & 0xfffc;
  if (!(cpu.cr0 & 1) || cpu.cpl != 0 || cs == 0) {
    general(cpu, 0);
    return;
  }
  cpu.gpr[Gpr.ESP] = cpu.gpr[Gpr.ECX];
  cpu.eip = cpu.gpr[Gpr.EDX];
  enter(cpu, (cs + 16) & 0xffff, (cs + 24) & 0xffff, 3);
}
