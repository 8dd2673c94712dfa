// The regions installed on one CPU: which table slots hold translations, by identity and by physical page, so that new
// blocks find their region and a store to its code puts the stub back. A dropped region waits for a while: its code may come back as it was.
import { PhysicalMemory } from '../cpu/physical.ts';
import type { Instance } from '../cpu/runtime.ts';
import type { SharedMemory } from '../cpu/state.ts';
import { Mode } from '../layout/cpu.ts';
import { BlockHead, Control, controlWord, PAGE, PAGE_SHIFT } from '../layout/memory.ts';
import type { BlockCache, Jumps } from './blocks.ts';
import { pagesOf, touches } from './code-image.ts';
import type { RegionEntry, TranslatedModule } from './translator.ts';

/** Dropped regions that are kept at the most. */
const MOST_WAITING = 256;

interface Region {
  readonly entry: RegionEntry;
  readonly code: CallableFunction;
}

/** Whether a region is made from something in `bytes` bytes at `phys`. */
function isMadeFrom({ phys: entry, image }: RegionEntry, phys: number, bytes: number): boolean {
  const start = phys - (entry - (entry & (PAGE - 1)));
  return touches(image, start, start + bytes);
}

export class RegionTable {
  private readonly instance: Instance;
  private readonly shared: SharedMemory;
  private readonly blocks: BlockCache;
  private readonly physical: PhysicalMemory;
  /** By physical page that they are made from something on, and table slot. */
  private readonly pages = new Map<number, Map<number, Region>>();
  /** Dropped ones, by table slot, the oldest first. */
  private readonly waiting = new Map<number, Region>();
  /** Slots of the dropped ones, by the physical page of their entry. */
  private readonly waitingOf = new Map<number, Set<number>>();
  modules = 0;
  bytes = 0;

  constructor(shared: SharedMemory, instance: Instance, blocks: BlockCache) {
    this.shared = shared;
    this.instance = instance;
    this.blocks = blocks;
    this.physical = new PhysicalMemory(shared);
  }

  /** Puts a module's regions into the table. Those whose code changed since are left out; where all did, nothing is compiled. */
  install(module: TranslatedModule): void {
    if (!module.entries.some(({ phys, image }) => this.physical.holds(phys >>> PAGE_SHIFT, image))) return;
    // Its regions name no slot that was not given away before it was published.
    this.instance.reach(Atomics.load(this.shared.i32, controlWord(Control.at.slotNext)));
    const code = new WebAssembly.Instance(new WebAssembly.Module(module.bytes as Uint8Array<ArrayBuffer>), this.instance.imports).exports;
    this.modules++;
    this.bytes += module.bytes.length;
    for (const entry of module.entries) this.put({ entry, code: code[`r${entry.slot}`] as CallableFunction });
  }

  /** Puts a region into the table, if its code is what it was made from. */
  private put(region: Region): boolean {
    const { entry } = region;
    const page = entry.phys >>> PAGE_SHIFT;
    const pages = pagesOf(page, entry.image);
    this.markCallees(entry);
    if (!this.physical.enterImage(page, entry.image)) return false;
    for (const each of pages) if (this.physical.isRam(each)) this.blocks.awaitStores(each * PAGE);
    if (!this.physical.holds(page, entry.image)) return false;
    const before = this.pages.get(page)?.get(entry.slot);
    if (before !== undefined) this.unlist(before.entry);
    this.instance.table.set(entry.slot, region.code);
    for (const each of pages) {
      const list = this.pages.get(each);
      if (list) list.set(entry.slot, region);
      else this.pages.set(each, new Map([[entry.slot, region]]));
    }
    this.forget(entry);
    const head = this.blocks.find(entry.phys, entry.eip, entry.mode);
    if (head !== 0) this.blocks.enterRegion(head, entry.slot);
    return true;
  }

  /** Stores to what a region is made from on other pages than its own are to be noticed: this run may have seen no code there yet. (Its own page has some, or nobody had asked for the region.) */
  private markCallees({ phys, image: { ranges } }: RegionEntry): void {
    const own = phys & -PAGE;
    for (let i = 0; i < ranges.length; i += 2) {
      const at = (own + ranges[i]!) >>> 0;
      if (at >>> PAGE_SHIFT !== phys >>> PAGE_SHIFT && !this.physical.hasCode(at >>> PAGE_SHIFT))
        this.blocks.mark(at, ranges[i + 1]! - ranges[i]!);
    }
  }

