// The interpreter's code cache of one CPU: guest code decoded into records, found by physical address, EIP and mode,
// thrown away where its bytes have changed (code-pages.ts) or as a whole (the arena is full).

import { PhysicalMemory } from '../cpu/physical.ts';
import type { SharedMemory } from '../cpu/state.ts';
import { CodeReader, decode, type Instruction, insideLimit, LONGEST } from '../decode/decoder.ts';
import { FIRST_FORM, pseudoIndex } from '../emit/interpreter/table.ts';
import { type HeadName, headFor, instrumentsAsked } from '../instrument/index.ts';
import { Breakpoint, BreakpointKind, Cpu, codeLimit, floats, Mode, NO_RETURN, ownEip, SegCache } from '../layout/cpu.ts';
import {
  BLOCK_HASH_ENTRIES,
  BlockHead,
  CONTROL,
  Control,
  CpuArea,
  controlWord,
  JUMP_ENTRIES,
  JUMP_WAYS,
  JumpEntry,
  jumpIndex,
  MANY_PLACES,
  PAGE,
  PAGE_SHIFT,
  Record,
  RecordPlace,
} from '../layout/memory.ts';
import { CACHE_LINE } from '../layout/struct.ts';
import { RecordWriter } from './records.ts';

/** Instructions in a block at the most. */
const BLOCK_LIMIT = 64;
/** Bytes of code looked at for a block: room for BLOCK_LIMIT instructions of usual length. */
const WINDOW = 512;
/** Places of pages that are remembered. */
const MOST_PLACES = 1 << 16;
const STALE = pseudoIndex('stale');
/** Bytes of a block's records: its head, its instructions, what is behind the last one, and where a conditional jump out of the limit of CS goes. */
const recordBytes = (count: number) => (BlockHead.size + (count + 2) * Record.size + CACHE_LINE - 1) & -CACHE_LINE;
/** And those of the code that it was made from behind them. */
const blockBytes = (count: number, bytes: number) => recordBytes(count) + ((bytes + CACHE_LINE - 1) & -CACHE_LINE);
const MOST_BYTES = blockBytes(BLOCK_LIMIT, WINDOW);
/** codeLimit of a flat CS. */
const NO_LIMIT = 0xffffffff;

/** What decoding needs from the runtime. */
export interface CodeRuntime {
  /** Physical address of a linear one for execution; sets Cpu.fault where it faults. */
  translateExec(cpu: number, linear: number): number;
  /** This CPU holds code of `bytes` bytes at `phys`, in one page of RAM: from now on stores to them are noticed (wasm/memory/exclusive.ts). */
  markCode(cpu: number, phys: number, bytes: number): void;
  /** Behind code that was entered in a page's map: stores of other CPUs that do not know of it are done when this comes back (wasm/memory/exclusive.ts). */
  awaitStores(cpu: number, phys: number): void;
  /** Since when a new block's heat is counted. */
  heatNow(cpu: number): number;
  /** Index into the table of blocks at Cpu.blockHash, from 0 to BLOCK_HASH_ENTRIES - 1. */
  blockHashIndex(phys: number, eip: number, mode: number): number;
}

/** Handlers of clients (clients/handlers.ts). */
export interface CodeHooks {
  /** Whether some are for instructions. */
  readonly perInstruction: boolean;
  /** Table index of the head of a block; undefined: that of all others. */
  head(eip: number, mode: number): number | undefined;
  /** Table indices of handlers; undefined where an instruction has that of its form. What runs alone (Mode.STEP) has no head. */
  handlers(list: readonly Instruction[], mode: number): readonly (number | undefined)[];
}

/** Which jump caches know code that is gone: bit 0 the kernel's, bit 1 the user's. */
export type Jumps = 0 | 1 | 2 | 3;

export class BlockCache {
  private readonly shared: SharedMemory;
  private readonly cpu: number;
  private readonly runtime: CodeRuntime;
  private readonly records: RecordWriter;
  private readonly physical: PhysicalMemory;
  /** Heads by physical page number. */
  private readonly pages = new Map<number, number[]>();
  /** Pages that isFirst has seen code of, with where they were mapped. */
  private readonly places = new Set<string>();
  private knownHead: HeadName | undefined;
  /** For blocks that are decoded from now on. */
  hooks: CodeHooks | undefined;
  private readonly window = new Uint8Array(WINDOW);
  private copied = 0;

