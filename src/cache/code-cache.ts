// What was translated, kept from run to run: regions by their place in the guest's linear memory, mode and demands, each with the bytes of the guest's code that it was made from. A region
// is found only where memory holds those bytes now, so what changed since finds nothing. All that a kernel's runs have made is one file, a pack; each of its records has a hash over
// itself and the pack's key, which says whose it is. What has another one is dropped.
//
// A kernel that chooses its place anew in each run (Linux: KASLR) has the same code there but for addresses of its own. Nobody knows what an address became in translated code, so two
// places tell: where a region was made at two of them, by two runs or in a pause of one (CodeKeeper.proveOne), and is the same at both but for constants that differ as the places do, it is
// kept for all places. Until then it is fixed.

import type { RelocatableCode } from '../emit/module/relocation.ts';
import type { KeptFiles } from '../host/host.ts';
import { Mode } from '../layout/cpu.ts';
import { KEPT_PAGES, PAGE, PAGE_SHIFT } from '../layout/memory.ts';
import type { CodeImage } from './code-image.ts';

/** Bytes of a pack at the most: what was used longest ago is left out. */
const PACK_BYTES = 64 << 20;
const MAGIC = 'dragoman code 2\n';
const HASH_BYTES = 32;
const HEADER_BYTES = MAGIC.length + HASH_BYTES;
/** Behind the length and the hash of a record, a word each: where the page begins, offset in it, mode, and how many there are of what follows in this order. */
const FIELDS = [
  ...(['start', 'offset', 'mode', 'fixed', 'ranges', 'moved', 'inner', 'relocations', 'hints', 'facts'] as const),
  ...(['demands', 'calls', 'image', 'code'] as const),
] as const;
const FIELDS_AT = 4 + HASH_BYTES;
const LISTS_AT = FIELDS_AT + FIELDS.length * 4;
const WORD = 4;

const utf8 = new TextEncoder();

/** Code of a region, with all that has to be known of it to make it anew. */
export interface KeptRegion {
  /** EIP of the first byte of the page. */
  readonly start: number;
  /** Offset of the entry in the page. */
  readonly offset: number;
  readonly mode: number;
  /** What was asked of the code, as text. */
  readonly demands: string;
  readonly image: CodeImage;
  /** Which bytes of the image are the highest ones of addresses of the same kernel. */
  readonly moved: readonly number[];
  /** Offsets of blocks inside that need no region of their own. */
  readonly inner: readonly number[];
  /** For people (factsOf in region-log.ts). */
  readonly facts: readonly number[];
  /** Not fixed: it was the same at two places of its kernel, but for the addresses. */
  readonly code: RelocatableCode;
}

/** A record as it lies in the pack; what it says is read when it is wanted. */
interface Entry {
  readonly record: Uint8Array;
  readonly start: number;
  readonly offset: number;
  readonly fixed: boolean;
  region: KeptRegion | undefined;
  /** It was of use in this run. */
  used: boolean;
}

const pageKey = (start: number, mode: number, demands: string): string => `${start >>> 0}:${mode}:${demands}`;
/** A kernel moves by multiples of 2^TOP. */
const TOP = 24;
/** The same for all places that a kernel may have; undefined for what is no code of a kernel at a high address. */
const kernelKey = (start: number, mode: number, demands: string): string | undefined =>
  mayMove(start, mode) ? `${start & (2 ** TOP - 1)}:${mode}:${demands}` : undefined;

/** Whether the page at an EIP may be of a kernel that is somewhere else in another run (Linux: KASLR). */
export const mayMove = (start: number, mode: number): boolean => start >= 2 ** 31 && (mode & (Mode.FLAT | Mode.USER)) === Mode.FLAT;

/** How far another place is at the least. */
export const NEXT_PLACE = 2 ** TOP;

/** The image of a region as it is where its page is at EIP `start`. */
export function imageAt({ image, moved, start: from }: KeptRegion, start: number): CodeImage {
  if (moved.length === 0) return image;
  const bytes = image.bytes.slice();
  const by = (start >>> TOP) - (from >>> TOP);
  for (const k of moved) bytes[k]! += by;
  return { ranges: image.ranges, bytes };
}

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, k) => byte === b[k]);

const hex = (text: string): Uint8Array => Uint8Array.from(text.match(/../g)!, (byte) => Number.parseInt(byte, 16));

