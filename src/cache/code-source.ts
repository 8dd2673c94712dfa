// The code around a place as the translator reads it: the page of the place, and, for code of the kernel in its direct map, other pages that callees may be on. They are as far away in physical memory
// as they are in linear memory; whether they still are is asked by the code that is made (Cpu.codeFrom).
import type { PhysicalMemory } from '../cpu/physical.ts';
import type { RegionDemands } from '../emit/region/region.ts';
import { Mode } from '../layout/cpu.ts';
import { DIRECT_START, PAGE, PAGE_SHIFT } from '../layout/memory.ts';
import type { Request } from './request.ts';

/** Whether code lies in the kernel's direct map, which begins at `origin` (Control.directOrigin). */
export const isDirect = ({ phys, eip, mode }: Request, origin: number | undefined): boolean =>
  origin !== undefined && (mode & Mode.USER) === 0 && phys >= DIRECT_START && ((phys - eip + origin) | 0) === DIRECT_START;

export class CodeSource {
  private readonly physical: PhysicalMemory;
  private readonly own: number;
  private readonly pages = new Map<number, Uint8Array | undefined>();
  /** Whether code of other pages may be looked for. */
  private readonly wide: boolean;
  /** Version of the own page, and of all that were read, together; each as it was before the page was read. */
  readonly ownVersion: number;
  version: number;

  constructor(physical: PhysicalMemory, request: Request, { otherPages = false, directOrigin }: RegionDemands) {
    this.physical = physical;
    this.own = request.phys >>> PAGE_SHIFT;
    this.wide = otherPages && isDirect(request, directOrigin);
    this.version = this.ownVersion = physical.version(this.own);
    this.pages.set(0, this.read(0));
  }

  private read(by: number): Uint8Array {
    const bytes = new Uint8Array(PAGE);
    this.physical.read(this.own * PAGE + by, bytes);
    return bytes;
  }

  /** The page at that distance, if code of it may be part of a region. Only code that has been run already is. */
  readonly other = (by: number): Uint8Array | undefined => {
    if (!this.pages.has(by)) this.pages.set(by, this.look(by));
    return this.pages.get(by);
  };

  private look(by: number): Uint8Array | undefined {
    const page = this.own + (by >> PAGE_SHIFT);
    if (!this.wide || page < DIRECT_START >>> PAGE_SHIFT || !this.physical.isRam(page) || !this.physical.hasCode(page)) return undefined;
    this.version += this.physical.version(page);
    return this.read(by);
  }

  /** A page that was read. */
  readonly pageAt = (by: number): Uint8Array => this.pages.get(by)!;
}
