// Turns requests for hot code into modules of regions. Knows no thread: the translator Worker runs it in the
// background, a CPU that is told to translate everything at once calls it directly.
import { PhysicalMemory } from '../cpu/physical.ts';
import type { SharedMemory } from '../cpu/state.ts';
import type { MakeBuilder } from '../emit/module/builder.ts';
import { directBuilders } from '../emit/module/load.ts';
import { isNear, type Part, type Place, putTogether, slotsIn, takeApart } from '../emit/module/relocation.ts';
import { Emitter, importNamed } from '../emit/module.ts';
import { withExportNames } from '../emit/names.ts';
import { emitRegion, type RegionDemands } from '../emit/region/region.ts';
import { instrumentsAsked } from '../instrument/index.ts';
import { Mode } from '../layout/cpu.ts';
import { CONTROL, Control, PAGE, PAGE_SHIFT, Relax, SLOTS, Slot, TABLE_ENTRIES } from '../layout/memory.ts';
import { growRegion, type Region } from '../translate/grow.ts';
import { type CodeCache, imageAt, type KeptRegion, mayMove, NEXT_PLACE, startOf } from './code-cache.ts';
import { type CodeImage, imageOf, pieceOf, putImage } from './code-image.ts';

export interface Request {
  readonly phys: number;
  readonly eip: number;
  readonly mode: number;
}

/** A region of a published module: function `r<slot>` goes into table slot `slot`, if its page still holds `image`. */
export interface RegionEntry extends Request {
  readonly slot: number;
  readonly image: CodeImage;
}

/** A region that is to be kept, what was asked of it, and how many table slots it asked for. */
interface UnkeptRegion {
  readonly entry: RegionEntry;
  readonly demands: RegionDemands;
  readonly inner: readonly number[];
  /** See KeptRegion. */
  readonly moved: readonly number[];
  readonly slots: number;
}

/** A kept region of a kernel that may move, and how it was made. */
interface Unproven {
  readonly region: KeptRegion;
  readonly request: Request;
  readonly demands: RegionDemands;
  readonly makeBuilder: MakeBuilder;
}

interface UnkeptModule {
  readonly makeBuilder: MakeBuilder;
  readonly bytes: Uint8Array;
  readonly regions: readonly UnkeptRegion[];
}

/** As text, what the code of a request depends on. */
function demandsOf({ mode }: Request, { instruments = [], directOrigin = 0, precise = true, atomic }: RegionDemands): string {
  const user = (mode & Mode.USER) !== 0;
  return [user ? 0 : directOrigin, user || precise, atomic, ...instruments.map(({ name }) => name)].join();
}

export interface TranslatedModule {
  readonly bytes: Uint8Array;
  readonly entries: readonly RegionEntry[];
}

/**
 * Code with regions under so many addresses gets more of them only for a block that asks once more than each of so many CPUs can have: a kernel maps its vDSO at another
 * address in each process, and a module costs as much as interpreting some ten thousand blocks.
 */
export const COPIES = 4;
const COPY_CPUS = 4;
/** Requests that are remembered until they are made again. */
const MOST_ASKED = 4096;
/** The same for requests of the same code. */
const keyOf = (phys: number, eip: number, mode: number): string => `${phys}:${eip}:${mode}`;

/** Code that changed so often, each time before so many other regions were made, is changing still: fewer and fewer of its requests are granted. */
const CHANGES = 4;
const SOON = 64;
const MOST_REFUSED = 64;

/** Regions that wait to be made at another place. */
const MOST_UNPROVEN = 4096;

/** A call of a table slot names it so often: as what is called, and as its argument. */
const MENTIONS = 2;

/** Table slots that regions under way may need. */
const SLOTS_KEPT = 4096;