  constructor(shared: SharedMemory, cpu: number, runtime: CodeRuntime, keys: readonly string[]) {
    this.shared = shared;
    this.cpu = cpu;
    this.runtime = runtime;
    this.records = new RecordWriter(shared, cpu, keys);
    this.physical = new PhysicalMemory(shared);
  }

  private word(offset: number): number {
    return this.shared.i32[(this.cpu + offset) >> 2]! >>> 0;
  }
  private setWord(offset: number, value: number): void {
    this.shared.i32[(this.cpu + offset) >> 2] = value;
  }

  /**
   * Decodes the block at Cpu.eip (with `step`: one instruction, to be run alone) and enters it in the hash.
   * Returns its head, or 0 where fetching faults (Cpu.fault is set).
   */
  decodeHere(step: boolean): number {
    for (;;) {
      const head = this.tryDecode(step);
      if (head !== undefined) return head;
    }
  }

  /** The same; undefined where the bytes changed before stores to them were noticed. */
  private tryDecode(step: boolean): number | undefined {
    const mode = this.word(Cpu.at.mode);
    const base = this.word(Cpu.at.seg + 1 * SegCache.size + SegCache.at.base);
    const linear = (base + this.word(Cpu.at.eip)) >>> 0;
    const phys = this.runtime.translateExec(this.cpu, linear) >>> 0;
    if (this.word(Cpu.at.fault) !== 0) return 0;
    const eip = ownEip(this.word(Cpu.at.eip), mode);
    const limit = step ? 1 : BLOCK_LIMIT;
    // Where a page has instruction breakpoints, a block ends before each of them.
    const breaks = step ? [] : this.breakpointsOn(linear >>> PAGE_SHIFT).map((at) => (at - linear + eip) >>> 0);
    const list: Instruction[] = [];
    let crossing = false;
    let at = eip;
    let p = phys;
    let lastPage = phys >>> PAGE_SHIFT;
    let code = this.window.subarray(0, Math.min(step ? LONGEST : WINDOW, PAGE - (phys & (PAGE - 1))));
    this.physical.read(phys, code);
    const reader = new CodeReader(code, mode);
    if (!step && breaks.length === 0 && codeLimit(mode) === NO_LIMIT && !this.hooks?.perInstruction) {
      const count = this.copyRecords(reader, code, eip, mode);
      if (count > 0) {
        const bytes = code.subarray(0, this.copied);
        return this.hold(phys, lastPage, bytes)
          ? this.enterBlock(count, eip, phys, lastPage, mode, (eip + this.copied) >>> 0, bytes)
          : undefined;
      }
    }
    while (list.length < limit) {
      const left = PAGE - (p & (PAGE - 1));
      let x = reader.at(p - phys, at);
      if (x.truncated && left < 15) {
        if (list.length > 0) break;
        reader.free();
        const second = this.runtime.translateExec(this.cpu, (linear + left) >>> 0) >>> 0;
        if (this.word(Cpu.at.fault) !== 0) return 0;
        code = this.window.subarray(0, LONGEST);
        this.physical.read(p, code.subarray(0, left));
        this.physical.read(second, code.subarray(left));
        x = decode(code, at, mode);
        // The end of the linear space is one to code that does not know where it is.
        if (floats(mode) && linear + x.length > NO_LIMIT + 1) x = { ...x, truncated: true };
        lastPage = second >>> PAGE_SHIFT;
        crossing = true;
      } else if (x.truncated && left > 15 && p - phys + 15 > code.length) break;
      // Behind the last instruction that is inside the limit of CS the block ends; the next one is #GP.
      if (list.length > 0 && x.eip + x.length - 1 > codeLimit(mode)) break;
      if (list.length > 0 && breaks.includes(x.eip)) break;
      list.push(x);
      at = x.next;
      p += x.length;
      if (
        crossing ||
        x.truncated ||
        !insideLimit(x, mode) ||
        x.spec === undefined ||
        x.spec.ends ||
        x.spec.dispatches ||
        x.flow !== 'next' ||
        (p & (PAGE - 1)) === 0 ||
        p >>> PAGE_SHIFT !== phys >>> PAGE_SHIFT
      )
        break;
    }
    if (!crossing) reader.free();
    // What is no instruction may be so because of any of its first fifteen bytes.
    const last = list.at(-1)!;
    const used = last.spec === undefined || last.truncated ? (last.eip - eip + LONGEST) >>> 0 : (at - eip) >>> 0;
    const bytes = code.subarray(0, Math.min(used, code.length));
    if (!this.hold(phys, lastPage, bytes)) return undefined;
    return this.write(list, phys, lastPage, step ? mode | Mode.STEP : breaks.length > 0 ? mode | Mode.BREAK : mode, at, bytes);
  }

