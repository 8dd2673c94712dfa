// The regions installed on one CPU: which table slots hold translations, by identity and by physical page, so that new
// blocks find their region and a store to a page with code puts the stub back.
import { PhysicalMemory } from '../cpu/physical.ts';
import type { Instance } from '../cpu/runtime.ts';
import type { SharedMemory } from '../cpu/state.ts';
import { pseudoIndex } from '../emit/table.ts';
import { BlockHead, PAGE_SHIFT } from '../layout/memory.ts';
import type { BlockCache } from './blocks.ts';
import type { RegionEntry, TranslatedModule } from './translator.ts';

export class RegionTable {
  private readonly shared: SharedMemory;
  private readonly instance: Instance;
  private readonly blocks: BlockCache;
  private readonly physical: PhysicalMemory;
  /** By physical address: usually one. */
  private readonly installed = new Map<number, RegionEntry[]>();
  private readonly pages = new Map<number, RegionEntry[]>();
  modules = 0;
  bytes = 0;

  constructor(shared: SharedMemory, instance: Instance, blocks: BlockCache) {
    this.shared = shared;
    this.instance = instance;
    this.blocks = blocks;
    this.physical = new PhysicalMemory(shared);
  }

  /** Puts a module's regions into the table. Those whose page changed since are left out. */
  install(module: TranslatedModule): void {
    const code = new WebAssembly.Instance(new WebAssembly.Module(module.bytes as Uint8Array<ArrayBuffer>), this.instance.imports).exports;
    this.modules++;
    this.bytes += module.bytes.length;
    for (const entry of module.entries) {
      const page = entry.phys >>> PAGE_SHIFT;
      if (!this.isCurrent(entry)) continue;
      this.instance.table.set(entry.slot, code[`r${entry.slot}`]);
      const same = this.installed.get(entry.phys);
      if (same === undefined) this.installed.set(entry.phys, [entry]);
      else if (!same.some((e) => e.slot === entry.slot)) same.push(entry);
      const list = this.pages.get(page);
      if (list) list.push(entry);
      else this.pages.set(page, [entry]);
      const head = this.blocks.find(entry.phys, entry.eip, entry.mode);
      if (head !== 0) this.enter(head, entry.slot);
    }
    this.blocks.bumpJumps();
  }

  /** Whether the region was made from what its page holds. */
  private isCurrent({ phys, version }: RegionEntry): boolean {
    return this.physical.version(phys >>> PAGE_SHIFT) === version;
  }

  private enter(head: number, slot: number): void {
    const { i32 } = this.shared;
    i32[(head + BlockHead.at.region) >> 2] = slot;
    i32[(head + BlockHead.at.handler) >> 2] = pseudoIndex('enter');
  }

  /** A block was decoded: if its code has a region, and has not changed since that was made, the block leads there. */
  attach(head: number): void {
    const { i32 } = this.shared;
    const at = (offset: number) => i32[(head + offset) >> 2]! >>> 0;
    for (const entry of this.installed.get(at(BlockHead.at.phys)) ?? [])
      if (entry.eip === at(BlockHead.at.eip) && entry.mode === at(BlockHead.at.mode) && this.isCurrent(entry)) this.enter(head, entry.slot);
  }

  /** Drops the regions of a physical page. */
  invalidate(page: number): void {
    const list = this.pages.get(page);
    if (list === undefined) return;
    this.pages.delete(page);
    for (const entry of list) {
      this.instance.table.set(entry.slot, this.instance.stub);
      this.installed.delete(entry.phys);
    }
  }

  /** True where regions of this physical page are installed. */
  has(page: number): boolean {
    return this.pages.has(page);
  }

  /** Regions installed now. */
  get count(): number {
    return this.installed.size;
  }
}
