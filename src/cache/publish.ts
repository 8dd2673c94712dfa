// Modules on their way from the translator to the CPUs: a ring of bytes in shared memory. The translator writes a
// record and bumps Control.published; each CPU reads on from its Cpu.consumed at a safe point. Nobody needs an event loop.
import type { SharedMemory } from '../cpu/state.ts';
import { Cpu, Pending } from '../layout/cpu.ts';
import { Control, controlWord, cpuBase, PUBLISH, PUBLISH_BYTES } from '../layout/memory.ts';
import { lengthOf } from './code-image.ts';
import type { RegionEntry, TranslatedModule } from './translator.ts';

// A record: [bytes of the record, entries, bytes of the module, bytes of the images, index of the CPU that it is for, version of the list of clients], the entries of five words each (the last one: offsets in its image), the images, the
// module. An image: its offsets as 32 bits each, then its bytes.
// One of FLUSH entries and nothing else: all regions are to be dropped, as their slots are given back.
// A record never wraps: one with 0 entries and no module fills the rest of the ring before it.
const HEAD_WORDS = 6;
const ENTRY_WORDS = 5;
const ALIGN = 16;
const OFFSET_BYTES = 4;
const FLUSH = -1;
/** It is for all CPUs. */
const ALL = -1;
/** In the place of a module. */
export const DROP_REGIONS = 'drop regions';
const WAIT_MS = 100;
/** A CPU that sleeps may be so far behind. */
const WAKE_BYTES = PUBLISH_BYTES / 4;

const distance = (from: number, to: number) => (to - from) >>> 0;

/** The translator's end. */
export class Publisher {
  private readonly shared: SharedMemory;
  /** The version of the list of clients that modules are made by (clients/table.ts). */
  clients = 0;
  constructor(shared: SharedMemory) {
    this.shared = shared;
  }

  /** Publishes a module and tells every CPU. Waits while CPUs have not read enough; false where the machine stops meanwhile. */
  publish(module: TranslatedModule): boolean {
    const { i32, u8 } = this.shared;
    const images = module.entries.reduce((sum, { image }) => sum + image.ranges.length * OFFSET_BYTES + image.bytes.length, 0);
    const size = (HEAD_WORDS * 4 + module.entries.length * ENTRY_WORDS * 4 + images + module.bytes.length + ALIGN - 1) & -ALIGN;
    if (size > PUBLISH_BYTES / 2) throw new Error(`a module of ${size} bytes is too large to publish`);
    const position = this.makeRoom(size);
    if (position === undefined) return false;
    const at = PUBLISH + (position % PUBLISH_BYTES);
    i32.set([size, module.entries.length, module.bytes.length, images, module.owner ?? ALL, this.clients], at >> 2);
    const view = new DataView(u8.buffer);
    let to = at + (HEAD_WORDS + module.entries.length * ENTRY_WORDS) * 4;
    module.entries.forEach(({ slot, phys, eip, mode, image }, k) => {
      i32.set([slot, phys, eip, mode, image.ranges.length], (at >> 2) + HEAD_WORDS + k * ENTRY_WORDS);
      for (const offset of image.ranges) {
        view.setInt32(to, offset, true);
        to += OFFSET_BYTES;
      }
      u8.set(image.bytes, to);
      to += image.bytes.length;
    });
    u8.set(module.bytes, to);
    this.tell(position, size);
    return true;
  }

  /** Every CPU drops its regions, and has done so when this comes back; false where the machine stops meanwhile. */
  flush(): boolean {
    const size = (HEAD_WORDS * 4 + ALIGN - 1) & -ALIGN;
    const position = this.makeRoom(size);
    if (position === undefined) return false;
    this.shared.i32.set([size, FLUSH, 0, 0, ALL, this.clients], (PUBLISH + (position % PUBLISH_BYTES)) >> 2);
    this.tell(position, size);
    return this.waitFor((position + size) >>> 0, PUBLISH_BYTES);
  }

  /** Where in the ring a record of `size` bytes comes next, when there is room; undefined where the machine stops meanwhile. */
  private makeRoom(size: number): number | undefined {
    const { i32 } = this.shared;
    const position = Atomics.load(i32, controlWord(Control.at.published)) >>> 0;
    const tail = PUBLISH_BYTES - (position % PUBLISH_BYTES);
    const skip = tail < size ? tail : 0;
    if (!this.waitFor(position, skip + size)) return undefined;
    if (skip === 0) return position;
    i32.set([skip, 0, 0, 0], (PUBLISH + (position % PUBLISH_BYTES)) >> 2);
    return (position + skip) >>> 0;
  }

