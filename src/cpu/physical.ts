// Guest physical memory as the host sees it for fetching code: RAM and ROM, with the page metadata.
import { type CodeImage, holds, pagesOf } from '../cache/code-image.ts';
import { enterCode } from '../cache/code-pages.ts';
import {
  Control,
  controlWord,
  LOW_ROM_BYTES,
  PAGE,
  PAGE_HAS_CODE,
  PAGE_MARK,
  PAGE_SHIFT,
  PageMeta,
  RAM,
  ROM,
  ROM_BYTES,
  TEXT_MEMORY,
  VIDEO_MEMORY,
} from '../layout/memory.ts';
import type { SharedMemory } from './state.ts';

export class PhysicalMemory {
  private readonly shared: SharedMemory;
  constructor(shared: SharedMemory) {
    this.shared = shared;
  }

  private get romBytes(): number {
    return this.shared.i32[controlWord(Control.at.romBytes)]!;
  }

  /** Whether code below 1 MiB comes from RAM in the place of ROM. */
  private isShadowed(phys: number): boolean {
    return ((this.shared.i32[controlWord(Control.at.shadowRam)]! >> ((phys >>> 14) & 7)) & 1) !== 0;
  }

  /** Host address of a guest physical one, or undefined where there is neither RAM nor ROM. */
  host(phys: number): number | undefined {
    const rom = this.romBytes;
    if (rom > 0) {
      const low = Math.min(rom, LOW_ROM_BYTES);
      if (phys >= 0x100000 - low && phys < 0x100000 && !this.isShadowed(phys)) return ROM + ROM_BYTES - (0x100000 - phys);
      if (phys >= 0x100000000 - rom) return ROM + ROM_BYTES - (0x100000000 - phys);
    }
    if (phys >= VIDEO_MEMORY && phys < TEXT_MEMORY) return undefined;
    return phys < this.shared.plan.ramBytes ? RAM + phys : undefined;
  }

  /** Copies bytes from `phys` on; what is not there reads as all ones. */
  read(phys: number, into: Uint8Array): void {
    const start = this.host(phys);
    const end = this.host(phys + into.length - 1);
    if (start !== undefined && end === start + into.length - 1) into.set(this.shared.u8.subarray(start, start + into.length));
    else
      for (let i = 0; i < into.length; i++) {
        const at = this.host(phys + i);
        into[i] = at === undefined ? 0xff : this.shared.u8[at]!;
      }
  }

  /** Whether at `phys` and behind stand `bytes` from `from` to `to`. */
  matches(phys: number, bytes: Uint8Array, from: number, to: number): boolean {
    const { u8 } = this.shared;
    const count = to - from;
    const start = this.host(phys);
    const isOne = start !== undefined && this.host(phys + count - 1) === start + count - 1;
    for (let i = 0; i < count; i++) {
      const at = isOne ? start + i : this.host(phys + i);
      if ((at === undefined ? 0xff : u8[at]) !== bytes[from + i]) return false;
    }
    return true;
  }

  private meta(page: number): number | undefined {
    return (page << PAGE_SHIFT) >>> 0 < this.shared.plan.ramBytes ? this.shared.plan.pageMeta + page * PageMeta.size : undefined;
  }

  /** Whether stores to this page are noticed. */
  hasCode(page: number): boolean {
    const meta = this.meta(page);
    return meta === undefined || (Atomics.load(this.shared.i32, (meta + PageMeta.at.flags) >> 2) & PAGE_HAS_CODE) !== 0;
  }

  /** Whether the page is RAM, and so can change. */
  isRam(page: number): boolean {
    return this.meta(page) !== undefined;
  }

  /** Whoever holds code whose own page this is enters it, so that stores to it are noticed (cache/code-pages.ts). False where one of its pages has no code any more. */
  enterImage(page: number, image: CodeImage): boolean {
    for (const each of pagesOf(page, image)) {
      const meta = this.meta(each);
      if (meta !== undefined && (Atomics.add(this.shared.i32, (meta + PageMeta.at.flags) >> 2, PAGE_MARK) & PAGE_HAS_CODE) === 0)
        return false;
    }
    const { ranges } = image;
    if (this.isRam(page))
      for (let i = 0; i < ranges.length; i += 2) enterCode(this.shared, page * PAGE + ranges[i]!, ranges[i + 1]! - ranges[i]!);
    return true;
  }

  /** Whether an image is in memory whose own page this is. One of several pages is only in RAM. */
  holds(page: number, image: CodeImage): boolean {
    const pages = pagesOf(page, image);
    if (pages.length > 1 && !pages.every((each) => this.isRam(each))) return false;
    const host = this.host(page * PAGE);
    return host === undefined ? image.bytes.every((byte) => byte === 0xff) : holds(this.shared.u8, host, image);
  }

  /** How often code of this page was written to. */
  version(page: number): number {
    const meta = this.meta(page);
    return meta === undefined ? 0 : Atomics.load(this.shared.i32, (meta + PageMeta.at.version) >> 2);
  }
}