export class Translator {
  private readonly shared: SharedMemory;
  private readonly physical: PhysicalMemory;
  private readonly atomic: boolean;
  /** The encoder of the modules to come. */
  makeBuilder: MakeBuilder;
  private readonly slots = new Map<string, number>();
  private readonly page = new Uint8Array(PAGE);
  /** Slots translated, with the version of their page; and guest PCs inside a region that were asked for once. */
  private readonly done = new Map<number, number>();
  private readonly inside = new Map<string, number>();
  /** By physical address: of how many regions the code there is part of as its entry, and at which version of its page. */
  private readonly copies = new Map<number, { version: number; count: number }>();
  /** How often regions were asked for that would be one copy more. */
  private readonly asked = new Map<string, number>();
  /** By slot: how often in short order a region was made there, which region of all the last one was, and how many requests are still refused. */
  private readonly changing = new Map<number, { changes: number; at: number; refuse: number }>();
  /** Verify the IR of regions behind each pass (tests and debugging). */
  verify = false;
  /** Regions translated so far. */
  regions = 0;
  /** Regions that an error of ours prevented. */
  failed = 0;
  /** Gets such an error: what some code is must not end the machine, so it stays in the interpreter. Without it the error is thrown. */
  onError: ((error: unknown, request: Request) => void) | undefined;
  /** What is kept of other runs, and where regions of this one are kept. */
  codeCache: CodeCache | undefined;
  private readonly unkept: UnkeptModule[] = [];
  private readonly unproven: Unproven[] = [];
  /** Gets the error that kept a module from being kept. */
  onUnkept: ((error: unknown) => void) | undefined;
  /** Regions that were found there. */
  recalled = 0;
  /** Names regions for profilers; without it they have no names. */
  nameOf: ((request: Request) => string) | undefined;

  /** `firstSlot`: the first table index behind the handlers. `atomic`: whether locked accesses are atomic. `makeBuilder`: the encoder. */
  constructor(shared: SharedMemory, firstSlot: number, makeBuilder = directBuilders, atomic = shared.plan.cpuCount > 1) {
    this.atomic = atomic;
    this.makeBuilder = makeBuilder;
    this.shared = shared;
    this.physical = new PhysicalMemory(shared);
    shared.i32[(CONTROL + Control.at.slotNext) >> 2] = firstSlot;
  }

  /** The table slot of a guest PC; always the same for the same code. */
  slotOf(phys: number, eip: number, mode: number): number {
    const key = keyOf(phys >>> 0, eip, mode);
    let slot = this.slots.get(key);
    if (slot !== undefined) return slot;
    const { i32 } = this.shared;
    slot = i32[(CONTROL + Control.at.slotNext) >> 2]!++;
    if (slot >= TABLE_ENTRIES) throw new Error('the function table is full');
    this.slots.set(key, slot);
    const at = (SLOTS + slot * Slot.size) >> 2;
    i32[at + Slot.at.eip / 4] = eip;
    i32[at + Slot.at.phys / 4] = phys;
    i32[at + Slot.at.mode / 4] = mode;
    return slot;
  }

  private get demands(): RegionDemands {
    const word = (offset: number) => this.shared.i32[(CONTROL + offset) >> 2]!;
    const origin = (word(Control.at.relax) & Relax.DIRECTMAP) !== 0 ? word(Control.at.directOrigin) : 0;
    return {
      instruments: instrumentsAsked(word),
      directOrigin: origin === 0 ? undefined : origin,
      precise: (word(Control.at.relax) & Relax.PRECISION) === 0,
      atomic: this.atomic,
      verify: this.verify,
    };
  }

  /** Whether the table has slots for more regions and for where those lead to; without room, hot code stays in the interpreter. */
  get hasRoom(): boolean {
    return TABLE_ENTRIES - this.shared.i32[(CONTROL + Control.at.slotNext) >> 2]! >= SLOTS_KEPT;
  }

  /** The region that would be made at a guest PC. */
  private grow({ phys, eip, mode }: Request): Region | undefined {
    this.physical.read((phys & -PAGE) >>> 0, this.page);
    return growRegion(this.page, eip, phys, mode);
  }

  /** The bytes that a region was made from; `grow` must have read its page. */
  private image({ phys, entry, blocks }: Region): CodeImage {
    const pieces: number[] = [];
    for (const { instructions } of blocks.values()) {
      const at = (phys & (PAGE - 1)) + ((instructions[0]!.eip - entry) | 0);
      pieces.push(pieceOf(at, at + ((instructions.at(-1)!.next - instructions[0]!.eip) | 0)));
    }
    return imageOf(this.page, pieces);
  }