  /** Linear addresses of the instruction breakpoints on a linear page, the guest's and the host's. */
  private breakpointsOn(page: number): number[] {
    const found: number[] = [];
    const { i32 } = this.shared;
    const look = (start: number, count: number) => {
      for (let at = start; at < start + count * Breakpoint.size; at += Breakpoint.size) {
        const first = i32[(at + Breakpoint.at.first) >> 2]! >>> 0;
        if ((i32[(at + Breakpoint.at.kinds) >> 2]! & BreakpointKind.EXECUTE) !== 0 && first >>> PAGE_SHIFT === page >>> 0)
          found.push(first);
      }
    };
    look(this.cpu + Cpu.at.breakpoints, 4);
    look(CONTROL + Control.at.debugPoints, i32[controlWord(Control.at.debugCount)]!);
    return found;
  }

  /** From now on stores to the bytes of a block are noticed; false where they are others already. */
  private hold(phys: number, lastPage: number, bytes: Uint8Array): boolean {
    const first = Math.min(bytes.length, PAGE - (phys & (PAGE - 1)));
    this.mark(phys, first);
    if (first < bytes.length) this.mark(lastPage * PAGE, bytes.length - first);
    return this.isThere(phys, lastPage, bytes);
  }

  /** Whether memory holds the bytes of a block. */
  private isThere(phys: number, lastPage: number, bytes: Uint8Array): boolean {
    const first = Math.min(bytes.length, PAGE - (phys & (PAGE - 1)));
    return this.physical.matches(phys, bytes, 0, first) && this.physical.matches(lastPage * PAGE, bytes, first, bytes.length);
  }

  /**
   * Most blocks have patterns alone, and all of their last one in the window: writes their records where the next block is to be, sets `copied` to the bytes that they were made
   * from, and gives their number. 0: it is another kind of block.
   */
  private copyRecords(reader: CodeReader, code: Uint8Array, eip: number, mode: number): number {
    const head = this.word(Cpu.at.arenaNext);
    if (head + MOST_BYTES > this.word(Cpu.at.arenaEnd)) return 0;
    let from = 0;
    for (let count = 0; count < BLOCK_LIMIT; ) {
      const pattern = reader.patternAt(from);
      if (pattern === undefined || pattern.isUndefined || eip + from + pattern.length > NO_LIMIT) return 0;
      this.records.copy(head + BlockHead.size + count * Record.size, pattern, code, from, eip + from, mode);
      count++;
      from += pattern.length;
      this.copied = from;
      // The window may be all that there is of the page.
      if (pattern.ends || count === BLOCK_LIMIT || (from === code.length && from < WINDOW)) return count;
    }
    return 0;
  }

  private write(list: readonly Instruction[], phys: number, lastPage: number, mode: number, end: number, code: Uint8Array): number {
    if (this.word(Cpu.at.arenaNext) + blockBytes(list.length, code.length) > this.word(Cpu.at.arenaEnd)) this.flush();
    let record = this.word(Cpu.at.arenaNext) + BlockHead.size;
    for (const x of list) {
      this.records.write(record, x, mode);
      record += Record.size;
    }
    if (this.hooks !== undefined && (this.hooks.perInstruction || (mode & Mode.STEP) !== 0))
      this.giveHandlers(record - list.length * Record.size, this.hooks.handlers(list, mode));
    const last = list.at(-1)!;
    const head = this.enterBlock(list.length, list[0]!.eip, phys, lastPage, mode, end, code);
    // A conditional jump out of the limit of CS is #GP at the jump, if it is taken.
    if (last.target !== undefined && last.flow === 'conditional' && !insideLimit(last, mode)) {
      const { i32 } = this.shared;
      i32[(record - Record.size + RecordPlace.link) >> 2] = record + Record.size;
      i32[(record + Record.size + Record.at.handler) >> 2] = pseudoIndex('protection');
      i32[(record + Record.size + Record.at.eip) >> 2] = last.eip;
    }
    return head;
  }

