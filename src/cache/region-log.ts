// What regions were made, for people: a record of each in a ring in shared memory, which the translator writes behind each module and nobody waits for. Who wants to know (inspect/code-map.ts) reads
// on from where it was, on any thread; the oldest records are written over.
import type { SharedMemory } from '../cpu/state.ts';
import { ENCODERS, type EncoderName } from '../emit/module/builder.ts';
import { eipOf } from '../ir/blocks.ts';
import { Control, controlWord, PAGE, REGION_LOG, REGION_LOG_BYTES } from '../layout/memory.ts';
import type { Region } from '../translate/grow.ts';
import { type CodeImage, lengthOf } from './code-image.ts';
import type { Request } from './request.ts';

/** What only who grew a region knows of it: a list of numbers, which is kept with its code from run to run. */
export interface RegionFacts {
  readonly encoder: EncoderName;
  /** Guest instructions and basic blocks, those of copies of callees among them. */
  readonly instructions: number;
  readonly blocks: number;
  /** Where the callees begin of which it has copies, each once: offsets from the start of its page. */
  readonly callees: readonly number[];
}

/** What was asked of it. */
export interface LoggedDemands {
  /** Relax bits that code is made by. */
  readonly relax: number;
  /** Linear address of the direct map that it relies on; 0: on none. */
  readonly directOrigin: number;
  /** It relies on its stack. */
  readonly stack: boolean;
}

export interface NewRegion extends Request, RegionFacts, LoggedDemands {
  readonly slot: number;
  readonly image: CodeImage;
  /** It was taken from the code cache. */
  readonly recalled: boolean;
  /** Bytes of its function in WebAssembly. */
  readonly wasmBytes: number;
  /** Table slots that it names. */
  readonly links: readonly number[];
}

export interface LoggedRegion extends NewRegion {
  /** 1 and up, in the order in which they were made. */
  readonly id: number;
}

// A record: these words, then the ranges of the image, the links and the callees, a word each, then the image's bytes.
const FIELDS = [
  ...(['size', 'id', 'slot', 'phys', 'eip', 'mode', 'owner', 'relax', 'directOrigin', 'flags', 'wasmBytes'] as const),
  ...(['instructions', 'blocks', 'ranges', 'links', 'callees'] as const),
] as const;
type Field = (typeof FIELDS)[number];
const HEAD_BYTES = FIELDS.length * 4;
const ALIGN = 16;
const ALL = -1;
const RECALLED = 1;
const STACK = 2;
const ENCODER_SHIFT = 8;
/** In the place of an id: all regions before it are dropped; the rest of the ring is left out. */
const DROPPED = 0;
const FILLER = -1;

const END = controlWord(Control.at.regionLogEnd);
const FIRST = controlWord(Control.at.regionLogFirst);
const LOGGED = controlWord(Control.at.regionsLogged);
const wordAt = (position: number) => (REGION_LOG + (position % REGION_LOG_BYTES)) >> 2;
const distance = (from: number, to: number) => (to - from) >>> 0;

/** As a region is kept: the encoder's number, how many instructions and blocks, the callees. */
export const packFacts = ({ encoder, instructions, blocks, callees }: RegionFacts): number[] => [
  ENCODERS.indexOf(encoder),
  instructions,
  blocks,
  ...callees,
];
export function unpackFacts([encoder = 0, instructions = 0, blocks = 0, ...callees]: readonly number[]): RegionFacts {
  return { encoder: ENCODERS[encoder]!, instructions, blocks, callees };
}

/** Those of a region that was grown. */
export function factsOf({ entry, phys, blocks, instructionCount }: Region, encoder: EncoderName): RegionFacts {
  const start = (entry - (phys & (PAGE - 1))) | 0;
  const callees = new Set<number>();
  for (const { callee } of blocks.values()) if (callee !== undefined && blocks.has(callee)) callees.add((eipOf(callee) - start) | 0);
  return { encoder, instructions: instructionCount, blocks: blocks.size, callees: [...callees] };
}

/** The end of whoever makes regions. */
export class RegionLog {
  private readonly i32: Int32Array;
  private readonly u8: Uint8Array;

  constructor({ i32, u8 }: SharedMemory) {
    this.i32 = i32;
    this.u8 = u8;
  }

  /** Enters the regions of a module that was made. */
  add(regions: readonly NewRegion[]): void {
    for (const region of regions) this.write(region);
  }

  /** All regions that there are will be dropped before another one is entered. */
  drop(): void {
    const position = this.room(ALIGN);
    this.i32.set([ALIGN, DROPPED], wordAt(position));
    this.publish(position, ALIGN);
  }