/** The name of the file with what has this key. */
export const packOf = (key: string): string => `${key.slice(0, 32)}.pack`;

export class CodeCache {
  private readonly files: KeptFiles;
  private readonly name: string;
  private readonly key: Uint8Array;
  /** By page, mode and demands. */
  private readonly pages = new Map<string, Entry[]>();
  /** The same without the place of the kernel, of what may move with one. */
  private readonly kernels = new Map<string, Entry[]>();
  private bytes = 0;
  private stamp: string | undefined;
  /** Bytes of records that are in no file yet; something in the file is not as it should be. */
  unsaved = 0;
  private damaged = false;

  /** `key`: hexadecimal, says what engine made the code, and for what guest. */
  constructor(files: KeptFiles, key: string) {
    this.files = files;
    this.key = hex(key);
    this.name = packOf(key);
    this.load();
  }

  /** Takes what the file has and is not known yet. */
  private load(): void {
    this.stamp = this.files.stamp(this.name);
    const file = this.stamp === undefined ? undefined : this.files.read(this.name);
    if (file === undefined) return;
    const head = HEADER_BYTES <= file.length && sameBytes(file.subarray(0, MAGIC.length), utf8.encode(MAGIC));
    if (!head || !sameBytes(file.subarray(MAGIC.length, HEADER_BYTES), this.key)) {
      this.damaged = true;
      return;
    }
    const view = new DataView(file.buffer, file.byteOffset, file.length);
    for (let at = HEADER_BYTES; at < file.length; ) {
      const size = at + LISTS_AT <= file.length ? view.getUint32(at, true) : 0;
      if (size < LISTS_AT || at + size > file.length) {
        this.damaged = true;
        return;
      }
      this.enter(file.subarray(at, at + size));
      at += size;
    }
  }

  private enter(record: Uint8Array): void {
    const { start, offset, mode, demands, fixed } = headOf(record);
    const list = this.pages.get(pageKey(start, mode, demands));
    if (list?.some((other) => sameBytes(hashOf(other.record), hashOf(record)))) return;
    const entry = { record, start, offset, fixed, region: undefined, used: false };
    for (const [map, key] of this.listsOf(entry, mode, demands)) {
      const entries = map.get(key);
      if (entries) entries.push(entry);
      else map.set(key, [entry]);
    }
    this.bytes += record.length;
  }

  private listsOf({ start }: { readonly start: number }, mode: number, demands: string): [Map<string, Entry[]>, string][] {
    const kernel = kernelKey(start, mode, demands);
    const pages: [Map<string, Entry[]>, string] = [this.pages, pageKey(start, mode, demands)];
    return kernel === undefined ? [pages] : [pages, [this.kernels, kernel]];
  }

  private drop(entry: Entry): void {
    const { mode, demands } = headOf(entry.record);
    for (const [map, key] of this.listsOf(entry, mode, demands)) {
      const list = map.get(key)!;
      list.splice(list.indexOf(entry), 1);
    }
    this.bytes -= entry.record.length;
  }

  /** A record's hash as it should be. */
  private hash(record: Uint8Array): Uint8Array {
    const salted = new Uint8Array(this.key.length + record.length - FIELDS_AT);
    salted.set(this.key);
    salted.set(record.subarray(FIELDS_AT), this.key.length);
    return hex(this.files.sha256(salted));
  }

  /** The regions of a list for which `is` holds; a record that is not what was written is dropped. */
  private *those(list: readonly Entry[] | undefined, is: (entry: Entry) => boolean): Generator<[Entry, KeptRegion]> {
    for (const entry of [...(list ?? [])]) {
      if (!is(entry)) continue;
      if (entry.region === undefined) {
        if (!sameBytes(hashOf(entry.record), this.hash(entry.record))) {
          this.drop(entry);
          this.damaged = true;
          continue;
        }
        entry.region = regionOf(entry.record);
      }
      yield [entry, entry.region];
    }
  }

