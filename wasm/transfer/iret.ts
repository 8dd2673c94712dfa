// IRET (SDM vol. 2, IRET): back from a handler, in every mode.
import { updateMode } from '../system/control';
import { unblockNmi } from './deliver';
import { isProtected, segment } from '../segments/descriptor';
import { faulted } from '../base/fault';
import { writeFlags } from '../system/flags';
import { changeable, general, settleResume } from './flow';
import {
  CPU_CPL, CPU_EFLAGS, CPU_EIP, EFLAGS_AC, EFLAGS_ARITH, EFLAGS_DF, EFLAGS_ID, EFLAGS_IF, EFLAGS_IOPL, EFLAGS_NT, EFLAGS_RF,
  EFLAGS_TF, EFLAGS_VIF, EFLAGS_VIP, EFLAGS_VM, GPR_ESP, SEG_BASE, SEG_CS, SEG_DS, SEG_ES, SEG_FS, SEG_GS, SEG_LIMIT, SEG_SS, SEG_TR,
} from '../gen/layout';
import { sysLoad16 } from '../memory/memory';
import { setReal } from '../segments/segment';
import { closeStack, openCurrentStack, pop } from './stack';
import { serialize, setReg } from '../base/state';
import { TASK_RETURN, lengthOfTransfer, taskSwitch } from './task';
import { farReturn } from './transfer';

/** What a 32-bit IRET at CPL 0 can set when it goes to virtual-8086 mode: all. */
const ALL: u32 =
  EFLAGS_ARITH | EFLAGS_TF | EFLAGS_IF | EFLAGS_DF | EFLAGS_IOPL | EFLAGS_NT | EFLAGS_RF | EFLAGS_VM | EFLAGS_AC | EFLAGS_VIF | EFLAGS_VIP | EFLAGS_ID;

export function iret(cpu: usize, opsize: u32): void {
  serialize(cpu);
  if (!isProtected(cpu)) {
    iretReal(cpu, opsize);
    return;
  }
  if (load<u32>(cpu, CPU_EFLAGS) & EFLAGS_NT) {
    iretTask(cpu);
    return;
  }
  openCurrentStack(cpu, 0);
  const eip = pop(cpu, opsize);
  if (faulted(cpu)) return;
  const selector = pop(cpu, opsize) & 0xffff;
  if (faulted(cpu)) return;
  const flags = pop(cpu, opsize);
  if (faulted(cpu)) return;
  const cpl = load<u32>(cpu, CPU_CPL);
  if (opsize == 4 && flags & EFLAGS_VM && cpl == 0) {
    iretVirtual(cpu, eip, selector, flags);
    return;
  }
  // Who may change which flag is a matter of the privilege level before the return.
  let mask = changeable(cpu, opsize);
  if (opsize == 4) mask |= EFLAGS_RF | (cpl == 0 ? EFLAGS_VIF | EFLAGS_VIP : 0);
  if (farReturn(cpu, selector, eip, opsize, 0)) return;
  writeFlags(cpu, flags, mask);
  finish(cpu);
}

function finish(cpu: usize): void {
  unblockNmi(cpu);
  settleResume(cpu);
}

/** Real and virtual-8086 mode. */
function iretReal(cpu: usize, opsize: u32): void {
  const old = load<u32>(cpu, CPU_EFLAGS);
  const virtual = (old & EFLAGS_VM) != 0;
  if (virtual && (old & EFLAGS_IOPL) != EFLAGS_IOPL) {
    general(cpu, 0);
    return;
  }
  openCurrentStack(cpu, 0);
  const eip = pop(cpu, opsize);
  if (faulted(cpu)) return;
  const selector = pop(cpu, opsize) & 0xffff;
  if (faulted(cpu)) return;
  const flags = pop(cpu, opsize);
  if (faulted(cpu)) return;
  if (eip > load<u32>(segment(cpu, SEG_CS), SEG_LIMIT)) {
    general(cpu, 0);
    return;
  }
  closeStack(cpu);
  let mask: u32 = ALL & ~(EFLAGS_VM | EFLAGS_VIF | EFLAGS_VIP);
  if (virtual) mask &= ~EFLAGS_IOPL;
  if (opsize == 2) mask &= 0xffff;
  writeFlags(cpu, flags, mask);
  setReal(cpu, SEG_CS, selector);
  store<u32>(cpu, eip, CPU_EIP);
  updateMode(cpu);
  finish(cpu);
}

/** To virtual-8086 mode (SDM vol. 3, 20.2.5): ESP, SS, ES, DS, FS, GS follow on the stack. */
function iretVirtual(cpu: usize, eip: u32, cs: u32, flags: u32): void {
  const esp = pop(cpu, 4);
  if (faulted(cpu)) return;
  const ss = pop(cpu, 4);
  if (faulted(cpu)) return;
  const es = pop(cpu, 4);
  if (faulted(cpu)) return;
  const ds = pop(cpu, 4);
  if (faulted(cpu)) return;
  const fs = pop(cpu, 4);
  if (faulted(cpu)) return;
  const gs = pop(cpu, 4);
  if (faulted(cpu)) return;
  if (eip > 0xffff) {
    general(cpu, 0);
    return;
  }
  writeFlags(cpu, flags, ALL);
  store<u32>(cpu, 3, CPU_CPL);
  setReg(cpu, GPR_ESP, esp);
  setReal(cpu, SEG_CS, cs);
  setReal(cpu, SEG_SS, ss);
  setReal(cpu, SEG_ES, es);
  setReal(cpu, SEG_DS, ds);
  setReal(cpu, SEG_FS, fs);
  setReal(cpu, SEG_GS, gs);
  store<u32>(cpu, eip, CPU_EIP);
  updateMode(cpu);
  finish(cpu);
}

/** With NT set: back to the task that the link of the current TSS names (SDM vol. 3, 7.4). */
function iretTask(cpu: usize): void {
  const link = sysLoad16(cpu, load<u32>(segment(cpu, SEG_TR), SEG_BASE));
  if (faulted(cpu)) return;
  const next = load<u32>(cpu, CPU_EIP) + lengthOfTransfer(cpu);
  taskSwitch(cpu, link, TASK_RETURN, next, 0, 0);
  if (!faulted(cpu)) unblockNmi(cpu);
}