  /** Gives the instructions of the records at `first` their handlers. */
  private giveHandlers(first: number, handlers: readonly (number | undefined)[]): void {
    const { i32 } = this.shared;
    handlers.forEach((handler, n) => {
      const at = (first + n * Record.size + Record.at.handler) >> 2;
      // What raises an exception in its place stays.
      if (handler !== undefined && i32[at]! >= FIRST_FORM) i32[at] = handler;
    });
  }

  /** Enters the block whose records were written where the next one is to be. */
  private enterBlock(count: number, eip: number, phys: number, lastPage: number, mode: number, end: number, code: Uint8Array): number {
    const { i32, u8 } = this.shared;
    const head = this.word(Cpu.at.arenaNext);
    this.setWord(Cpu.at.arenaNext, head + blockBytes(count, code.length));
    i32.fill(0, head >> 2, (head + BlockHead.size) >> 2);
    i32[(head + BlockHead.at.handler) >> 2] = this.headOf(eip, mode);
    i32[(head + BlockHead.at.eip) >> 2] = eip;
    i32[(head + BlockHead.at.end) >> 2] = end;
    i32[(head + BlockHead.at.phys) >> 2] = phys;
    i32[(head + BlockHead.at.mode) >> 2] = mode;
    // A block of one step must never get hot: it starts above every threshold.
    i32[(head + BlockHead.at.heat) >> 2] = (mode & Mode.STEP) !== 0 ? 0x40000000 : 0;
    i32[(head + BlockHead.at.heatSince) >> 2] = this.runtime.heatNow(this.cpu);
    i32[(head + BlockHead.at.count) >> 2] = count;
    i32[(head + BlockHead.at.lastPage) >> 2] = lastPage;
    i32[(head + BlockHead.at.bytes) >> 2] = code.length;
    const behind = head + BlockHead.size + count * Record.size;
    i32.fill(0, behind >> 2, (behind + 2 * Record.size) >> 2);
    i32[(behind + Record.at.handler) >> 2] = pseudoIndex('fall');
    i32[(behind + Record.at.eip) >> 2] = end;
    u8.set(code, head + recordBytes(count));
    this.enter(head, phys, eip, mode);
    this.remember(phys >>> PAGE_SHIFT, head);
    if (lastPage !== phys >>> PAGE_SHIFT) this.remember(lastPage, head);
    return head;
  }

  /** Index of the word that leads to the blocks with this hash. */
  private bucket(phys: number, eip: number, mode: number): number {
    return (this.cpu + CpuArea.at.blockHash + this.runtime.blockHashIndex(phys, eip, mode) * 4) >> 2;
  }

  /** From now on a block leads to the region in a table slot. */
  enterRegion(head: number, slot: number): void {
    const { i32 } = this.shared;
    i32[(head + BlockHead.at.region) >> 2] = slot;
    i32[(head + BlockHead.at.handler) >> 2] = pseudoIndex('enter');
    // The jump caches know the handler that was there.
    this.forgetJumps(head);
  }

  /** The region of a block is gone: it is interpreted, and counts as new. */
  leaveRegion(head: number): void {
    const { i32 } = this.shared;
    i32[(head + BlockHead.at.region) >> 2] = 0;
    i32[(head + BlockHead.at.handler) >> 2] = this.headOf(this.field(head, BlockHead.at.eip), this.field(head, BlockHead.at.mode));
    i32[(head + BlockHead.at.heat) >> 2] = 0;
    i32[(head + BlockHead.at.heatSince) >> 2] = this.runtime.heatNow(this.cpu);
  }

  private headOf(eip: number, mode: number): number {
    return this.hooks?.head(eip, mode) ?? pseudoIndex(this.headName);
  }

  /** Instruments are asked for before any code runs. */
  private get headName(): HeadName {
    return (this.knownHead ??= headFor(instrumentsAsked((offset) => this.shared.i32[controlWord(offset)]!)));
  }

