// Which regions are translated now, as the machine's user sees it: reads the log of what was made (cache/region-log.ts), leaves out what was made anew, dropped, or is of code that has changed, and
// looks where the CPUs are. All is read from shared memory when somebody asks; no CPU and no translator does anything for it.
import { DragomanError } from '../api/errors.ts';
import type { CodeRegion, CodeRegions, CpuPlace, InspectedRegion } from '../api/regions.ts';
import { lengthOf, pagesOf, touches } from '../cache/code-image.ts';
import { DROPPED_ALL, type LoggedRegion, RegionLogReader } from '../cache/region-log.ts';
import { PhysicalMemory } from '../cpu/physical.ts';
import type { SharedMemory } from '../cpu/state.ts';
import { codeLevel } from '../instrument/places.ts';
import { Cpu, floats, LAST_BLOCKS, Mode, Seg, SegCache } from '../layout/cpu.ts';
import { CpuArea, cpuBase, FETCHED_ENTRIES, Fetched, PAGE, PAGE_SHIFT, SLOTS, Slot } from '../layout/memory.ts';
import { reliedOn } from './relied-on.ts';
import type { MachineSymbols } from './symbols.ts';

/** Ids of regions that went that are remembered. */
const MOST_GONE = 16384;
/** A page is in one of so many entries of the table of pages that a jump cache knows code of (wasm/engine/fetched.ts), from its own on. */
const FETCHED_WAYS = 4;
/** Bits of Cpu.mode that are none of a region's. */
const PASSING = Mode.STEP | Mode.BREAK;

/** A region, and what became of it. */
interface Known {
  readonly logged: LoggedRegion;
  readonly info: Omit<CodeRegion, 'symbol'>;
  /** What is told of it, with its name; undefined: nobody has asked since it had another one. */
  shown: CodeRegion | undefined;
  /** Memory holds its code; since which generation that, or its name, is so. */
  isThere: boolean;
  since: number;
  samples: number;
  sampledAt: number;
}

/** Regions by a number of pages. */
class ByPage {
  private readonly lists = new Map<number, Set<Known>>();

  add(page: number, known: Known): void {
    const list = this.lists.get(page);
    if (list) list.add(known);
    else this.lists.set(page, new Set([known]));
  }
  remove(page: number, known: Known): void {
    const list = this.lists.get(page);
    list?.delete(known);
    if (list?.size === 0) this.lists.delete(page);
  }
  of(page: number): Iterable<Known> {
    return this.lists.get(page) ?? [];
  }
  pages(): Iterable<number> {
    return this.lists.keys();
  }
  clear(): void {
    this.lists.clear();
  }
}

/** EIP of the first byte of a region's page. */
const startOf = ({ eip, phys }: LoggedRegion): number => (eip - (phys & (PAGE - 1))) | 0;
/** Physical pages that it is made from something on. */
const physicalPages = ({ phys, image }: LoggedRegion): number[] => pagesOf(phys >>> PAGE_SHIFT, image);
/** The same of EIPs. */
const ownPages = (logged: LoggedRegion): number[] => {
  const pages = new Set<number>();
  const { ranges } = logged.image;
  for (let i = 0; i < ranges.length; i += 2)
    for (const at of [ranges[i]!, ranges[i + 1]! - 1]) pages.add(((startOf(logged) + at) >>> 0) >>> PAGE_SHIFT);
  return [...pages];
};
const hasByte = ({ image }: LoggedRegion, offset: number): boolean => touches(image, offset, offset + 1);

export class CodeMap {
  private readonly shared: SharedMemory;
  private readonly symbols: MachineSymbols;
  private readonly physical: PhysicalMemory;
  private readonly reader: RegionLogReader;
  private readonly known = new Map<number, Known>();
  private readonly bySlot = new Map<number, Known>();
  /** Those that do not float, by pages of their EIPs; all, by physical pages; and the versions that these had. */
  private readonly byEip = new ByPage();
  private readonly byPhysical = new ByPage();
  private readonly versions = new Map<number, number>();
  private readonly away = new Set<Known>();
  private generation = 0;
  /** In the order in which they went; it has all that went behind generation `goneFrom`. */
  private readonly gone: { readonly id: number; readonly at: number }[] = [];
  private goneFrom = 0;
  /** By CPU: Cpu.lastBlockCount as it was, and the EIP that was sampled last. */
  private readonly seen: { count: number; eip: number }[] = [];

  constructor(shared: SharedMemory, symbols: MachineSymbols) {
    this.shared = shared;
    this.symbols = symbols;
    this.physical = new PhysicalMemory(shared);
    this.reader = new RegionLogReader(shared);
  }

