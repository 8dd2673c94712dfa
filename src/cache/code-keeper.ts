// Stands between the translator and the code cache: takes the modules that are made apart and keeps their regions, in pauses; makes modules of regions that are kept.
import { PhysicalMemory } from '../cpu/physical.ts';
import type { SharedMemory } from '../cpu/state.ts';
import type { MakeBuilder } from '../emit/module/builder.ts';
import { isNear, type Part, type Place, putTogether, slotsIn, takeApart } from '../emit/module/relocation.ts';
import { Emitter, importNamed } from '../emit/module.ts';
import { emitRegion, type RegionDemands, waitsForCalls } from '../emit/region/region.ts';
import { Mode } from '../layout/cpu.ts';
import { PAGE, PAGE_SHIFT, SLOTS, Slot } from '../layout/memory.ts';
import { growRegion, type Region } from '../translate/grow.ts';
import { type CodeCache, imageAt, type KeptRegion, mayMove, NEXT_PLACE, startOf } from './code-cache.ts';
import { type CodeImage, pagesOf, putImage } from './code-image.ts';
import { CodeSource, isDirect } from './code-source.ts';
import { packFacts, unpackFacts } from './region-log.ts';
import type { Request } from './request.ts';
import {
  innerBlocks,
  type Logged,
  type MadeModule,
  type MadeRegion,
  type RegionEntry,
  type TranslatedModule,
  type Translator,
} from './translator.ts';

/** A region that is to be kept. */
interface UnkeptRegion extends Omit<MadeRegion, 'region'>, Pick<KeptRegion, 'inner' | 'moved'> {}

interface UnkeptModule extends Omit<MadeModule, 'regions'> {
  readonly regions: readonly UnkeptRegion[];
}

/** A kept region of a kernel that may move, and how it was made. */
interface Unproven {
  readonly region: KeptRegion;
  readonly request: Request;
  readonly demands: RegionDemands;
  readonly makeBuilder: MakeBuilder;
}

/** Regions that wait to be made at another place. */
const MOST_UNPROVEN = 4096;

/** A call of a table slot names it so often: as what is called, and as its argument. */
const MENTIONS = 2;

/** As text, what the code of a request depends on. */
function demandsOf({ mode }: Request, demands: RegionDemands): string {
  const { instruments = [], directOrigin = 0, stack = false, precise = true, atomic, otherPages = false } = demands;
  const user = (mode & Mode.USER) !== 0;
  const parts = [user ? 0 : directOrigin, user || precise, atomic, !user && otherPages, waitsForCalls(mode, demands), !user && stack];
  return [...parts, ...instruments.map(({ name }) => name)].join();
}

/** Whether code is any use to another run: what has points has those of this one. */
const isKept = ({ pointsAt }: RegionDemands): boolean => pointsAt === undefined;

export class CodeKeeper {
  private readonly i32: Int32Array;
  private readonly physical: PhysicalMemory;
  private readonly translator: Translator;
  readonly codeCache: CodeCache;
  private readonly unkept: UnkeptModule[] = [];
  private readonly unproven: Unproven[] = [];
  /** Gets the error that kept a module from being kept; without it the error is thrown. */
  onUnkept: ((error: unknown) => void) | undefined;
  /** Regions that were found in the cache. */
  recalled = 0;

  /** Keeps what `translator` makes from now on. */
  constructor(shared: SharedMemory, translator: Translator, codeCache: CodeCache) {
    this.i32 = shared.i32;
    this.physical = new PhysicalMemory(shared);
    this.translator = translator;
    this.codeCache = codeCache;
    translator.onMade = (module) => this.note(module);
  }

  private note({ regions, ...module }: MadeModule): void {
    const unkept = regions
      .filter(({ demands }) => isKept(demands))
      .map(({ region, ...made }) => ({
        ...made,
        inner: innerBlocks(region),
        moved: this.moved(region, made.entry.image),
      }));
    this.unkept.push({ ...module, regions: unkept });
  }

  /** Which bytes of an image are the highest ones of operands that may be addresses of the same kernel. */
  private moved({ phys, entry, mode, blocks }: Region, image: CodeImage): number[] {
    const start = startOf(entry, phys);
    if (!mayMove(start, mode)) return [];
    const pages = new Map<number, Uint8Array>();
    for (const offset of image.ranges) if (!pages.has(offset & -PAGE)) pages.set(offset & -PAGE, new Uint8Array(PAGE));
    putImage((by) => pages.get(by)!, image);
    const offsets = new Set<number>();
    for (const { instructions } of blocks.values())
      for (const { eip, length, values, memory } of instructions) {
        const operands = [...values, memory?.disp ?? 0].map((value) => value >>> 0).filter((value) => isNear(start, value));
        if (operands.length === 0) continue;
        const at = (eip - start) | 0;
        const by = at & -PAGE;
        const page = pages.get(by)!;
        for (let k = at - by + 1; k + 4 <= at - by + length; k++) {
          const word = (page[k]! | (page[k + 1]! << 8) | (page[k + 2]! << 16) | (page[k + 3]! << 24)) >>> 0;
          if (!operands.includes(word)) continue;
          offsets.add(by + k + 3);
          k += 3;
        }
      }
    const { ranges } = image;
    const found: number[] = [];
    for (let i = 0, at = 0; i < ranges.length; i += 2)
      for (let k = ranges[i]!; k < ranges[i + 1]!; k++, at++) if (offsets.has(k)) found.push(at);
    return found;
  }