  private write({ image, links, callees, ...region }: NewRegion): void {
    const { i32, u8 } = this;
    const size = (HEAD_BYTES + (image.ranges.length + links.length + callees.length) * 4 + image.bytes.length + ALIGN - 1) & -ALIGN;
    const position = this.room(size);
    const counts = { ranges: image.ranges.length, links: links.length, callees: callees.length };
    const flags = (region.recalled ? RECALLED : 0) | (region.stack ? STACK : 0) | (ENCODERS.indexOf(region.encoder) << ENCODER_SHIFT);
    const fields: Record<Field, number> = { ...region, ...counts, size, id: ++i32[LOGGED]!, owner: region.owner ?? ALL, flags };
    const words = [...FIELDS.map((field) => fields[field]), ...image.ranges, ...links, ...callees];
    const at = wordAt(position);
    i32.set(words, at);
    u8.set(image.bytes, (at + words.length) * 4);
    this.publish(position, size);
  }

  /** Where a record of `size` bytes comes next. It does not wrap. */
  private room(size: number): number {
    const { i32 } = this;
    const end = i32[END]! >>> 0;
    const tail = REGION_LOG_BYTES - (end % REGION_LOG_BYTES);
    const skip = tail < size ? tail : 0;
    let first = i32[FIRST]! >>> 0;
    while (distance(first, end) + skip + size > REGION_LOG_BYTES) first = (first + i32[wordAt(first)]!) >>> 0;
    // Before anything of it is written over.
    Atomics.store(i32, FIRST, first);
    if (skip > 0) i32.set([skip, FILLER], wordAt(end));
    return (end + skip) >>> 0;
  }

  private publish(position: number, size: number): void {
    Atomics.store(this.i32, END, position + size);
  }
}

/** What a reader finds: a region that was made, or that all before are dropped. */
export const DROPPED_ALL = 'dropped';

const PLACES = Object.fromEntries(FIELDS.map((field, n) => [field, n])) as Readonly<Record<Field, number>>;

/** `record`: a copy, at the start of its buffer. */
function parse(record: Uint8Array): LoggedRegion {
  const words = new Int32Array(record.buffer, 0, record.length / 4);
  const field = (name: Field) => words[PLACES[name]]!;
  let at = FIELDS.length;
  const list = (count: number) => [...words.subarray(at, (at += count))];
  const [ranges, links, callees] = [list(field('ranges')), list(field('links')), list(field('callees'))];
  const [flags, owner] = [field('flags'), field('owner')];
  return {
    id: field('id') >>> 0,
    slot: field('slot'),
    phys: field('phys') >>> 0,
    eip: field('eip') >>> 0,
    mode: field('mode'),
    owner: owner === ALL ? undefined : owner,
    relax: field('relax'),
    directOrigin: field('directOrigin') >>> 0,
    stack: (flags & STACK) !== 0,
    recalled: (flags & RECALLED) !== 0,
    encoder: ENCODERS[flags >> ENCODER_SHIFT]!,
    wasmBytes: field('wasmBytes'),
    instructions: field('instructions'),
    blocks: field('blocks'),
    links,
    callees,
    image: { ranges, bytes: record.slice(at * 4, at * 4 + lengthOf(ranges)) },
  };
}

/** The end of who wants to know. */
export class RegionLogReader {
  private readonly i32: Int32Array;
  private readonly u8: Uint8Array;
  private at = 0;

  constructor({ i32, u8 }: SharedMemory) {
    this.i32 = i32;
    this.u8 = u8;
  }

  /** What was entered since the last time, in order. Where some of it was written over, what there still is behind it, and DROPPED_ALL first: who reads has to begin anew. */
  *read(): Generator<LoggedRegion | typeof DROPPED_ALL> {
    for (;;) {
      if (this.lost()) yield DROPPED_ALL;
      if (this.at === this.end) return;
      const from = REGION_LOG + (this.at % REGION_LOG_BYTES);
      const size = this.i32[from >> 2]!;
      const record = size >= ALIGN && size <= REGION_LOG_BYTES ? this.u8.slice(from, from + size) : undefined;
      // What was copied was whole if it is still there.
      if (distance(this.first, this.end) < distance(this.at, this.end) || record === undefined) continue;
      this.at = (this.at + size) >>> 0;
      const id = new DataView(record.buffer).getInt32(4, true);
      if (id === DROPPED) yield DROPPED_ALL;
      else if (id !== FILLER) yield parse(record);
    }
  }

  private get end(): number {
    return Atomics.load(this.i32, END) >>> 0;
  }
  private get first(): number {
    return Atomics.load(this.i32, FIRST) >>> 0;
  }

  /** Goes on behind what was written over, if anything was. */
  private lost(): boolean {
    const { first } = this;
    // Both are behind the end by less than the ring has.
    if (distance(first, this.end) >= distance(this.at, this.end)) return false;
    this.at = first;
    return true;
  }
}