  /** Other names are known from now on: all that was told of regions is told anew. */
  forgetNames(): void {
    if (this.known.size === 0) return;
    this.generation++;
    for (const known of this.known.values()) {
      known.shown = undefined;
      known.since = this.generation;
    }
  }

  /** What has changed since a generation, or all. */
  look(since: number | undefined): CodeRegions {
    this.read();
    const cpus = this.sample();
    const whole = since === undefined || since > this.generation || since < this.goneFrom;
    const from = whole ? -1 : since;
    const all = [...this.known.values()];
    return {
      generation: this.generation,
      whole,
      regions: all.filter((known) => known.isThere && known.since > from).map((known) => this.shown(known)),
      gone: whole ? [] : this.gone.filter(({ at }) => at > from).map(({ id }) => id),
      cpus,
      heat: all.filter(({ isThere, sampledAt }) => isThere && sampledAt > from).map(({ info: { id }, samples }) => ({ id, samples })),
    };
  }

  /** What a region is made of. Rejects with NO_REGION where it is there no longer, with NOT_SUPPORTED where clients are attached. */
  async inspect(id: number): Promise<InspectedRegion> {
    this.find(id);
    // Decoder, passes and encoder, which only those load who look.
    const { inspectRegion } = await import('./region-view.ts');
    const known = this.find(id);
    return inspectRegion(this.shared, known.logged, this.shown(known));
  }

  /** A region that is there. Throws NO_REGION. */
  private find(id: number): Known {
    this.read();
    const known = this.known.get(id);
    if (known?.isThere) return known;
    const why = known !== undefined ? 'its code has changed' : 'there is none with that id, or it was dropped or made anew';
    throw new DragomanError('NO_REGION', why, `region ${id}`);
  }

  // What there is ------------------------------------------------------------------------------------------------------
  private read(): void {
    const at = this.generation + 1;
    for (const logged of this.reader.read()) {
      if (logged === DROPPED_ALL) for (const known of [...this.known.values()]) this.remove(known, at);
      else this.add(logged, at);
    }
    this.review(at);
  }

  private add(logged: LoggedRegion, at: number): void {
    const before = this.bySlot.get(logged.slot);
    if (before !== undefined) this.remove(before, at);
    const known: Known = { logged, info: this.infoOf(logged), shown: undefined, isThere: false, since: at, samples: 0, sampledAt: -1 };
    this.known.set(logged.id, known);
    this.bySlot.set(logged.slot, known);
    for (const page of physicalPages(logged)) this.byPhysical.add(page, known);
    if (!floats(logged.mode)) for (const page of ownPages(logged)) this.byEip.add(page, known);
    this.away.add(known);
  }

  private remove(known: Known, at: number): void {
    const { logged } = known;
    if (known.isThere) this.went(known, at);
    this.known.delete(logged.id);
    this.bySlot.delete(logged.slot);
    this.away.delete(known);
    for (const page of physicalPages(logged)) this.byPhysical.remove(page, known);
    for (const page of ownPages(logged)) this.byEip.remove(page, known);
  }

  private went(known: Known, at: number): void {
    known.isThere = false;
    this.generation = at;
    this.gone.push({ id: known.logged.id, at });
    if (this.gone.length > MOST_GONE) this.goneFrom = this.gone.splice(0, MOST_GONE / 2).at(-1)!.at;
  }

  /** Whether memory holds the code of a region. */
  private holds({ logged: { phys, image } }: Known): boolean {
    return this.physical.holds(phys >>> PAGE_SHIFT, image);
  }

  /** Finds what has changed its code since the last time, or has it again. */
  private review(at: number): void {
    for (const page of this.byPhysical.pages()) {
      const version = this.physical.version(page);
      if (this.versions.get(page) === version) continue;
      this.versions.set(page, version);
      for (const known of this.byPhysical.of(page))
        if (known.isThere && !this.holds(known)) {
          this.went(known, at);
          this.away.add(known);
        }
    }
    for (const known of this.away)
      if (this.holds(known)) {
        this.away.delete(known);
        known.isThere = true;
        known.since = this.generation = at;
      }
  }

