// Instructions that differ in what ModRM and SIB choose alone: of one that was decoded follow all with the same prefixes and opcode (and register field, where that is part of
// the opcode), each with its own pattern, and iced-x86 need not be asked for it. A boot of Linux has 6,000 patterns; a sixth of them is asked for.
import { Gpr, Seg } from '../layout/cpu.ts';
import { type Instruction, type Memory, PREFIXES } from './instruction.ts';
import { Pattern } from './pattern.ts';

/** What chooses an operand: ModRM's register field, the rest of ModRM with SIB, or nothing of it. */
export type Source = 'reg' | 'rm' | 'else';

/** Operands of an encoding that has a ModRM byte, all of which are such. */
export interface Sources {
  readonly operands: readonly Source[];
  /** The register field is a part of the opcode. */
  readonly isGroup: boolean;
}

const OVERRIDES = [0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65];
const { EBX, ESP, EBP, ESI, EDI } = Gpr;
/** Base and index of 16-bit addresses. */
const PAIRS = [
  [EBX, ESI],
  [EBX, EDI],
  [EBP, ESI],
  [EBP, EDI],
  [ESI, -1],
  [EDI, -1],
  [EBP, -1],
  [EBX, -1],
] as const;

/** Where ModRM is, if there is one; and whether a prefix names a segment. */
export function modrmAt(bytes: Uint8Array, at: number): { readonly modrm: number; readonly override: boolean } {
  let override = false;
  let k = at;
  for (; PREFIXES.has(bytes[k]!); k++) override ||= OVERRIDES.includes(bytes[k]!);
  if (bytes[k++] === 0x0f) {
    const opcode = bytes[k++];
    // Maps of three bytes.
    if (opcode === 0x38 || opcode === 0x3a) k++;
  }
  return { modrm: k, override };
}

/** A memory operand without its displacement, how many bytes say it, and how many the displacement has. */
function memoryAt(
  bytes: Uint8Array,
  at: number,
  addrsize: 2 | 4,
): { readonly memory: Memory; readonly bytes: number; readonly dispSize: number } {
  const mod = bytes[at]! >> 6;
  const rm = bytes[at]! & 7;
  let [base, index, scale, length]: [number, number, number, number] = [rm, -1, 0, 1];
  if (addrsize === 2) [base, index] = PAIRS[rm]!;
  else if (rm === ESP) {
    const sib = bytes[at + 1]!;
    [base, index, scale, length] = [sib & 7, (sib >> 3) & 7, sib >> 6, 2];
    if (index === ESP) index = -1;
  }
  const isAbsolute = mod === 0 && (addrsize === 2 ? rm === 6 : base === EBP);
  if (isAbsolute) base = -1;
  const seg = base === EBP || (addrsize === 4 && base === ESP) ? Seg.SS : Seg.DS;
  return { memory: { base, index, scale, disp: 0, seg }, bytes: length, dispSize: mod === 1 ? 1 : mod === 2 || isAbsolute ? addrsize : 0 };
}

export interface Sibling {
  readonly x: Instruction;
  readonly pattern: Pattern;
  readonly sources: Sources;
}

/** Some by their keys, of the same kind of code. */
export interface MoreSiblings {
  sibling(key: string): Sibling | undefined;
}

/** By what siblings are known: prefixes and opcode, whether there is a memory operand, and the register field where that is a part of the opcode. `modrm`: where ModRM is. */
export function siblingKey(bytes: Uint8Array, at: number, modrm: number, isGroup: boolean): string {
  const byte = bytes[modrm]!;
  return `${bytes.subarray(at, modrm).join()} ${byte >= 0xc0} ${isGroup ? (byte >> 3) & 7 : ''}`;
}

/** Of one kind of code. */
export class Siblings {
  private readonly known = new Map<string, Sibling>();
  private readonly book: (() => MoreSiblings | undefined) | undefined;

  /** `book`: what there is besides. */
  constructor(book?: () => MoreSiblings | undefined) {
    this.book = book;
  }

  private get(key: string): Sibling | undefined {
    const known = this.known.get(key);
    if (known !== undefined) return known;
    const found = this.book?.()?.sibling(key);
    if (found !== undefined) this.known.set(key, found);
    return found;
  }

  /** `x` is at `at`, and has this pattern. */
  add(bytes: Uint8Array, at: number, x: Instruction, pattern: Pattern, sources: Sources): void {
    this.known.set(siblingKey(bytes, at, modrmAt(bytes, at).modrm, sources.isGroup), { x, pattern, sources });
  }

  /** The pattern of the instruction at `at`, where a sibling is known; `longest`: bytes that it may have. */
  find(bytes: Uint8Array, at: number, longest: number): Pattern | undefined {
    const { modrm, override } = modrmAt(bytes, at);
    if (modrm >= bytes.length) return undefined;
    const sibling = this.get(siblingKey(bytes, at, modrm, false)) ?? this.get(siblingKey(bytes, at, modrm, true));
    if (sibling === undefined) return undefined;
    const { x, pattern, sources } = sibling;
    const byte = bytes[modrm]!;
    const values = x.values.map((value, k) => {
      const source = sources.operands[k];
      return source === 'reg' ? (byte >> 3) & 7 : source === 'rm' && byte >= 0xc0 ? byte & 7 : value;
    });
    let { memory } = x;
    let behind = modrm - at + 1;
    let dispSize = 0;
    if (byte < 0xc0) {
      const found = memoryAt(bytes, modrm, x.form.addrsize);
      memory = override ? { ...found.memory, seg: memory!.seg } : found.memory;
      behind = modrm - at + found.bytes;
      ({ dispSize } = found);
    }
    const length = behind + dispSize + pattern.imm.size;
    if (length > longest || at + length > bytes.length) return undefined;
    const first = { ...x, next: (x.eip + length) >>> 0, length, values, memory };
    return new Pattern(
      first,
      { at: behind, size: dispSize },
      { at: behind + dispSize, size: pattern.imm.size },
      pattern.operand,
      pattern.mask,
    );
  }

  /** Those that were added, by their keys. */
  entries(): Iterable<readonly [key: string, sibling: Sibling]> {
    return this.known;
  }

  forget(): void {
    this.known.clear();
  }
}
