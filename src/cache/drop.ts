// Device writes into pages that hold code: the host enters the page, every CPU drops its code before its next interrupt.
import type { SharedMemory } from '../cpu/state.ts';
import { Cpu, Pending } from '../layout/cpu.ts';
import { CONTROL, Control, cpuBase, DROP_QUEUE, DROP_QUEUE_ENTRIES, PAGE_HAS_CODE, PAGE_SHIFT, PageMeta } from '../layout/memory.ts';

const DROPPED = (CONTROL + Control.at.dropped) >> 2;

/** The host thread wrote `bytes` bytes at guest physical `address`. Call before the guest can know of it. */
export function ramWritten(shared: SharedMemory, address: number, bytes: number): void {
  const { i32, plan } = shared;
  let any = false;
  for (let page = address >>> PAGE_SHIFT; page <= (address + bytes - 1) >>> PAGE_SHIFT; page++) {
    if ((Atomics.load(i32, (plan.pageMeta + page * PageMeta.size + PageMeta.at.flags) >> 2) & PAGE_HAS_CODE) === 0) continue;
    const n = Atomics.load(i32, DROPPED);
    i32[(DROP_QUEUE >> 2) + ((n >>> 0) % DROP_QUEUE_ENTRIES)] = page;
    Atomics.store(i32, DROPPED, n + 1);
    any = true;
  }
  if (!any) return;
  for (let cpu = 0; cpu < plan.cpuCount; cpu++) {
    const pending = (cpuBase(plan, cpu) + Cpu.at.pending) >> 2;
    Atomics.or(i32, pending, Pending.DROP);
    Atomics.notify(i32, pending);
  }
}

/** Pages that CPU at `base` must drop now; undefined where it missed some: all. */
export function pagesToDrop(shared: SharedMemory, base: number): number[] | undefined {
  const { i32 } = shared;
  const seenAt = (base + Cpu.at.droppedSeen) >> 2;
  const seen = i32[seenAt]!;
  const now = Atomics.load(i32, DROPPED);
  i32[seenAt] = now;
  const count = (now - seen) >>> 0;
  if (count > DROP_QUEUE_ENTRIES / 2) return undefined;
  return Array.from({ length: count }, (_, k) => i32[(DROP_QUEUE >> 2) + (((seen + k) >>> 0) % DROP_QUEUE_ENTRIES)]!);
}
