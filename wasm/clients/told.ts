// What the runtime tells clients of that no code of the guest's could: ways between the privilege levels, and accesses of guest memory that its own functions make (src/clients/runtime-code.ts).
// Each is a call of a function in the CPU's table.
import { hostClientCrossing } from '../gen/host';
import {
  ClientTells,
  ClientWords,
  Cpu,
  CpuArea,
  CROSSED_BY,
  CrossedBy,
  control,
  Delivery,
  Eflags,
  LAST_DELIVERIES,
  Mode,
  NotedAccess,
  STRING_PARTS,
} from '../gen/layout';

@inline
function wordsOf(cpu: Cpu): ClientWords {
  return changetype<CpuArea>(cpu).clientWords[0];
}

/** The host changes registers: that is no way of the guest's. (Of this instance of the runtime, which one thread has.) */
let ofHost: bool = false;
export function setOfHost(is: bool): void {
  ofHost = is;
}

function crossedBy(what: u32): u32 {
  const by: u32 = what & Delivery.INTERRUPT ? CrossedBy.INTERRUPT : what & Delivery.SOFTWARE ? CrossedBy.INSTRUCTION : CrossedBy.EXCEPTION;
  return (what & 0xff) | (by << CROSSED_BY);
}

/** The CPU has come to CPL 3, or from there. */
export function crossed(cpu: Cpu): void {
  if (ofHost) return;
  const words = wordsOf(cpu);
  const count = cpu.lastDeliveryCount;
  const into = !(cpu.mode & Mode.USER);
  const delivered = into && count != words.deliveries;
  words.deliveries = count;
  const note = cpu.lastDeliveries[(count - 1) & (LAST_DELIVERIES - 1)];
  words.by = delivered ? crossedBy(note.what) : 0;
  words.at = delivered ? note.eip : 0;
  const code = words.crossing[into ? 0 : 1];
  if (code) call_indirect<void>(code, 0, cpu);
  if (control.clientTells & ClientTells.CROSSED) hostClientCrossing(cpu);
}

/** Whether somebody wants to know of accesses. */
@inline
export function tellsAccesses(): bool {
  return (control.clientTells & ClientTells.ACCESS) != 0;
}

function tell(cpu: Cpu, linear: u32, bytes: u32, kind: u32): void {
  const words = wordsOf(cpu);
  const code = words.access[kind];
  if (!code) return;
  words.address = linear;
  words.bytes = bytes;
  call_indirect<void>(code, 0, cpu);
}

/** A push or a pop was made, with the user's rights or the kernel's. All of the CPU's state but what the transfer changes is in memory. */
@inline
export function tellStack(cpu: Cpu, linear: u32, size: u32, user: u32, write: u32): void {
  if (tellsAccesses()) tellWord(cpu, linear, size, user, write);
}

export function tellWord(cpu: Cpu, linear: u32, size: u32, user: u32, write: u32): void {
  tell(cpu, linear, size, write | (user ? NotedAccess.USER : 0) | (size == 2 ? NotedAccess.WORD : 0));
}

/** Words of 32 bits that were pushed at once: the last one at `top`. */
export function tellPushes(cpu: Cpu, top: u32, bytes: u32): void {
  for (let at = top + bytes; at != top; ) {
    at -= 4;
    tellWord(cpu, at, 4, 0, NotedAccess.WRITES);
  }
}

/** The same of words that were popped, the first one at `top`. */
export function tellPops(cpu: Cpu, top: u32, bytes: u32): void {
  for (let at = top; at != top + bytes; at += 4) tellWord(cpu, at, 4, 0, 0);
}

/** A string instruction has faulted: what it did before, from one place to another, is told when the fault is delivered, with all of the CPU's state in memory. `n`: 0 by ESI, 1 by EDI. */
export function keepPart(cpu: Cpu, n: u32, base: u32, from: u32, to: u32, size: u32, write: u32): void {
  const part = changetype<CpuArea>(cpu).stringParts[n];
  const down = (cpu.eflags & Eflags.DF) != 0;
  part.address = base + (down ? to + size : from);
  part.bytes = down ? from - to : to - from;
  part.kind = NotedAccess.RUN | write | (cpu.mode & Mode.USER ? NotedAccess.USER : 0);
}

/** At a fault's delivery. */
export function tellParts(cpu: Cpu): void {
  for (let n: u32 = 0; n < STRING_PARTS; n++) {
    const part = changetype<CpuArea>(cpu).stringParts[n];
    const bytes = part.bytes;
    part.bytes = 0;
    if (bytes) tell(cpu, part.address, bytes, part.kind);
  }
}