  /** A block was decoded: if its code has a region, the block leads there. */
  attach(head: number): void {
    const { i32 } = this.shared;
    const at = (offset: number) => i32[(head + offset) >> 2]! >>> 0;
    const phys = at(BlockHead.at.phys);
    const page = phys >>> PAGE_SHIFT;
    const isOf = ({ entry }: Region) => entry.phys === phys && entry.eip === at(BlockHead.at.eip) && entry.mode === at(BlockHead.at.mode);
    for (const region of this.pages.get(page)?.values() ?? []) if (isOf(region)) return this.blocks.enterRegion(head, region.entry.slot);
    for (const slot of this.waitingOf.get(page) ?? []) {
      const region = this.waiting.get(slot)!;
      if (isOf(region) && this.put(region)) return this.blocks.enterRegion(head, slot);
    }
  }

  /** Drops the regions of a physical page that were made from what is there no longer. */
  review(page: number): Jumps {
    return this.drop(page, ({ entry }) => !this.isCurrent(entry));
  }

  /** Drops the regions made from something in `bytes` bytes at `phys`, all in one page, that is there no longer. */
  invalidate(phys: number, bytes: number): Jumps {
    return this.drop(phys >>> PAGE_SHIFT, ({ entry }) => isMadeFrom(entry, phys, bytes) && !this.isCurrent(entry));
  }

  /** Drops all regions of a physical page. */
  invalidateAll(page: number): Jumps {
    return this.drop(page, () => true);
  }

  private drop(page: number, goes: (region: Region) => boolean): Jumps {
    const list = this.pages.get(page);
    let dropped: number = 0;
    if (list === undefined) return 0;
    for (const region of [...list.values()]) {
      if (!goes(region)) continue;
      const { slot, mode, phys, eip } = region.entry;
      this.instance.table.set(slot, this.instance.stub);
      this.unlist(region.entry);
      // Its first block may not have been hit.
      const head = this.blocks.find(phys, eip, mode);
      if (head !== 0) this.blocks.leaveRegion(head);
      this.keep(region);
      dropped |= mode & Mode.USER ? 2 : 1;
    }
    return dropped as Jumps;
  }

  /** Takes a region out of the lists of its pages. */
  private unlist({ slot, phys, image }: RegionEntry): void {
    for (const page of pagesOf(phys >>> PAGE_SHIFT, image)) {
      const list = this.pages.get(page)!;
      list.delete(slot);
      if (list.size === 0) this.pages.delete(page);
    }
  }

  /** Whether memory still holds what a region was made from. */
  private isCurrent({ phys, image }: RegionEntry): boolean {
    return this.physical.holds(phys >>> PAGE_SHIFT, image);
  }

  private keep(region: Region): void {
    const { entry } = region;
    this.forget(entry);
    this.waiting.set(entry.slot, region);
    const page = entry.phys >>> PAGE_SHIFT;
    const slots = this.waitingOf.get(page);
    if (slots) slots.add(entry.slot);
    else this.waitingOf.set(page, new Set([entry.slot]));
    if (this.waiting.size > MOST_WAITING) this.forget(this.waiting.values().next().value!.entry);
  }

  private forget({ slot, phys }: RegionEntry): void {
    if (!this.waiting.delete(slot)) return;
    const page = phys >>> PAGE_SHIFT;
    const slots = this.waitingOf.get(page)!;
    slots.delete(slot);
    if (slots.size === 0) this.waitingOf.delete(page);
  }

  /** Dropped regions are not kept: what they were made for has changed. */
  forgetDropped(): void {
    this.waiting.clear();
    this.waitingOf.clear();
  }

  /** True where a region is made from something in `bytes` bytes at `phys`, all in one page. */
  holds(phys: number, bytes: number): boolean {
    for (const { entry } of this.pages.get(phys >>> PAGE_SHIFT)?.values() ?? []) if (isMadeFrom(entry, phys, bytes)) return true;
    return false;
  }

  /** Pages with regions. */
  pageNumbers(): Iterable<number> {
    return this.pages.keys();
  }
}