  private enter(head: number, phys: number, eip: number, mode: number): void {
    const { i32 } = this.shared;
    const bucket = this.bucket(phys, eip, mode);
    i32[(head + BlockHead.at.hashNext) >> 2] = i32[bucket]!;
    i32[bucket] = head;
  }

  /** This CPU holds code of `bytes` bytes at `phys`, in one page. */
  mark(phys: number, bytes: number): void {
    if (this.physical.isRam(phys >>> PAGE_SHIFT)) this.runtime.markCode(this.cpu, phys, bytes);
  }

  /** Behind code of a region that was entered in the map of the page of `phys`; its bytes must be looked at once more behind this. */
  awaitStores(phys: number): void {
    this.runtime.awaitStores(this.cpu, phys);
  }

  private remember(page: number, head: number): void {
    const list = this.pages.get(page);
    if (list) list.push(head);
    else this.pages.set(page, [head]);
  }

  /** Whether a block is the first of its page, or the first since the page is mapped there. */
  isFirst(head: number): boolean {
    const at = (offset: number) => this.field(head, offset);
    const page = at(BlockHead.at.phys) >>> PAGE_SHIFT;
    const place = `${page} ${at(BlockHead.at.eip) >>> PAGE_SHIFT} ${at(BlockHead.at.mode)}`;
    if (this.places.has(place) && this.pages.get(page)!.length > 1) return false;
    if (this.places.size >= MOST_PLACES) this.places.clear();
    this.places.add(place);
    return true;
  }

  /** Drops all blocks of a physical page. What runs now of what is dropped stops behind its current instruction. */
  invalidateAll(page: number): void {
    this.drop(page, () => true);
  }

  /** Drops the blocks of a physical page that were made from what is there no longer. */
  review(page: number): void {
    this.drop(page, (head) => !this.isCurrent(head));
  }

  /** Drops the blocks made from something in `bytes` bytes at `phys`, all in one page, that is there no longer. */
  invalidate(phys: number, bytes: number): void {
    this.drop(phys >>> PAGE_SHIFT, (head) => this.touches(head, phys, bytes) && !this.isCurrent(head));
  }

  private drop(page: number, goes: (head: number) => boolean): void {
    const heads = this.pages.get(page);
    if (heads === undefined) return;
    // Asked once of each: memory may change meanwhile.
    const gone = new Set(heads.filter(goes));
    if (gone.size === 0) return;
    if (gone.size === heads.length) this.pages.delete(page);
    else
      this.pages.set(
        page,
        heads.filter((head) => !gone.has(head)),
      );
    for (const head of gone) this.forget(head);
  }

  private forget(head: number): void {
    const { i32 } = this.shared;
    const count = i32[(head + BlockHead.at.count) >> 2]!;
    i32[(head + BlockHead.at.handler) >> 2] = STALE;
    for (let k = 0; k < count + 2; k++) i32[(head + BlockHead.size + k * Record.size + Record.at.handler) >> 2] = STALE;
    this.unhash(head);
    this.forgetJumps(head);
  }

  /** Takes what leads to a block out of the jump caches. */
  private forgetJumps(head: number): void {
    const { i32 } = this.shared;
    const place = this.field(head, BlockHead.at.place);
    if (place === 0) return;
    if (place === MANY_PLACES) return this.forgetEverywhere(head);
    const index = jumpIndex(place);
    for (const jumps of [CpuArea.at.jumpKernel, CpuArea.at.jumpUser])
      for (let way = 0; way < JUMP_WAYS; way++) {
        const entry = this.cpu + jumps + (index ^ way) * JumpEntry.size;
        if (i32[(entry + JumpEntry.at.eip) >> 2]! >>> 0 === place) i32[(entry + JumpEntry.at.gen) >> 2] = 0;
      }
  }

