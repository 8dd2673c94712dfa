// Turns requests for hot code into modules of regions. Knows no thread: the translator Worker runs it in the
// background, a CPU that is told to translate everything at once calls it directly.

import { PhysicalMemory } from '../cpu/physical.ts';
import type { SharedMemory } from '../cpu/state.ts';
import type { MakeBuilder } from '../emit/module/builder.ts';
import { directBuilders } from '../emit/module/load.ts';
import { functionSizes } from '../emit/module/sizes.ts';
import { Emitter } from '../emit/module.ts';
import { withExportNames } from '../emit/names.ts';
import { emitRegion, waitsForCalls } from '../emit/region/region.ts';
import { type Instrument, instrumentsAsked } from '../instrument/index.ts';
import { codeLevel } from '../instrument/places.ts';
import { Mode } from '../layout/cpu.ts';
import { Control, controlWord, PAGE, PAGE_SHIFT, POINTS, POINTS_BYTES, Relax, SLOTS, Slot, TABLE_ENTRIES } from '../layout/memory.ts';
import { growRegion, type Region } from '../translate/grow.ts';
import { type CodeImage, imageOf, type PageAt, type Piece } from './code-image.ts';
import { CodeSource } from './code-source.ts';
import { type AskedDemands, demandsBy, type Grounds, mayHaveStack, OF_CODE } from './demands.ts';
import { BATCH } from './heat.ts';
import { factsOf, type RegionFacts, RegionLog } from './region-log.ts';
import type { Request } from './request.ts';

/** A region of a published module: function `r<slot>` goes into table slot `slot`, if memory still holds `image`. */
export interface RegionEntry extends Request {
  readonly slot: number;
  readonly image: CodeImage;
}

/** A region that was made, of what, what was asked of it, and how many table slots it asked for. */
export interface MadeRegion {
  readonly entry: RegionEntry;
  readonly region: Region;
  readonly demands: AskedDemands;
  readonly slots: number;
  readonly facts: RegionFacts;
}

/** What of a region goes into the log. */
export interface Logged extends Pick<MadeRegion, 'entry' | 'demands' | 'facts'> {
  readonly links: ReadonlySet<number>;
}

/** A module with regions, as the encoder gave it. */
export interface MadeModule {
  readonly bytes: Uint8Array;
  readonly regions: readonly MadeRegion[];
  readonly makeBuilder: MakeBuilder;
}

/** Versions of a request's page, and together of all pages that its region is made from. */
export interface Versions {
  readonly ownVersion: number;
  readonly version: number;
}

