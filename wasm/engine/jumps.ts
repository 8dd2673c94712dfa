// The jump caches, asked by EIP: what the dispatcher does inline (src/emit/interpreter/handlers.ts), for functions of the runtime that go elsewhere.
import { Cpu, JUMP_ENTRIES, JUMP_SHIFT, JUMP_WAYS, JumpEntry, Mode } from '../gen/layout';
import { enterPage } from './places';

@inline
function isUser(cpu: Cpu): bool {
  return (cpu.mode & Mode.USER) != 0;
}
@inline
function generation(cpu: Cpu): u32 {
  return isUser(cpu) ? cpu.jumpUserGen : cpu.jumpKernelGen;
}
/** Whether a generation of the user's may be gone on with, now or when the CPU comes back to another address space. */
@inline
export function isLiveUser(cpu: Cpu, gen: u32): bool {
  const first = cpu.jumpUserFirst;
  return gen != 0 && gen - first <= cpu.jumpUserLast - first;
}
@inline
function isLive(cpu: Cpu, gen: u32): bool {
  return isUser(cpu) ? isLiveUser(cpu, gen) : gen == cpu.jumpKernelGen;
}
@inline
function indexOf(eip: u32): u32 {
  return (eip ^ (eip >>> JUMP_SHIFT)) & (JUMP_ENTRIES - 1);
}
@inline
function entryAt(cpu: Cpu, index: u32): JumpEntry {
  return changetype<JumpEntry>((isUser(cpu) ? cpu.jumpUser : cpu.jumpKernel) + index * JumpEntry.SIZE);
}

/** The entry for CS:EIP by which the dispatcher would go on at once; 0: it has something else to do. */
export function jumpHere(cpu: Cpu): JumpEntry {
  const none = changetype<JumpEntry>(0);
  if (cpu.fault | cpu.exit | cpu.step) return none;
  const eip = cpu.eip;
  const entry = entryAt(cpu, indexOf(eip));
  if ((entry.eip ^ eip) | (entry.gen ^ generation(cpu))) return none;
  enterPage(cpu);
  return entry;
}

/** Where an entry waits that was displaced from `index`: in one that has nothing, else in place of another one that waits; 0: all beside it have code that belongs there. */
function placeBeside(cpu: Cpu, index: u32): usize {
  let waiting: usize = 0;
  for (let k: u32 = 1; k < JUMP_WAYS; k++) {
    const beside = entryAt(cpu, index ^ k);
    if (!isLive(cpu, beside.gen)) return changetype<usize>(beside);
    if (indexOf(beside.eip) != (index ^ k)) waiting = changetype<usize>(beside);
  }
  return waiting;
}

/** CS:EIP's entry. What was there waits beside it: two that are called in turn, often of a thousand, would be looked up each time. */
export function fillJump(cpu: Cpu, func: u32, arg: u32): void {
  const eip = cpu.eip;
  const index = indexOf(eip);
  const gen = generation(cpu);
  const entry = entryAt(cpu, index);
  if ((entry.eip ^ eip) | (entry.gen ^ gen) && isLive(cpu, entry.gen)) {
    const place = placeBeside(cpu, index);
    if (place) v128.store(place, v128.load(changetype<usize>(entry)));
  }
  entry.eip = eip;
  entry.gen = gen;
  entry.func = func;
  entry.arg = arg;
}

/** Whether what is known of CS:EIP waits beside its entry: then they have changed places. */
export function takeBack(cpu: Cpu): bool {
  const eip = cpu.eip;
  const index = indexOf(eip);
  const gen = generation(cpu);
  for (let k: u32 = 1; k < JUMP_WAYS; k++) {
    const beside = entryAt(cpu, index ^ k);
    if (beside.eip != eip || beside.gen != gen) continue;
    const there = changetype<usize>(beside);
    const here = changetype<usize>(entryAt(cpu, index));
    const found = v128.load(there);
    v128.store(there, v128.load(here));
    v128.store(here, found);
    return true;
  }
  return false;
}