  /** The record at `position` is written. */
  private tell(position: number, size: number): void {
    const { i32 } = this.shared;
    Atomics.store(i32, controlWord(Control.at.published), position + size);
    Atomics.add(i32, controlWord(Control.at.epoch), 1);
    for (let cpu = 0; cpu < this.shared.plan.cpuCount; cpu++) {
      const pending = (cpuBase(this.shared.plan, cpu) + Cpu.at.pending) >> 2;
      Atomics.or(i32, pending, Pending.INSTALL);
      // One that sleeps reads on when it wakes, and is woken for it only where it is far behind.
      if (this.behind(cpu, position) > WAKE_BYTES) Atomics.notify(i32, pending);
    }
  }

  private waitFor(position: number, bytes: number): boolean {
    const { i32, plan } = this.shared;
    for (;;) {
      const signal = Atomics.load(i32, controlWord(Control.at.consumedSignal));
      let behind = 0;
      for (let cpu = 0; cpu < plan.cpuCount; cpu++) behind = Math.max(behind, this.behind(cpu, position));
      if (behind + bytes <= PUBLISH_BYTES) return true;
      if (Atomics.load(i32, controlWord(Control.at.stop)) !== 0) return false;
      for (let cpu = 0; cpu < plan.cpuCount; cpu++) Atomics.notify(i32, (cpuBase(plan, cpu) + Cpu.at.pending) >> 2);
      Atomics.wait(i32, controlWord(Control.at.consumedSignal), signal, WAIT_MS);
    }
  }

  private behind(cpu: number, position: number): number {
    return distance(Atomics.load(this.shared.i32, (cpuBase(this.shared.plan, cpu) + Cpu.at.consumed) >> 2), position);
  }
}

/** A CPU's end: the modules for it that it has not seen yet, in order, and DROP_REGIONS between them. Their bytes are copies. Those that were made by another list of clients than that of version `clients` are left out. */
export function* unseenModules(shared: SharedMemory, cpu: number, clients = 0): Generator<TranslatedModule | typeof DROP_REGIONS> {
  const { i32, u8 } = shared;
  const consumed = (cpu + Cpu.at.consumed) >> 2;
  while (i32[consumed] !== Atomics.load(i32, controlWord(Control.at.published))) {
    const at = PUBLISH + ((i32[consumed]! >>> 0) % PUBLISH_BYTES);
    const [size, count] = i32.subarray(at >> 2, (at >> 2) + 2) as unknown as [number, number];
    if (count === FLUSH) yield DROP_REGIONS;
    const [length, images, owner, madeBy] = i32.subarray((at >> 2) + 2, (at >> 2) + HEAD_WORDS) as unknown as [
      number,
      number,
      number,
      number,
    ];
    if (count > 0 && madeBy === clients && (owner === ALL || owner === i32[(cpu + Cpu.at.index) >> 2])) {
      const entries: RegionEntry[] = [];
      const first = at + (HEAD_WORDS + count * ENTRY_WORDS) * 4;
      let from = first;
      const view = new DataView(u8.buffer);
      for (let k = 0; k < count; k++) {
        const e = (at >> 2) + HEAD_WORDS + k * ENTRY_WORDS;
        const ranges: number[] = [];
        for (let i = 0; i < i32[e + 4]!; i++, from += OFFSET_BYTES) ranges.push(view.getInt32(from, true));
        const end = from + lengthOf(ranges);
        const image = { ranges, bytes: u8.slice(from, end) };
        entries.push({ slot: i32[e]!, phys: i32[e + 1]! >>> 0, eip: i32[e + 2]! >>> 0, mode: i32[e + 3]!, image });
        from = end;
      }
      const start = first + images;
      yield { bytes: u8.slice(start, start + length), entries };
    }
    Atomics.store(i32, consumed, i32[consumed]! + size);
    Atomics.add(i32, controlWord(Control.at.consumedSignal), 1);
    Atomics.notify(i32, controlWord(Control.at.consumedSignal));
  }
}