export interface TranslatedModule {
  readonly bytes: Uint8Array;
  readonly entries: readonly RegionEntry[];
  /** That of all its regions. */
  readonly owner?: number | undefined;
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
const keyOf = (phys: number, eip: number, mode: number, owner?: number): string => `${phys}:${eip}:${mode}:${owner ?? ''}`;
const placeOf = (phys: number, owner: number | undefined): string => `${phys}:${owner ?? ''}`;

/** Code that changed so often, each time before so many other regions were made, is changing still: fewer and fewer of its requests are granted. */
const CHANGES = 4;
const SOON = 64;
const MOST_REFUSED = 64;

/** Points of a region at the most: it has fewer instructions. */
const MOST_POINTS = 256;

/** Table slots that the regions of a module may need. */
const SLOTS_KEPT = 4096;

/** The bytes that a region was made from. */
export function regionImage(pageAt: PageAt, { phys, entry, blocks }: Region): CodeImage {
  const pieces: Piece[] = [];
  for (const { instructions } of blocks.values()) {
    const at = (phys & (PAGE - 1)) + ((instructions[0]!.eip - entry) | 0);
    const end = at + ((instructions.at(-1)!.next - instructions[0]!.eip) | 0);
    for (let from = at; from < end; ) {
      const to = Math.min(end, (from & -PAGE) + PAGE);
      pieces.push([from, to]);
      from = to;
    }
  }
  return imageOf(pageAt, pieces);
}

/** Offsets in the page of the blocks of a region that need no region of their own. */
export function innerBlocks({ blocks, entry, loopHeads, phys }: Region): number[] {
  const offsets: number[] = [];
  for (const { id, eip } of blocks.values())
    if (id === eip && eip !== entry && !loopHeads.has(id)) offsets.push((phys & (PAGE - 1)) + ((eip - entry) | 0));
  // What is kept of them belongs to the page.
  return offsets.filter((offset) => offset >= 0 && offset < PAGE);
}

export class Translator {
  private readonly shared: SharedMemory;
  private readonly physical: PhysicalMemory;
  private readonly atomic: boolean;
  /** The encoder of the modules to come. */
  makeBuilder: MakeBuilder;
  private readonly slots = new Map<string, number>();
  /** Slots translated, with the version of what they were made from; and guest PCs inside a region that were asked for once. */
  private readonly done = new Map<number, number>();
  private readonly inside = new Map<string, number>();
  /** By physical address (and owner): of how many regions the code there is part of as its entry, and at which version of its page. */
  private readonly copies = new Map<string, { version: number; count: number }>();
  /** How often regions were asked for that would be one copy more. */
  private readonly asked = new Map<string, number>();
  /** Code that could not rely on its stack (the relaxation `stack`). */
  private readonly plain = new Set<string>();
  /** By slot: how often in short order a region was made there, which region of all the last one was, and how many requests are still refused. */
  private readonly changing = new Map<number, { changes: number; at: number; refuse: number }>();
  /** Verify the IR of regions behind each pass (tests and debugging). */
  verify = false;
  /** Regions translated so far. */
  regions = 0;
  /** Regions that have been admitted since the slots were given back, and by which relaxations. */
  private admitted = 0;
  private readonly admittedBy = new Set<number>();
  private readonly firstSlot: number;
  private readonly log: RegionLog;
  /** Regions that an error of ours prevented. */
  failed = 0;
  /** Gets such an error: what some code is must not end the machine, so it stays in the interpreter. Without it the error is thrown. */
  onError: ((error: unknown, request: Request) => void) | undefined;
  /** Gets each module, to keep it. */
  onMade: ((module: MadeModule) => void) | undefined;
  /** Of the machine's clients; and the version of their list (clients/table.ts). Where there are any, nothing is kept. */
  clients: readonly Instrument[] = [];
  clientVersion = 0;
  /** Names regions for profilers; without it they have no names. */
  nameOf: ((request: Request) => string) | undefined;

  /** `firstSlot`: the first table index behind the handlers. `atomic`: whether locked accesses are atomic. `makeBuilder`: the encoder. */
  constructor(shared: SharedMemory, firstSlot: number, makeBuilder = directBuilders, atomic = shared.plan.cpuCount > 1) {
    this.atomic = atomic;
    this.firstSlot = firstSlot;
    this.makeBuilder = makeBuilder;
    this.shared = shared;
    this.physical = new PhysicalMemory(shared);
    this.log = new RegionLog(shared);
    shared.i32[controlWord(Control.at.slotNext)] = firstSlot;
  }

  /** The table slot of a guest PC; always the same for the same code of the same owner. */
  slotOf(phys: number, eip: number, mode: number, owner?: number): number {
    const key = keyOf(phys, eip, mode, owner);
    let slot = this.slots.get(key);
    if (slot !== undefined) return slot;
    const { i32 } = this.shared;
    slot = i32[controlWord(Control.at.slotNext)]!++;
    if (slot >= TABLE_ENTRIES) throw new Error('the function table is full');
    this.slots.set(key, slot);
    const at = (SLOTS + slot * Slot.size) >> 2;
    i32[at + Slot.at.eip / 4] = eip;
    i32[at + Slot.at.phys / 4] = phys;
    i32[at + Slot.at.mode / 4] = mode;
    i32[at + Slot.at.points / 4] = 0;
    return slot;
  }

  private word(offset: number): number {
    return this.shared.i32[controlWord(offset)]!;
  }

  private get grounds(): Pick<Grounds, 'relax' | 'directOrigin'> {
    return { relax: this.relax, directOrigin: this.word(Control.at.directOrigin) };
  }

  /** What is asked of code that is made now. */
  demandsFor(request: Request): AskedDemands {
    const level = codeLevel(request.mode);
    const clients = this.clients.filter(({ covers }) => covers!(level, undefined));
    return demandsBy(request, {
      ...this.grounds,
      plain: this.isPlain(request),
      instruments: [...instrumentsAsked((offset) => this.word(offset)), ...clients],
      ramBytes: this.shared.plan.ramBytes,
      pointsAt: POINTS + this.word(Control.at.pointsNext),
      atomic: this.atomic,
      verify: this.verify,
    });
  }