  private infoOf(logged: LoggedRegion): Known['info'] {
    const { id, slot, phys, eip, mode, owner, image, instructions, blocks, wasmBytes, encoder, recalled, links, callees } = logged;
    const word = (named: number, field: number) => this.shared.i32[(SLOTS + named * Slot.size + field) >> 2]! >>> 0;
    const page = phys - (phys & (PAGE - 1));
    return {
      id,
      physical: phys,
      address: eip,
      floats: floats(mode),
      level: codeLevel(mode),
      bits: (mode & Mode.CODE32) !== 0 ? 32 : 16,
      ranges: image.ranges.map((offset) => page + offset),
      codeBytes: lengthOf(image.ranges),
      instructions,
      blocks,
      wasmBytes,
      encoder,
      fromCache: recalled,
      cpu: owner,
      relaxations: reliedOn(logged),
      links: links.filter((named) => named !== slot).map((named) => word(named, Slot.at.phys)),
      callees: callees.map((offset) => page + offset),
    };
  }

  private shown(known: Known): CodeRegion {
    const { address, level, floats: isMoving } = known.info;
    const symbol = isMoving || level === 'user' || (known.logged.mode & Mode.FLAT) === 0 ? undefined : this.symbols.at(address);
    known.shown ??= { ...known.info, symbol };
    return known.shown;
  }

  // Where the CPUs are -------------------------------------------------------------------------------------------------
  /** Where each CPU is; what they have been in since the last time counts for the regions' heat. */
  private sample(): CpuPlace[] {
    const at = this.generation + 1;
    return Array.from({ length: this.shared.plan.cpuCount }, (_, cpu) => this.sampleCpu(cpu, at));
  }

  private sampleCpu(cpu: number, at: number): CpuPlace {
    const base = cpuBase(this.shared.plan, cpu);
    const word = (offset: number) => this.shared.i32[(base + offset) >> 2]! >>> 0;
    const eip = word(Cpu.at.eip);
    const count = word(Cpu.at.lastBlockCount);
    const last = this.seen[cpu] ?? { count, eip };
    const first = Math.max(last.count, count - LAST_BLOCKS);
    for (let n = first; n < count; n++) this.heat(this.at(base, word(Cpu.at.lastBlocks + (n % LAST_BLOCKS) * 4)), at);
    const here = this.at(base, eip, word(Cpu.at.mode) & ~PASSING);
    if (first === count && eip !== last.eip && word(Cpu.at.halted) === 0) this.heat(here, at);
    this.seen[cpu] = { count, eip };
    const segment = word(Cpu.at.seg + Seg.CS * SegCache.size + SegCache.at.base);
    return { cpu, address: (segment + eip) >>> 0, region: here?.logged.id };
  }

  private heat(known: Known | undefined, at: number): void {
    if (known === undefined) return;
    known.samples++;
    known.sampledAt = this.generation = at;
  }

  /** The region that a CPU is in at an EIP: one that begins there, or else one that has code of there. `mode`: of the CPU; undefined: it is not known. */
  private at(base: number, eip: number, mode?: number): Known | undefined {
    const isOf = ({ logged, isThere }: Known) => isThere && (mode === undefined || logged.mode === mode);
    let inside: Known | undefined;
    for (const known of this.byEip.of(eip >>> PAGE_SHIFT)) {
      if (!isOf(known)) continue;
      if (known.logged.eip === eip) return known;
      if (inside === undefined && hasByte(known.logged, (eip - startOf(known.logged)) | 0)) inside = known;
    }
    if (inside !== undefined) return inside;
    const page = this.userPage(base, eip >>> PAGE_SHIFT);
    if (page === undefined) return undefined;
    for (const known of this.byPhysical.of(page)) {
      const { logged } = known;
      if (!isOf(known) || !floats(logged.mode) || logged.phys >>> PAGE_SHIFT !== page) continue;
      if (logged.eip === (eip & (PAGE - 1))) return known;
      if (inside === undefined && hasByte(logged, eip & (PAGE - 1))) inside = known;
    }
    return inside;
  }

  /** Number of the physical page that the CPU's jump cache of user code knows at a linear page. */
  private userPage(base: number, page: number): number | undefined {
    const { i32 } = this.shared;
    const generation = i32[(base + Cpu.at.jumpUserGen) >> 2];
    const own = Math.imul(page, 0x9e3779b1) >>> PAGE_SHIFT;
    for (let way = 0; way < FETCHED_WAYS; way++) {
      const entry = (base + CpuArea.at.fetchedUser + ((own + way) & (FETCHED_ENTRIES - 1)) * Fetched.size) >> 2;
      if (i32[entry + Fetched.at.gen / 4] !== generation) return undefined;
      if (i32[entry + Fetched.at.page / 4] === page) return i32[entry + Fetched.at.frame / 4]! >>> PAGE_SHIFT;
    }
    return undefined;
  }
}
