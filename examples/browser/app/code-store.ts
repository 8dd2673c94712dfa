// The page's picture of the code cache: all regions that there are, how hot each is now, and which one is looked at. Panels bring it up to date when session.tick changes.
import { type Signal, signal } from '@preact/signals';
import type { CodeRegion, CpuPlace, Machine } from '../../../src/api/index.ts';
import type { Session } from './session.ts';

export const PAGE = 4096;
/** Heat that a region still has a tick later. */
const COOLS = 0.85;
/** Less than that is none. */
const COLD = 0.01;

export class CodeStore {
  readonly regions = new Map<number, CodeRegion>();
  /** How often each was found to be where a CPU is, the less the longer ago. */
  readonly heat = new Map<number, number>();
  /** When each came that came while somebody looked, milliseconds of performance.now(). */
  readonly cameAt = new Map<number, number>();
  cpus: readonly CpuPlace[] = [];
  /** Ids of the regions of a page of guest memory, by its number. */
  readonly pages = new Map<number, Set<number>>();
  /** Goes up when anything of it has changed. */
  readonly version: Signal<number> = signal(0);
  /** The region that is looked at; it may be gone. */
  readonly selected: Signal<number | undefined> = signal(undefined);
  private readonly byPhysical = new Map<number, Set<number>>();
  private machine: Machine | undefined;
  private samples = new Map<number, number>();
  private generation: number | undefined;
  private tick = -1;
  private looked: CodeRegion | undefined;

  /** What a machine has now; once a tick. */
  follow(machine: Machine | undefined, tick: number): void {
    if (machine !== this.machine) this.begin(machine);
    if (machine === undefined || tick === this.tick) return;
    this.tick = tick;
    const isFirst = this.generation === undefined;
    this.note();
    const { generation, whole, regions, gone, cpus, heat } = machine.regions({ since: this.generation });
    this.generation = generation;
    if (whole) this.clear();
    for (const id of gone) this.remove(id);
    const now = performance.now();
    for (const region of regions) {
      this.remove(region.id);
      this.add(region);
      if (!isFirst) this.cameAt.set(region.id, now);
    }
    for (const [id, value] of this.heat)
      if (value < COLD) this.heat.delete(id);
      else this.heat.set(id, value * COOLS);
    for (const { id, samples } of heat) {
      this.heat.set(id, (this.heat.get(id) ?? 0) + samples - (this.samples.get(id) ?? 0));
      this.samples.set(id, samples);
    }
    this.cpus = cpus;
    this.followSelected();
    this.version.value = this.version.peek() + 1;
  }

  /** Remembers where the region is that is looked at. */
  private note(): void {
    const id = this.selected.peek();
    if (id === undefined) this.looked = undefined;
    else this.looked = this.regions.get(id) ?? this.looked;
  }

  /** One that was made anew is looked at in the place of the one that is gone. */
  private followSelected(): void {
    if (this.looked === undefined || this.regions.has(this.selected.peek()!)) return;
    const [again] = this.at(this.looked.physical, this.looked.level);
    if (again !== undefined) this.selected.value = again.id;
  }

  private begin(machine: Machine | undefined): void {
    this.machine = machine;
    this.generation = undefined;
    this.clear();
    this.heat.clear();
    this.samples.clear();
    this.cpus = [];
    this.selected.value = undefined;
    this.looked = undefined;
    this.version.value = this.version.peek() + 1;
  }

  private clear(): void {
    for (const map of [this.regions, this.pages, this.byPhysical, this.cameAt]) map.clear();
  }

  private add(region: CodeRegion): void {
    const { id, physical } = region;
    this.regions.set(id, region);
    for (const page of pagesOf(region)) entered(this.pages, page, id);
    entered(this.byPhysical, physical, id);
  }

  private remove(id: number): void {
    const region = this.regions.get(id);
    if (region === undefined) return;
    this.regions.delete(id);
    this.cameAt.delete(id);
    for (const page of pagesOf(region)) left(this.pages, page, id);
    left(this.byPhysical, region.physical, id);
  }

  /** Regions of the same level that begin at a place. */
  at(physical: number, level: CodeRegion['level']): CodeRegion[] {
    return [...(this.byPhysical.get(physical) ?? [])].map((id) => this.regions.get(id)!).filter((region) => region.level === level);
  }

  /** Those that a region goes on to, and those that go on to it. */
  links(region: CodeRegion): { readonly to: readonly CodeRegion[]; readonly from: readonly CodeRegion[] } {
    const to = region.links.flatMap((place) => this.at(place, region.level));
    const page = [...(this.pages.get(Math.floor(region.physical / PAGE)) ?? [])].map((id) => this.regions.get(id)!);
    const from = page.filter(({ id, level, links }) => id !== region.id && level === region.level && links.includes(region.physical));
    return { to, from };
  }
}

/** Numbers of the pages that a region has code on. */
export const pagesOf = ({ physical, ranges }: CodeRegion): number[] => [
  ...new Set([physical, ...ranges.filter((_, k) => k % 2 === 0)].map((at) => Math.floor(at / PAGE))),
];

function entered(map: Map<number, Set<number>>, key: number, id: number): void {
  const list = map.get(key);
  if (list) list.add(id);
  else map.set(key, new Set([id]));
}
function left(map: Map<number, Set<number>>, key: number, id: number): void {
  const list = map.get(key);
  list?.delete(id);
  if (list?.size === 0) map.delete(key);
}

const stores = new WeakMap<Session, CodeStore>();
/** The one of a session, whichever panels look at it. */
export function codeOf(session: Session): CodeStore {
  let store = stores.get(session);
  if (store === undefined) stores.set(session, (store = new CodeStore()));
  return store;
}

export const hex = (n: number): string => `0x${n.toString(16).padStart(8, '0')}`;
/** What a region is called. */
export const nameOf = ({ symbol, floats, physical, address, level }: CodeRegion): string =>
  symbol ?? (floats ? `${level} code at physical ${hex(physical)}` : `${level} code at ${hex(address)}`);