  private isPlain({ phys, eip, mode, owner }: Request): boolean {
    return this.plain.size > 0 && this.plain.has(keyOf(phys, eip, mode, owner));
  }
  /** The region of a request is to be made once more, so that it does not rely on its stack. */
  makePlain(request: Request): void {
    if (!mayHaveStack(request, this.grounds)) return;
    const { phys, eip, mode, owner } = request;
    const key = keyOf(phys, eip, mode, owner);
    if (this.plain.has(key)) return;
    this.plain.add(key);
    const slot = this.slots.get(key);
    if (slot !== undefined) this.done.delete(slot);
  }

  /** What code that is made now may rely on. */
  private get relax(): number {
    return Atomics.load(this.shared.i32, controlWord(Control.at.relax)) & OF_CODE;
  }

  /** Whether there may be regions that rely on something else than is asked for now: all are to be dropped, so that what is hot is made anew. */
  get isMixed(): boolean {
    const { relax } = this;
    return [...this.admittedBy].some((by) => by !== relax);
  }

  /** Whether the table has slots for another module's regions and for where those lead to, and as many regions may be. Without room all are to be dropped first (giveBack). */
  get hasRoom(): boolean {
    const { i32 } = this.shared;
    const most = i32[controlWord(Control.at.mostRegions)]!;
    if (most !== 0 && this.admitted + BATCH > most) return false;
    if (POINTS_BYTES - i32[controlWord(Control.at.pointsNext)]! < BATCH * MOST_POINTS * 4) return false;
    return TABLE_ENTRIES - i32[controlWord(Control.at.slotNext)]! >= SLOTS_KEPT;
  }

  /** All table slots are given back, and mean nothing any more: every CPU has dropped its regions, or will before it sees another module; none looks a slot up meanwhile. */
  giveBack(): void {
    const { i32 } = this.shared;
    this.slots.clear();
    this.done.clear();
    this.inside.clear();
    this.copies.clear();
    this.asked.clear();
    this.plain.clear();
    this.changing.clear();
    this.admitted = 0;
    this.admittedBy.clear();
    i32[controlWord(Control.at.slotNext)] = this.firstSlot;
    i32[controlWord(Control.at.pointsNext)] = 0;
    i32[controlWord(Control.at.statFlushes)]!++;
    this.log.drop();
  }

  /**
   * Whether a request is worth a region now. Code inside a region that exists already is asked for when something jumps
   * into its middle, often only until that region is installed: it gets its own when it asks a second time.
   */
  private wants({ phys, eip, mode, owner }: Request, slot: number, { ownVersion: version, version: made }: Versions): boolean {
    if (this.done.get(slot) === made) return false;
    const key = keyOf(phys, eip, mode, owner);
    if (this.inside.get(key) !== version) return true;
    this.inside.delete(key);
    return false;
  }