  /**
   * Whether a request is worth a region now. Code inside a region that exists already is asked for when something jumps
   * into its middle, often only until that region is installed: it gets its own when it asks a second time.
   */
  private wants(request: Request, slot: number, version: number): boolean {
    if (this.done.get(slot) === version) return false;
    const key = keyOf(request.phys, request.eip, request.mode);
    if (this.inside.get(key) !== version) return true;
    this.inside.delete(key);
    return false;
  }

  /** Whether a request is hot enough for one region more of code that has others under other addresses. */
  private pays({ phys, eip, mode }: Request, version: number): boolean {
    const copies = this.copies.get(phys);
    if (copies === undefined || copies.version !== version || copies.count < COPIES) return true;
    const key = keyOf(phys, eip, mode);
    const asked = this.asked.get(key) ?? 0;
    if (asked >= Math.min(this.shared.plan.cpuCount, COPY_CPUS)) {
      this.asked.delete(key);
      return true;
    }
    if (this.asked.size >= MOST_ASKED) this.asked.clear();
    this.asked.set(key, asked + 1);
    return false;
  }

  /** Whether code has stood still for long enough, or has waited for long enough, to be worth a region. */
  private isStill(slot: number): boolean {
    const last = this.changing.get(slot);
    if (last === undefined || last.refuse === 0) return true;
    last.refuse--;
    return false;
  }

  private countChange(slot: number): void {
    const last = this.changing.get(slot);
    const changes = last !== undefined && this.regions - last.at <= SOON ? last.changes + 1 : 0;
    const refuse = changes < CHANGES ? 0 : Math.min(2 ** (changes - CHANGES), MOST_REFUSED);
    this.changing.set(slot, { changes, at: this.regions, refuse });
  }

  private countCopy(phys: number, version: number): void {
    const copies = this.copies.get(phys);
    if (copies?.version === version) copies.count++;
    else this.copies.set(phys, { version, count: 1 });
  }

  private named(bytes: Uint8Array, entries: readonly RegionEntry[]): Uint8Array {
    const { nameOf } = this;
    if (nameOf === undefined) return bytes;
    const names = new Map(entries.map((entry) => [`r${entry.slot}`, nameOf(entry)]));
    return withExportNames(bytes, 'regions', (exported) => names.get(exported)!);
  }

  /** Whether a request is worth a region: then the slot of that, which counts as made. */
  private admit(request: Request, version: number, entries: readonly RegionEntry[], force: boolean): number | undefined {
    if (!this.physical.hasCode(request.phys >>> PAGE_SHIFT)) return undefined;
    if (!force && !this.pays(request, version)) return undefined;
    const slot = this.slotOf(request.phys, request.eip, request.mode);
    if (!force && !this.wants(request, slot, version)) return undefined;
    if (entries.some((x) => x.slot === slot)) return undefined;
    if (!force && !this.isStill(slot)) return undefined;
    this.countChange(slot);
    this.done.set(slot, version);
    this.countCopy(request.phys, version);
    return slot;
  }

  /** Offsets in the page of the blocks of a region that need no region of their own. */
  private inner({ blocks, entry, loopHeads, phys }: Region): number[] {
    const offsets: number[] = [];
    for (const { id, eip } of blocks.values())
      if (id === eip && eip !== entry && !loopHeads.has(id)) offsets.push((phys & (PAGE - 1)) + ((eip - entry) | 0));
    return offsets;
  }

  /** Which bytes of an image are the highest ones of operands that may be addresses of the same kernel. */
  private moved({ phys, entry, mode, blocks }: Region, { ranges }: CodeImage): number[] {
    const start = startOf(entry, phys);
    if (!mayMove(start, mode)) return [];
    const { page } = this;
    const offsets = new Set<number>();
    for (const { instructions } of blocks.values())
      for (const { eip, length, values, memory } of instructions) {
        const operands = [...values, memory?.disp ?? 0].map((value) => value >>> 0).filter((value) => isNear(start, value));
        if (operands.length === 0) continue;
        const at = (eip - start) >>> 0;
        for (let k = at + 1; k + 4 <= at + length; k++) {
          const word = (page[k]! | (page[k + 1]! << 8) | (page[k + 2]! << 16) | (page[k + 3]! << 24)) >>> 0;
          if (!operands.includes(word)) continue;
          offsets.add(k + 3);
          k += 3;
        }
      }
    const found: number[] = [];
    for (let i = 0, at = 0; i < ranges.length; i += 2)
      for (let k = ranges[i]!; k < ranges[i + 1]!; k++, at++) if (offsets.has(k)) found.push(at);
    return found;
  }

