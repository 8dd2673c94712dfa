// IRET (SDM vol. 2, IRET): back from a handler, in every mode.
import { faulted } from '../base/fault';
import { serialize } from '../base/state';
import { Cpu, control, Eflags, Gpr, Relax, Seg } from '../gen/layout';
import { sysLoad16 } from '../memory/memory';
import { isProtected } from '../segments/descriptor';
import { setReal } from '../segments/segment';
import { updateMode } from '../system/control';
import { putFlags, writeFlags } from '../system/flags';
import { unblockNmi } from './deliver';
import { returnFlat } from './flat';
import { changeable, entered, general, updateResume } from './flow';
import { leavePoint, putPoint } from './points';
import { closeStack, openCurrentStack, pop } from './stack';
import { lengthOfTransfer, TASK_RETURN, taskSwitch } from './task';
import { farReturn } from './transfer';

/** What a 32-bit IRET at CPL 0 can set when it goes to virtual-8086 mode: all. */
const ALL: u32 =
  Eflags.ARITH |
  Eflags.TF |
  Eflags.IF |
  Eflags.DF |
  Eflags.IOPL |
  Eflags.NT |
  Eflags.RF |
  Eflags.VM |
  Eflags.AC |
  Eflags.VIF |
  Eflags.VIP |
  Eflags.ID;

export function iret(cpu: Cpu, opsize: u32): void {
  serialize(cpu);
  if (!isProtected(cpu)) {
    iretReal(cpu, opsize);
    return;
  }
  if (cpu.eflags & Eflags.NT) {
    iretTask(cpu);
    return;
  }
  if (opsize == 4) {
    const eip = control.relax & Relax.FRAMES ? 0 : putPoint(cpu);
    const frame = cpu.gpr[Gpr.ESP];
    const flags = returnFlat(cpu);
    if (eip) leavePoint(cpu, frame, eip, flags != 0);
    if (flags) {
      putFlags(cpu, flags, ALL & ~Eflags.VM);
      finish(cpu);
      return;
    }
  }
  openCurrentStack(cpu, 0);
  const eip = pop(cpu, opsize);
  if (faulted(cpu)) return;
  const selector = pop(cpu, opsize) & 0xffff;
  if (faulted(cpu)) return;
  const flags = pop(cpu, opsize);
  if (faulted(cpu)) return;
  const cpl = cpu.cpl;
  if (opsize == 4 && flags & Eflags.VM && cpl == 0) {
    iretVirtual(cpu, eip, selector, flags);
    return;
  }
  // Who may change which flag is a matter of the privilege level before the return.
  let mask = changeable(cpu, opsize);
  if (opsize == 4) mask |= Eflags.RF | (cpl == 0 ? Eflags.VIF | Eflags.VIP : 0);
  if (farReturn(cpu, selector, eip, opsize, 0)) return;
  writeFlags(cpu, flags, mask);
  finish(cpu);
}

function finish(cpu: Cpu): void {
  unblockNmi(cpu);
  updateResume(cpu);
  entered(cpu);
}

/** Real and virtual-8086 mode. */
function iretReal(cpu: Cpu, opsize: u32): void {
  const old = cpu.eflags;
  const virtual = (old & Eflags.VM) != 0;
  if (virtual && (old & Eflags.IOPL) != Eflags.IOPL) {
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
  if (eip > cpu.seg[Seg.CS].limit) {
    general(cpu, 0);
    return;
  }
  closeStack(cpu);
  let mask: u32 = ALL & ~(Eflags.VM | Eflags.VIF | Eflags.VIP);
  if (virtual) mask &= ~Eflags.IOPL;
  if (opsize == 2) mask &= 0xffff;
  writeFlags(cpu, flags, mask);
  setReal(cpu, Seg.CS, selector);
  cpu.eip = eip;
  updateMode(cpu);
  finish(cpu);
}

/** To virtual-8086 mode (SDM vol. 3, 20.2.5): ESP, SS, ES, DS, FS, GS follow on the stack. */
function iretVirtual(cpu: Cpu, eip: u32, cs: u32, flags: u32): void {
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
  cpu.cpl = 3;
  cpu.gpr[Gpr.ESP] = esp;
  setReal(cpu, Seg.CS, cs);
  setReal(cpu, Seg.SS, ss);
  setReal(cpu, Seg.ES, es);
  setReal(cpu, Seg.DS, ds);
  setReal(cpu, Seg.FS, fs);
  setReal(cpu, Seg.GS, gs);
  cpu.eip = eip;
  updateMode(cpu);
  finish(cpu);
}

/** With NT set: back to the task that the link of the current TSS names (SDM vol. 3, 7.4). */
function iretTask(cpu: Cpu): void {
  const link = sysLoad16(cpu, cpu.seg[Seg.TR].base);
  if (faulted(cpu)) return;
  const next = cpu.eip + lengthOfTransfer(cpu);
  taskSwitch(cpu, link, TASK_RETURN, next, 0, 0);
  if (!faulted(cpu)) unblockNmi(cpu);
}