  /** The same of one that may have been known by several EIPs: all entries are looked at. */
  private forgetEverywhere(head: number): void {
    const { i32 } = this.shared;
    const { jumpKernel, jumpUser } = CpuArea.at;
    const region = this.field(head, BlockHead.at.region);
    for (const jumps of floats(this.field(head, BlockHead.at.mode)) ? [jumpUser] : [jumpKernel, jumpUser]) {
      const from = (this.cpu + jumps) >> 2;
      for (let entry = from; entry < from + (JUMP_ENTRIES * JumpEntry.size) / 4; entry += JumpEntry.size / 4)
        if (i32[entry + JumpEntry.at.arg / 4] === head || (region !== 0 && i32[entry + JumpEntry.at.arg / 4] === region))
          i32[entry + JumpEntry.at.gen / 4] = 0;
    }
  }

  private field(head: number, offset: number): number {
    return this.shared.i32[(head + offset) >> 2]! >>> 0;
  }

  /** Bytes of a block that are in its first page. */
  private inFirst(head: number): number {
    return Math.min(this.field(head, BlockHead.at.bytes), PAGE - (this.field(head, BlockHead.at.phys) & (PAGE - 1)));
  }

  /** Whether a block is made from something in `bytes` bytes at `phys`, all in one page. */
  private touches(head: number, phys: number, bytes: number): boolean {
    const start = this.field(head, BlockHead.at.phys);
    const first = this.inFirst(head);
    if (start < phys + bytes && start + first > phys) return true;
    const second = this.field(head, BlockHead.at.lastPage) * PAGE;
    const rest = this.field(head, BlockHead.at.bytes) - first;
    return rest > 0 && second < phys + bytes && second + rest > phys;
  }

  /** Whether memory still holds what a block was made from. */
  private isCurrent(head: number): boolean {
    const at = head + recordBytes(this.field(head, BlockHead.at.count));
    const bytes = this.shared.u8.subarray(at, at + this.field(head, BlockHead.at.bytes));
    return this.isThere(this.field(head, BlockHead.at.phys), this.field(head, BlockHead.at.lastPage), bytes);
  }

  /** True where a block is made from something in `bytes` bytes at `phys`, all in one page. */
  holds(phys: number, bytes: number): boolean {
    return this.pages.get(phys >>> PAGE_SHIFT)?.some((head) => this.touches(head, phys, bytes)) ?? false;
  }

  /** Pages with blocks. */
  pageNumbers(): Iterable<number> {
    return this.pages.keys();
  }

  private unhash(head: number): void {
    const { i32 } = this.shared;
    const at = (offset: number) => i32[(head + offset) >> 2]! >>> 0;
    let link = this.bucket(at(BlockHead.at.phys), at(BlockHead.at.eip), at(BlockHead.at.mode));
    while (i32[link] !== 0 && i32[link] !== head) link = (i32[link]! + BlockHead.at.hashNext) >> 2;
    if (i32[link] === head) i32[link] = i32[(head + BlockHead.at.hashNext) >> 2]!;
  }

  /** Drops everything. Only while no translated code runs on this CPU. */
  flush(): void {
    const { i32 } = this.shared;
    this.pages.clear();
    const hash = (this.cpu + CpuArea.at.blockHash) >> 2;
    i32.fill(0, hash, hash + BLOCK_HASH_ENTRIES);
    this.setWord(Cpu.at.arenaNext, this.cpu + CpuArea.at.arena);
    this.bumpJumps();
  }

  /** Makes every entry of the jump caches stale. */
  bumpJumps(which: Jumps = 3): void {
    this.setWord(Cpu.at.callReturn, NO_RETURN);
    if (which & 1) this.setWord(Cpu.at.jumpKernelGen, this.word(Cpu.at.jumpKernelGen) + 1 || 1);
    if (which & 2) {
      const next = this.word(Cpu.at.jumpUserLast) + 1 || 1;
      for (const field of [Cpu.at.jumpUserGen, Cpu.at.jumpUserLast, Cpu.at.jumpUserFirst]) this.setWord(field, next);
    }
  }

  /** Head of the block with this identity, or 0. */
  find(phys: number, eip: number, mode: number): number {
    const { i32 } = this.shared;
    let head = i32[this.bucket(phys, eip, mode)]!;
    while (head !== 0) {
      const at = (offset: number) => i32[(head + offset) >> 2]! >>> 0;
      if (at(BlockHead.at.phys) === phys && at(BlockHead.at.eip) === eip && at(BlockHead.at.mode) === mode) return head;
      head = at(BlockHead.at.hashNext);
    }
    return 0;
  }
}