  private noteInner({ phys, eip, mode }: Request, inner: readonly number[], version: number): void {
    for (const offset of inner) {
      const by = offset - (phys & (PAGE - 1));
      this.inside.set(keyOf(phys + by, (eip + by) >>> 0, mode), version);
    }
  }

  /** One module with a region for each request that can be translated; undefined where none can. `force`: even where there is one. */
  translate(requests: readonly Request[], force = false): TranslatedModule | undefined {
    // Whoever makes one must finish it: an encoder may hold memory until then.
    let e: Emitter | undefined;
    const entries: RegionEntry[] = [];
    const unkept: UnkeptRegion[] = [];
    const { makeBuilder } = this;
    for (const request of requests) {
      const version = this.physical.version(request.phys >>> PAGE_SHIFT);
      const region = this.grow(request);
      const slot = region && this.admit(request, version, entries, force);
      if (region === undefined || slot === undefined) continue;
      const inner = this.inner(region);
      this.noteInner(request, inner, version);
      const { demands } = this;
      let slots = 0;
      try {
        e ??= new Emitter({ builder: makeBuilder() });
        const slotOf = (phys: number, eip: number, mode: number) => {
          slots++;
          return this.slotOf(phys, eip, mode);
        };
        emitRegion(e, `r${slot}`, region, slotOf, demands);
      } catch (error) {
        if (this.onError === undefined) throw error;
        this.failed++;
        this.onError(error, request);
        continue;
      }
      const entry = { ...request, slot, image: this.image(region) };
      entries.push(entry);
      if (this.codeCache !== undefined)
        unkept.push({
          entry,
          demands,
          inner,
          slots,
          moved: this.moved(region, entry.image),
        });
      this.regions++;
    }
    let bytes: Uint8Array | undefined;
    try {
      bytes = e?.finish();
    } catch (error) {
      if (this.onError === undefined) throw error;
      this.failed += entries.length;
      this.regions -= entries.length;
      this.onError(error, requests[0]!);
    }
    if (bytes === undefined || entries.length === 0) return undefined;
    if (unkept.length > 0) this.unkept.push({ bytes, regions: unkept, makeBuilder });
    return { bytes: this.named(bytes, entries), entries };
  }

  /** One module with the regions of requests that are kept, and the requests for others. */
  recall(requests: readonly Request[]): { readonly module: TranslatedModule | undefined; readonly rest: readonly Request[] } {
    const { codeCache, demands } = this;
    if (codeCache === undefined) return { module: undefined, rest: requests };
    const entries: RegionEntry[] = [];
    const parts: Part[] = [];
    const rest: Request[] = [];
    for (const request of requests) {
      const { phys, eip, mode } = request;
      const page = phys >>> PAGE_SHIFT;
      const version = this.physical.version(page);
      const holds = (image: CodeImage) => this.physical.holds(page, image);
      const region = codeCache.find(startOf(eip, phys), phys & (PAGE - 1), mode, demandsOf(request, demands), holds);
      if (region === undefined) {
        rest.push(request);
        continue;
      }
      const slot = this.admit(request, version, entries, false);
      if (slot === undefined) continue;
      this.noteInner(request, region.inner, version);
      entries.push({ phys, eip, mode, slot, image: region.image });
      parts.push({ name: `r${slot}`, code: region.code, slotAt: (offset) => this.slotBeside(request, offset), start: region.start });
    }
    if (parts.length === 0) return { module: undefined, rest };
    this.recalled += parts.length;
    return { module: { bytes: putTogether(parts, importNamed), entries }, rest };
  }