  /** Whether a request is hot enough for one region more of code that has others under other addresses. */
  private pays({ phys, eip, mode, owner }: Request, version: number): boolean {
    const copies = this.copies.get(placeOf(phys, owner));
    if (copies === undefined || copies.version !== version || copies.count < COPIES) return true;
    const key = keyOf(phys, eip, mode, owner);
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

  private countCopy(place: string, version: number): void {
    const copies = this.copies.get(place);
    if (copies?.version === version) copies.count++;
    else this.copies.set(place, { version, count: 1 });
  }

  private named(bytes: Uint8Array, entries: readonly RegionEntry[]): Uint8Array {
    const { nameOf } = this;
    if (nameOf === undefined) return bytes;
    const names = new Map(entries.map((entry) => [`r${entry.slot}`, nameOf(entry)]));
    return withExportNames(bytes, 'regions', (exported) => names.get(exported)!);
  }

  /** Whether a request is worth a region: then the slot of that, which counts as made. */
  admit(
    request: Request,
    { relax }: AskedDemands,
    versions: Versions,
    entries: readonly RegionEntry[],
    force: boolean,
  ): number | undefined {
    if (!this.physical.hasCode(request.phys >>> PAGE_SHIFT)) return undefined;
    const { ownVersion, version } = versions;
    const { phys, eip, mode, owner } = request;
    if (!force && !this.pays(request, ownVersion)) return undefined;
    const slot = this.slotOf(phys, eip, mode, owner);
    if (!force && !this.wants(request, slot, versions)) return undefined;
    if (entries.some((x) => x.slot === slot)) return undefined;
    if (!force && !this.isStill(slot)) return undefined;
    this.countChange(slot);
    this.admitted++;
    // Whose it is was asked before.
    this.admittedBy.add((mode & Mode.USER) !== 0 ? relax : owner === undefined ? relax | Relax.SHARED : relax & ~Relax.SHARED);
    this.done.set(slot, version);
    this.countCopy(placeOf(phys, owner), ownVersion);
    return slot;
  }

  /** The points of a region are where it expects them. */
  private notePoints(slot: number, { pointsAt }: AskedDemands, eips: readonly number[]): void {
    if (pointsAt === undefined || eips.length === 0) return;
    const { i32 } = this.shared;
    i32.set(eips, pointsAt >> 2);
    i32[controlWord(Control.at.pointsNext)]! += eips.length * 4;
    i32[(SLOTS + slot * Slot.size + Slot.at.points) >> 2] = pointsAt;
  }

  /** Code inside a region gets none of its own at once. */
  noteInner({ phys, eip, mode, owner }: Request, inner: readonly number[], version: number): void {
    for (const offset of inner) {
      const by = offset - (phys & (PAGE - 1));
      this.inside.set(keyOf(phys + by, (eip + by) >>> 0, mode, owner), version);
    }
  }

  /** Enters regions of a module in the log: by their slots, what is known of them, what was asked of them, and which slots they name. */
  logRegions(bytes: Uint8Array, regions: readonly Logged[], recalled: boolean): void {
    const sizes = functionSizes(bytes);
    this.log.add(
      regions.map(({ entry, facts, demands, links }) => {
        const { relax, directOrigin = 0, stack = false } = demands;
        const asked = { relax, directOrigin, stack, recalled };
        return { ...entry, ...facts, ...asked, links: [...links], wasmBytes: sizes.get(`r${entry.slot}`) ?? 0 };
      }),
    );
  }

  /** Requests by whose regions they are for, in their order. */
  byOwner<R extends Request & { readonly cpu: number; readonly plain?: boolean }>(requests: readonly R[]): R[][] {
    const lists = new Map<number | undefined, R[]>();
    const all = (this.relax & Relax.SHARED) !== 0;
    for (const request of requests) {
      const owner = all || (request.mode & Mode.USER) !== 0 ? undefined : request.cpu;
      if (request.plain) this.makePlain({ ...request, owner });
      const list = lists.get(owner);
      if (list) list.push({ ...request, owner });
      else lists.set(owner, [{ ...request, owner }]);
    }
    return [...lists.values()];
  }

  /** One module with a region for each request, all of one owner, that can be translated; undefined where none can. `force`: even where there is one. */
  translate(requests: readonly Request[], force = false): TranslatedModule | undefined {
    // Whoever makes one must finish it: an encoder may hold memory until then.
    let e: Emitter | undefined;
    const entries: RegionEntry[] = [];
    const regions: (MadeRegion & Logged)[] = [];
    const { makeBuilder } = this;
    const encoder = makeBuilder === directBuilders ? 'direct' : 'binaryen';
    for (const request of requests) {
      const demands = this.demandsFor(request);
      const source = new CodeSource(this.physical, request, demands);
      const waits = waitsForCalls(request.mode, demands);
      const region = growRegion(source.pageAt(0), request.eip, request.phys, request.mode, source.other, waits);
      const slot = region && this.admit(request, demands, source, entries, force);
      if (region === undefined || slot === undefined) continue;
      this.noteInner(request, innerBlocks(region), source.ownVersion);
      let slots = 0;
      const links = new Set<number>();
      try {
        e ??= new Emitter({ builder: makeBuilder() });
        const slotOf = (phys: number, eip: number, mode: number) => {
          slots++;
          const named = this.slotOf(phys, eip, mode, request.owner);
          links.add(named);
          return named;
        };
        this.notePoints(slot, demands, emitRegion(e, `r${slot}`, region, slotOf, demands));
      } catch (error) {
        if (this.onError === undefined) throw error;
        this.failed++;
        this.onError(error, request);
        continue;
      }
      const { phys, eip, mode, owner } = request;
      const entry = { phys, eip, mode, owner, slot, image: regionImage(source.pageAt, region) };
      entries.push(entry);
      regions.push({ entry, region, demands, slots, facts: factsOf(region, encoder), links });
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
    this.logRegions(bytes, regions, false);
    if (this.clients.length === 0) this.onMade?.({ bytes, regions, makeBuilder });
    return { bytes: this.named(bytes, entries), entries, owner: requests[0]!.owner };
  }
}