  /** The regions of the page at EIP `start` that were made from what is there, at this place of their kernel or another one. */
  private *current(
    start: number,
    mode: number,
    demands: string,
    holds: (image: CodeImage) => boolean,
    is: (offset: number) => boolean,
  ): Generator<[Entry, KeptRegion]> {
    for (const found of this.those(this.pages.get(pageKey(start, mode, demands)), ({ offset }) => is(offset)))
      if (holds(found[1].image)) yield found;
    const kernel = kernelKey(start, mode, demands);
    if (kernel === undefined) return;
    const moves = ({ offset, fixed, start: from }: Entry) => !fixed && from !== start && is(offset);
    for (const [entry, region] of this.those(this.kernels.get(kernel), moves)) {
      const image = imageAt(region, start);
      if (holds(image)) yield [entry, { ...region, start, image }];
    }
  }

  /** The region at an offset of the page at EIP `start`, made from what `holds` says is there. */
  find(start: number, offset: number, mode: number, demands: string, holds: (image: CodeImage) => boolean): KeptRegion | undefined {
    for (const [entry, region] of this.current(start, mode, demands, holds, (at) => at === offset)) {
      entry.used = true;
      return region;
    }
    return undefined;
  }

  /** All regions of the page at EIP `start` that were made from what is there. */
  onPage(start: number, mode: number, demands: string, holds: (image: CodeImage) => boolean): KeptRegion[] {
    return Array.from(
      this.current(start, mode, demands, holds, () => true),
      ([, region]) => region,
    );
  }

  /** Keeps a region. One that is the same as at another place of its kernel is kept for all places, instead of that. */
  add(region: KeptRegion): void {
    const { start, offset, mode, demands, image } = region;
    if (this.find(start, offset, mode, demands, (other) => sameImage(other, image)) !== undefined) return;
    if (!this.prove(region)) this.keep({ ...region, code: { ...region.code, fixed: true } });
  }

  /** Whether a region is kept for its own place alone. */
  isFixed({ start, offset, mode, demands, image }: KeptRegion): boolean {
    const here = this.those(this.pages.get(pageKey(start, mode, demands)), (entry) => entry.fixed && entry.offset === offset);
    return [...here].some(([, region]) => sameImage(region.image, image));
  }

  /** Whether a region is the same as one that is kept at another place of its kernel: then it is kept for all places, instead of that. */
  prove(region: KeptRegion): boolean {
    const { start, offset, mode, demands, image, code } = region;
    const kernel = code.fixed ? undefined : kernelKey(start, mode, demands);
    if (kernel === undefined) return false;
    const isSame = ([, other]: readonly [Entry, KeptRegion]) => sameImage(imageAt(other, start), image) && isSameMoved(other, region);
    const elsewhere = ({ start: from, offset: at }: Entry) => at === offset && from !== start;
    const same = [...this.those(this.kernels.get(kernel), elsewhere)].filter(isSame);
    for (const [entry] of same) this.drop(entry);
    if (same.length > 0) this.keep(region);
    return same.length > 0;
  }

  private keep(region: KeptRegion): void {
    const record = recordOf(region);
    record.set(this.hash(record), WORD);
    this.enter(record);
    this.pages.get(pageKey(region.start, region.mode, region.demands))!.at(-1)!.used = true;
    this.unsaved += record.length;
  }

  /** Sets the bits of the pages (Control.keptPages) of which something is kept, and no others. */
  markPages(bits: Int32Array): void {
    const set = new Int32Array(bits.length);
    // A page of EIPs that is none of the linear space lies in two of it.
    for (const list of this.pages.values())
      for (const { start } of list)
        for (const at of [start, (start + PAGE - 1) >>> 0]) {
          const page = at >>> PAGE_SHIFT;
          set[(page % KEPT_PAGES) >> 5]! |= 1 << (page & 31);
        }
    bits.set(set);
  }

  /** How many there are. */
  get regions(): number {
    return [...this.pages.values()].reduce((sum, { length }) => sum + length, 0);
  }

  /** How much of what is to be in the file is not: 0 to 1. */
  get news(): number {
    return this.damaged ? 1 : this.unsaved / Math.max(this.bytes, 1);
  }

  /** Writes the pack, with what others have written meanwhile; where there is nothing new, the file is only marked as used. */
  save(): void {
    if (this.news === 0) {
      if (this.stamp !== undefined) this.files.touch(this.name);
      return;
    }
    this.damaged = false;
    if (this.files.stamp(this.name) !== this.stamp) this.load();
    const all = [...this.pages.values()].flat();
    const parts: Uint8Array[] = [utf8.encode(MAGIC), this.key];
    let bytes = 0;
    for (const { record } of [...all.filter(({ used }) => used), ...all.filter(({ used }) => !used)])
      if (bytes + record.length <= PACK_BYTES) {
        parts.push(record);
        bytes += record.length;
      }
    this.files.write(this.name, parts);
    this.stamp = this.files.stamp(this.name);
    this.unsaved = 0;
    this.damaged = false;
  }
}

