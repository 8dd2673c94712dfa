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
  /** By physical page and table slot. */
  private readonly pages = new Map<number, Map<number, RegionEntry>>();
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
      // Marked before the look at the version: a store that comes behind the look is told to this CPU (see drop.ts).
      this.physical.mark(page);
      if (!this.isCurrent(entry)) continue;
      this.instance.table.set(entry.slot, code[`r${entry.slot}`]);
      const list = this.pages.get(page);
      if (list) list.set(entry.slot, entry);
      else this.pages.set(page, new Map([[entry.slot, entry]]));
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
    const phys = at(BlockHead.at.phys);
    for (const entry of this.pages.get(phys >>> PAGE_SHIFT)?.values() ?? [])
      if (entry.phys === phys && entry.eip === at(BlockHead.at.eip) && entry.mode === at(BlockHead.at.mode) && this.isCurrent(entry))
        this.enter(head, entry.slot);
  }

  /** Drops all regions of a physical page. */
  invalidate(page: number): void {
    this.drop(page, () => false);
  }

  /**
   * Drops the regions of a physical page that are older than the last store to it. A CPU may hear of that store when it has installed already what was
   * translated behind it; nobody would make that again.
   */
  invalidateOld(page: number): void {
    if (!this.has(page)) return;
    // As for an installation.
    this.physical.mark(page);
    this.drop(page, (entry) => this.isCurrent(entry));
  }

  private drop(page: number, keeps: (entry: RegionEntry) => boolean): void {
    const list = this.pages.get(page);
    if (list === undefined) return;
    for (const entry of [...list.values()]) {
      if (keeps(entry)) continue;
      this.instance.table.set(entry.slot, this.instance.stub);
      list.delete(entry.slot);
    }
    if (list.size === 0) this.pages.delete(page);
  }

  /** True where regions of this physical page are installed. */
  has(page: number): boolean {
    return this.pages.has(page);
  }
}