  /** The slot of the code at an offset of the page of a request. */
  private slotBeside({ phys, eip, mode }: Request, offset: number): number {
    const by = offset - (phys & (PAGE - 1));
    return this.slotOf(phys + by, (eip + by) >>> 0, mode);
  }

  /** Requests for all regions that are kept of the page of a request. */
  onPage(request: Request): Request[] {
    const { phys, eip, mode } = request;
    const page = phys >>> PAGE_SHIFT;
    const start = startOf(eip, phys);
    const holds = (image: CodeImage) => this.physical.holds(page, image);
    const found = this.codeCache?.onPage(start, mode, demandsOf(request, this.demands), holds) ?? [];
    return found.map(({ offset }) => ({ phys: page * PAGE + offset, eip: (start + offset) >>> 0, mode }));
  }

  /** Keeps a module of what was translated since the last time; true where there was one. */
  keepOne(): boolean {
    const module = this.unkept.shift();
    if (module === undefined || this.codeCache === undefined) return false;
    try {
      this.keep(module, this.codeCache);
    } catch (error) {
      // It runs, so it is only not kept.
      if (this.onUnkept === undefined) throw error;
      this.onUnkept(error);
    }
    return true;
  }

  private keep({ bytes, regions, makeBuilder }: UnkeptModule, codeCache: CodeCache): void {
    const { i32 } = this.shared;
    const places = new Map<string, Place>();
    for (const { entry, demands } of regions) {
      const start = startOf(entry.eip, entry.phys);
      if (mayMove(start, entry.mode)) places.set(`r${entry.slot}`, { start, origin: demands.directOrigin });
    }
    const offsetOf = (slot: number) => i32[(SLOTS + slot * Slot.size + Slot.at.phys) >> 2]! & (PAGE - 1);
    const parts = takeApart(bytes, offsetOf, (name) => places.get(name));
    for (const { entry, demands, inner, moved, slots } of regions) {
      const code = parts.get(`r${entry.slot}`)!;
      // Some that it asked for are in code that is never reached; more than it asked for would be none of ours.
      if (slotsIn(code) > MENTIONS * slots) continue;
      const { phys, eip, mode, image } = entry;
      const region = {
        start: startOf(eip, phys),
        offset: phys & (PAGE - 1),
        mode,
        demands: demandsOf(entry, demands),
        image,
        moved,
        inner,
        code,
      };
      codeCache.add(region);
      if (!code.fixed && this.unproven.length < MOST_UNPROVEN)
        this.unproven.push({ region, request: { phys, eip, mode }, demands, makeBuilder });
    }
  }

  /** Makes a region once more, for a place where its kernel is not: if it is the same there, it is for all places. True where there was one to be tried. */
  proveOne(): boolean {
    const next = this.unproven.pop();
    if (next === undefined || this.codeCache === undefined) return false;
    const { region, request, demands, makeBuilder } = next;
    const { phys, mode } = request;
    if (!this.codeCache.isFixed(region) || !this.physical.holds(phys >>> PAGE_SHIFT, region.image)) return true;
    try {
      const eip = (request.eip + NEXT_PLACE) >>> 0;
      const start = startOf(eip, phys);
      const image = imageAt(region, start);
      this.physical.read((phys & -PAGE) >>> 0, this.page);
      putImage(this.page, image);
      const grown = growRegion(this.page, eip, phys, mode);
      if (grown === undefined) return true;
      const e = new Emitter({ builder: makeBuilder() });
      const offsetOf = (at: number) => at & (PAGE - 1);
      let bytes: Uint8Array;
      try {
        emitRegion(e, 'r', grown, offsetOf, demands);
      } finally {
        // Whatever became of it, an encoder may hold memory until then.
        bytes = e.finish();
      }
      const code = takeApart(bytes, offsetOf, () => ({ start, origin: demands.directOrigin })).get('r')!;
      this.codeCache.prove({ ...region, start, image, moved: this.moved(grown, image), inner: this.inner(grown), code });
    } catch (error) {
      if (this.onUnkept === undefined) throw error;
      this.onUnkept(error);
    }
    return true;
  }
}
