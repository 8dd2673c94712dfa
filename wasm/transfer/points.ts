// Frames of interrupted kernel code without the relaxation `frames`, as translators have them whose code is entered by the hardware: a frame gets the address of the point at which a region was
// interrupted, the dispatcher finds the EIP that it stands for (POINTS) and writes that over it, and at IRET to the kernel it does so backwards.
import { loadGuest, storeGuest } from '../base/order';
import { codeAddress, findBlock } from '../engine/lookup';
import { Cpu, Gpr, Mode, SLOTS, Slot, Tlb } from '../gen/layout';
import { isProtected } from '../segments/descriptor';
import { hostOf } from './flat';

const FRAME_BYTES: u32 = 12;

/** The EIP that a point stands for. */
@inline
export function eipOf(point: u32): u32 {
  return load<u32>(point);
}

@inline
function frameHost(cpu: Cpu, esp: u32): usize {
  return hostOf(cpu, esp, FRAME_BYTES, Tlb.KERNEL_WRITE);
}

/** The frame at ESP, which was stored by the short way just now, gets the EIP in the place of the point. */
export function takePoint(cpu: Cpu): void {
  const host = frameHost(cpu, cpu.gpr[Gpr.ESP]);
  storeGuest<u32>(cpu, host, eipOf(loadGuest<u32>(cpu, host)));
}

/** Before IRET of flat code at CPL 0 to CPL 0: the frame gets the first point of the region at its EIP, where there is one. That EIP; 0: nothing was done. */
export function putPoint(cpu: Cpu): u32 {
  if (!(cpu.mode & Mode.FLAT) || cpu.cpl != 0 || !isProtected(cpu)) return 0;
  const host = frameHost(cpu, cpu.gpr[Gpr.ESP]);
  if (!host || loadGuest<u32>(cpu, host + 4) & 3) return 0;
  const eip = loadGuest<u32>(cpu, host);
  // (Where it cannot be fetched the instruction behind IRET faults.)
  if (codeAddress(cpu, eip) < 0) return 0;
  const here = cpu.eip;
  cpu.eip = eip;
  const head = findBlock(cpu);
  cpu.eip = here;
  if (!head) return 0;
  // The slot of none has none.
  const point = changetype<Slot>(SLOTS + head.region * Slot.SIZE).points;
  if (!point) return 0;
  storeGuest<u32>(cpu, host, point);
  return eip;
}

/** Behind it: Cpu.eip is what the point stood for, where IRET was done, and the frame, which is nobody's then, is as it was. */
export function leavePoint(cpu: Cpu, frame: u32, eip: u32, done: bool): void {
  if (done) cpu.eip = eipOf(cpu.eip);
  storeGuest<u32>(cpu, frameHost(cpu, frame), eip);
}