  /** One module with the regions of requests, all of one owner, that are kept, and the requests for others. */
  recall(requests: readonly Request[]): { readonly module: TranslatedModule | undefined; readonly rest: readonly Request[] } {
    const { translator, codeCache } = this;
    const entries: RegionEntry[] = [];
    const parts: Part[] = [];
    const logged: Logged[] = [];
    const rest: Request[] = [];
    for (const request of requests) {
      const { phys, eip, mode, owner } = request;
      const page = phys >>> PAGE_SHIFT;
      const ownVersion = this.physical.version(page);
      const demands = translator.demandsFor(request);
      const key = demandsOf(request, demands);
      const region = isKept(demands)
        ? codeCache.find(startOf(eip, phys), phys & (PAGE - 1), mode, key, this.holds(request, demands))
        : undefined;
      if (region === undefined) {
        rest.push(request);
        continue;
      }
      const version = pagesOf(page, region.image).reduce((sum, each) => sum + this.physical.version(each), 0);
      const slot = translator.admit(request, demands, { ownVersion, version }, entries, false);
      if (slot === undefined) continue;
      translator.noteInner(request, region.inner, ownVersion);
      const entry = { phys, eip, mode, owner, slot, image: region.image };
      const links = new Set<number>();
      const slotAt = (offset: number) => {
        const named = this.slotBeside(request, offset);
        links.add(named);
        return named;
      };
      entries.push(entry);
      parts.push({ name: `r${slot}`, code: region.code, slotAt, start: region.start });
      logged.push({ entry, demands, facts: unpackFacts(region.facts), links });
    }
    if (parts.length === 0) return { module: undefined, rest };
    this.recalled += parts.length;
    const bytes = putTogether(parts, importNamed);
    translator.logRegions(bytes, logged, true);
    return { module: { bytes, entries, owner: requests[0]!.owner }, rest };
  }

  /** Says whether an image is in memory around a place: one of several pages only where all are as far away as they should be. */
  private holds(request: Request, { directOrigin }: RegionDemands): (image: CodeImage) => boolean {
    const page = request.phys >>> PAGE_SHIFT;
    const direct = isDirect(request, directOrigin);
    return (image) => (direct || pagesOf(page, image).length === 1) && this.physical.holds(page, image);
  }

  /** The slot of the code at an offset of the page of a request. */
  private slotBeside({ phys, eip, mode, owner }: Request, offset: number): number {
    const by = offset - (phys & (PAGE - 1));
    return this.translator.slotOf(phys + by, (eip + by) >>> 0, mode, owner);
  }

  /** Requests for all regions that are kept of the page of a request. */
  onPage(request: Request): Request[] {
    const { phys, eip, mode, owner } = request;
    const page = phys >>> PAGE_SHIFT;
    const start = startOf(eip, phys);
    const demands = this.translator.demandsFor(request);
    const found = this.codeCache.onPage(start, mode, demandsOf(request, demands), this.holds(request, demands));
    return found.map(({ offset }) => ({ phys: page * PAGE + offset, eip: (start + offset) >>> 0, mode, owner }));
  }

  /** Does what may fail without harm: the code runs, so it is only not kept. */
  private attempt(keep: () => void): void {
    try {
      keep();
    } catch (error) {
      if (this.onUnkept === undefined) throw error;
      this.onUnkept(error);
    }
  }

  /** Keeps a module of what was translated since the last time; true where there was one. */
  keepOne(): boolean {
    const module = this.unkept.shift();
    if (module === undefined) return false;
    this.attempt(() => this.keep(module));
    return true;
  }

  private keep({ bytes, regions, makeBuilder }: UnkeptModule): void {
    const places = new Map<string, Place>();
    for (const { entry, demands } of regions) {
      const start = startOf(entry.eip, entry.phys);
      if (mayMove(start, entry.mode)) places.set(`r${entry.slot}`, { start, origin: demands.directOrigin });
    }
    const offsetOf = (slot: number) => this.i32[(SLOTS + slot * Slot.size + Slot.at.phys) >> 2]! & (PAGE - 1);
    const parts = takeApart(bytes, offsetOf, (name) => places.get(name));
    for (const { entry, demands, inner, moved, slots, facts } of regions) {
      const code = parts.get(`r${entry.slot}`)!;
      // Some that it asked for are in code that is never reached; more than it asked for would be none of ours.
      if (slotsIn(code) > MENTIONS * slots) continue;
      const { phys, eip, mode, image } = entry;
      const [start, offset] = [startOf(eip, phys), phys & (PAGE - 1)];
      const region = { start, offset, mode, demands: demandsOf(entry, demands), image, moved, inner, facts: packFacts(facts), code };
      this.codeCache.add(region);
      if (!code.fixed && this.unproven.length < MOST_UNPROVEN)
        this.unproven.push({ region, request: { phys, eip, mode }, demands, makeBuilder });
    }
  }

  /** Makes a region once more, for a place where its kernel is not: if it is the same there, it is for all places. True where there was one to be tried. */
  proveOne(): boolean {
    const next = this.unproven.pop();
    if (next === undefined) return false;
    const { region, request } = next;
    if (this.codeCache.isFixed(region) && this.physical.holds(request.phys >>> PAGE_SHIFT, region.image))
      this.attempt(() => this.prove(next));
    return true;
  }

  private prove({ region, request, demands, makeBuilder }: Unproven): void {
    const { phys, mode } = request;
    const eip = (request.eip + NEXT_PLACE) >>> 0;
    const start = startOf(eip, phys);
    const image = imageAt(region, start);
    const source = new CodeSource(this.physical, request, demands);
    const pageAt = (by: number) => source.other(by) ?? new Uint8Array(PAGE);
    putImage(pageAt, image);
    const grown = growRegion(source.pageAt(0), eip, phys, mode, source.other, waitsForCalls(mode, demands));
    if (grown === undefined) return;
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
    this.codeCache.prove({ ...region, start, image, moved: this.moved(grown, image), inner: innerBlocks(grown), code });
  }
}
