// Far transfers as emitted code calls them: each gives the entry of the jump cache for where it went, so that its caller goes on there at once; 0: that is the
// dispatcher's, or a fault's handler's.
import { enterSlow, leaveSlow } from '../engine/costs';
import { jumpHere } from '../engine/jumps';
import { Cpu, JumpEntry, SlowPath } from '../gen/layout';
import { softInterrupt as doInterrupt, into as doInto } from './deliver';
import { iret as doReturn } from './iret';
import { sysenter as doEnter, sysexit as doExit } from './sysenter';
import { farCall as doCall, farRet as doFarReturn, farJump as doJump } from './transfer';

export function farJump(cpu: Cpu, selector: u32, offset: u32, opsize: u32): JumpEntry {
  const since = enterSlow(cpu, SlowPath.FAR);
  doJump(cpu, selector, offset, opsize);
  const entry = jumpHere(cpu);
  leaveSlow(cpu, SlowPath.FAR, since);
  return entry;
}

export function farCall(cpu: Cpu, selector: u32, offset: u32, opsize: u32, nextEip: u32): JumpEntry {
  const since = enterSlow(cpu, SlowPath.FAR);
  doCall(cpu, selector, offset, opsize, nextEip);
  const entry = jumpHere(cpu);
  leaveSlow(cpu, SlowPath.FAR, since);
  return entry;
}

export function farRet(cpu: Cpu, opsize: u32, popBytes: u32): JumpEntry {
  const since = enterSlow(cpu, SlowPath.FAR);
  doFarReturn(cpu, opsize, popBytes);
  const entry = jumpHere(cpu);
  leaveSlow(cpu, SlowPath.FAR, since);
  return entry;
}

export function iret(cpu: Cpu, opsize: u32): JumpEntry {
  const since = enterSlow(cpu, SlowPath.RETURN);
  doReturn(cpu, opsize);
  const entry = jumpHere(cpu);
  leaveSlow(cpu, SlowPath.RETURN, since);
  return entry;
}

export function softInterrupt(cpu: Cpu, vector: u32, nextEip: u32, kind: u32): JumpEntry {
  const since = enterSlow(cpu, SlowPath.ENTRY);
  doInterrupt(cpu, vector, nextEip, kind);
  const entry = jumpHere(cpu);
  leaveSlow(cpu, SlowPath.ENTRY, since);
  return entry;
}

export function into(cpu: Cpu, nextEip: u32, overflow: u32): JumpEntry {
  const since = enterSlow(cpu, SlowPath.ENTRY);
  doInto(cpu, nextEip, overflow);
  const entry = jumpHere(cpu);
  leaveSlow(cpu, SlowPath.ENTRY, since);
  return entry;
}

export function sysenter(cpu: Cpu): JumpEntry {
  const since = enterSlow(cpu, SlowPath.ENTRY);
  doEnter(cpu);
  const entry = jumpHere(cpu);
  leaveSlow(cpu, SlowPath.ENTRY, since);
  return entry;
}

export function sysexit(cpu: Cpu): JumpEntry {
  const since = enterSlow(cpu, SlowPath.RETURN);
  doExit(cpu);
  const entry = jumpHere(cpu);
  leaveSlow(cpu, SlowPath.RETURN, since);
  return entry;
}
