// SYSENTER and SYSEXIT (SDM vol. 2): to CPL 0 and back with segments that are fixed rather than read from the GDT.
import { general, settleMode } from './flow';
import {
  CPU_CPL, CPU_CR0, CPU_EFLAGS, CPU_EIP, CPU_SYSENTERCS, CPU_SYSENTEREIP, CPU_SYSENTERESP, EFLAGS_IF, EFLAGS_RF, EFLAGS_VM, GPR_ECX, GPR_EDX,
  GPR_ESP, SEG_CS, SEG_SS,
} from '../gen/layout';
import { setSegment } from '../segments/segment';
import { reg, setReg } from '../base/state';

/** Flat, 4 GiB, 32-bit, present, accessed: code that can be read and data that can be written, of DPL 0. */
const CODE_ACCESS: u32 = 0xc09b00;
const DATA_ACCESS: u32 = 0xc09300;

function setFlat(cpu: usize, cs: u32, ss: u32, cpl: u32): void {
  setSegment(cpu, SEG_CS, cs | cpl, 0, 0xffffffff, CODE_ACCESS | (cpl << 13));
  setSegment(cpu, SEG_SS, ss | cpl, 0, 0xffffffff, DATA_ACCESS | (cpl << 13));
  store<u32>(cpu, cpl, CPU_CPL);
}

export function sysenter(cpu: usize): void {
  const cs = load<u32>(cpu, CPU_SYSENTERCS) & 0xfffc;
  if (!(load<u32>(cpu, CPU_CR0) & 1) || cs == 0) {
    general(cpu, 0);
    return;
  }
  store<u32>(cpu, load<u32>(cpu, CPU_EFLAGS) & ~(EFLAGS_VM | EFLAGS_IF | EFLAGS_RF), CPU_EFLAGS);
  setFlat(cpu, cs, (cs + 8) & 0xffff, 0);
  setReg(cpu, GPR_ESP, load<u32>(cpu, CPU_SYSENTERESP));
  store<u32>(cpu, load<u32>(cpu, CPU_SYSENTEREIP), CPU_EIP);
  settleMode(cpu);
}

export function sysexit(cpu: usize): void {
  const cs = load<u32>(cpu, CPU_SYSENTERCS) & 0xfffc;
  if (!(load<u32>(cpu, CPU_CR0) & 1) || load<u32>(cpu, CPU_CPL) != 0 || cs == 0) {
    general(cpu, 0);
    return;
  }
  setFlat(cpu, (cs + 16) & 0xffff, (cs + 24) & 0xffff, 3);
  setReg(cpu, GPR_ESP, reg(cpu, GPR_ECX));
  store<u32>(cpu, reg(cpu, GPR_EDX), CPU_EIP);
  settleMode(cpu);
}