const sameImage = (a: CodeImage, b: CodeImage): boolean => a.ranges.join() === b.ranges.join() && sameBytes(a.bytes, b.bytes);
/** Whether two regions of a kernel are the same but for its place. */
function isSameMoved(a: KeptRegion, b: KeptRegion): boolean {
  const lists = ({ moved, inner, code }: KeptRegion) => [moved, inner, code.calls, code.relocations, code.hints].join(';');
  return lists(a) === lists(b) && sameBytes(a.code.code, b.code.code);
}

const hashOf = (record: Uint8Array): Uint8Array => record.subarray(WORD, FIELDS_AT);

type Fields = Record<(typeof FIELDS)[number], number>;
function fieldsOf(record: Uint8Array): Fields {
  const view = new DataView(record.buffer, record.byteOffset, record.length);
  return Object.fromEntries(FIELDS.map((name, k) => [name, view.getUint32(FIELDS_AT + k * WORD, true)])) as Fields;
}

/** What an entry is found by. Of a damaged record it is something else. */
function headOf(record: Uint8Array): Pick<KeptRegion, 'start' | 'offset' | 'mode' | 'demands'> & { readonly fixed: boolean } {
  const { start, offset, mode, fixed, ranges, moved, inner, relocations, hints, facts, demands } = fieldsOf(record);
  const at = LISTS_AT + (ranges + moved + inner + relocations + hints + facts) * WORD;
  return { start, offset, mode, fixed: fixed !== 0, demands: new TextDecoder().decode(record.subarray(at, at + demands)) };
}

/** What a record says whose hash is right. */
function regionOf(record: Uint8Array): KeptRegion {
  const fields = fieldsOf(record);
  const view = new DataView(record.buffer, record.byteOffset, record.length);
  let at = LISTS_AT;
  const list = (count: number) => {
    const numbers = Array.from({ length: count }, (_, k) => view.getInt32(at + k * WORD, true));
    at += count * WORD;
    return numbers;
  };
  const bytes = (count: number) => record.subarray(at, (at += count));
  const text = (count: number) => new TextDecoder().decode(bytes(count));
  const [ranges, moved, inner] = [list(fields.ranges), list(fields.moved), list(fields.inner)];
  const [relocations, hints, facts] = [list(fields.relocations), list(fields.hints), list(fields.facts)];
  const demands = text(fields.demands);
  const calls = text(fields.calls)
    .split(' ')
    .filter((name) => name !== '');
  const image = { ranges, bytes: bytes(fields.image) };
  const code = { code: bytes(fields.code), calls, relocations, hints, fixed: fields.fixed !== 0 };
  return { start: fields.start, offset: fields.offset, mode: fields.mode, demands, image, moved, inner, facts, code };
}

/** The record of a region, without its hash. */
function recordOf({ start, offset, mode, demands, image, moved, inner, facts, code }: KeptRegion): Uint8Array {
  const lists = [image.ranges, moved, inner, code.relocations, code.hints, facts];
  const texts = [utf8.encode(demands), utf8.encode(code.calls.join(' ')), image.bytes, code.code];
  const counts = [start, offset, mode, code.fixed ? 1 : 0, ...lists.map(({ length }) => length), ...texts.map(({ length }) => length)];
  const words = [...counts, ...lists.flat()];
  const size = FIELDS_AT + words.length * WORD + texts.reduce((sum, { length }) => sum + length, 0);
  const record = new Uint8Array(size);
  const view = new DataView(record.buffer);
  view.setUint32(0, size, true);
  words.forEach((word, k) => view.setInt32(FIELDS_AT + k * WORD, word, true));
  let at = FIELDS_AT + words.length * WORD;
  for (const text of texts) {
    record.set(text, at);
    at += text.length;
  }
  return record;
}

/** Where the page of an EIP begins whose byte is at physical address `phys`. */
export const startOf = (eip: number, phys: number): number => (eip - (phys & (PAGE - 1))) >>> 0;
