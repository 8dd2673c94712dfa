// Far transfers as emitted code calls them: each gives the entry of the jump cache for where it went, so that its caller goes on there at once; 0: that is the
// dispatcher's, or a fault's handler's.
import { jumpHere } from '../engine/jumps';
import { Cpu, JumpEntry } from '../gen/layout';
import { softInterrupt as doInterrupt, into as doInto } from './deliver';
import { iret as doReturn } from './iret';
import { sysenter as doEnter, sysexit as doExit } from './sysenter';
import { farCall as doCall, farRet as doFarReturn, farJump as doJump } from './transfer';

export function farJump(cpu: Cpu, selector: u32, offset: u32, opsize: u32): JumpEntry {
  doJump(cpu, selector, offset, opsize);
  return jumpHere(cpu);
}

export function farCall(cpu: Cpu, selector: u32, offset: u32, opsize: u32, nextEip: u32): JumpEntry {
  doCall(cpu, selector, offset, opsize, nextEip);
  return jumpHere(cpu);
}

export function farRet(cpu: Cpu, opsize: u32, popBytes: u32): JumpEntry {
  doFarReturn(cpu, opsize, popBytes);
  return jumpHere(cpu);
}

export function iret(cpu: Cpu, opsize: u32): JumpEntry {
  doReturn(cpu, opsize);
  return jumpHere(cpu);
}

export function softInterrupt(cpu: Cpu, vector: u32, nextEip: u32, kind: u32): JumpEntry {
  doInterrupt(cpu, vector, nextEip, kind);
  return jumpHere(cpu);
}

export function into(cpu: Cpu, nextEip: u32, overflow: u32): JumpEntry {
  doInto(cpu, nextEip, overflow);
  return jumpHere(cpu);
}

export function sysenter(cpu: Cpu): JumpEntry {
  doEnter(cpu);
  return jumpHere(cpu);
}

export function sysexit(cpu: Cpu): JumpEntry {
  doExit(cpu);
  return jumpHere(cpu);
}
