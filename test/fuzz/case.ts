// A fuzz case: instructions that can be moved and dropped (branches name the item they lead to), the mode and the state they
// start in. Kept as JSON in test/fuzz/cases; everything that is not written there comes from the case's seed.
import { instructionText } from '../../src/decode/text.ts';
import { Mode } from '../../src/layout/cpu.ts';

/** 'flat', 'user': flat segments at CPL 0 and 3; 'segments', 'user-segments': bases and limits; 'code16': 16-bit code. */
export type CaseMode = 'flat' | 'user' | 'segments' | 'user-segments' | 'code16';

export interface Item {
  /** Bytes of the instruction; of a branch, those before the target. */
  hex: string;
  /** Index of the item it leads to; the number of items stands for the HLT behind the last. */
  to?: number;
  /** How the target is written: 1 byte relative, 2 or 4 bytes relative (by the mode), or 2 or 4 bytes absolute; 'alias': the
   * absolute address of its second byte where the code's second page is writable (the instruction changes code). */
  how?: 'rel8' | 'rel' | 'abs' | 'alias';
  /** For the reader. */
  text?: string;
}

export interface Case {
  /** What it was found for. */
  about?: string;
  mode: CaseMode;
  /** Offset of the first instruction in its page of code. */
  start: number;
  /** Memory, MMX and XMM registers come from this. */
  seed: number;
  gpr: number[];
  eflags: number;
  mxcsr: number;
  fcw: number;
  fsw: number;
  ftw: number;
  items: Item[];
}

export const is16 = (mode: CaseMode): boolean => mode === 'code16';
export const isUser = (mode: CaseMode): boolean => mode === 'user' || mode === 'user-segments';
export const isFlat = (mode: CaseMode): boolean => mode === 'flat' || mode === 'user';

/** Mode bits that the case's code is decoded with. */
export const modeBits = (mode: CaseMode): number =>
  (is16(mode) ? 0 : Mode.CODE32) | (isFlat(mode) ? Mode.FLAT : 0) | (isUser(mode) ? Mode.USER : 0);

/** Linear address where the second page of code is mapped writable. */
const ALIAS = 0xa000;

const unhex = (hex: string): number[] => Array.from({ length: hex.length / 2 }, (_, i) => Number.parseInt(hex.slice(i * 2, i * 2 + 2), 16));

/** Bytes of the code; `eip` is that of its first byte. undefined where a short branch does not reach. */
export function assemble(c: Case, eip: number): { bytes: Uint8Array; at: number[] } | undefined {
  const wide = is16(c.mode) ? 2 : 4;
  const size = (item: Item) => item.hex.length / 2 + (item.how === undefined ? 0 : item.how === 'rel8' ? 1 : wide);
  const at: number[] = [];
  let end = 0;
  for (const item of c.items) {
    at.push(end);
    end += size(item);
  }
  at.push(end);
  const bytes: number[] = [];
  for (const [i, item] of c.items.entries()) {
    bytes.push(...unhex(item.hex));
    if (item.how === undefined) continue;
    const to = at[Math.min(item.to ?? 0, c.items.length)];
    const value = item.how === 'abs' ? eip + to : item.how === 'alias' ? ALIAS - 0x1000 + c.start + to + 1 : to - at[i + 1];
    if (item.how === 'rel8' && (value < -128 || value > 127)) return undefined;
    for (let k = 0; k < (item.how === 'rel8' ? 1 : wide); k++) bytes.push((value >> (8 * k)) & 0xff);
  }
  bytes.push(0xf4);
  return { bytes: Uint8Array.from(bytes), at };
}

/** The case without item k. */
export function without(c: Case, k: number, n = 1): Case {
  const items = c.items
    .filter((_, i) => i < k || i >= k + n)
    .map((item) => (item.to === undefined || item.to <= k ? item : { ...item, to: Math.max(k, item.to - n) }));
  return { ...c, items };
}

/** As JSON with a line for each instruction. */
export function printCase(c: Case, eip: number): string {
  const code = assemble(c, eip);
  const items = c.items.map((item, i) => {
    const { text: _, ...rest } = item;
    const bytes = code?.bytes.subarray(code.at[i], code.at[i + 1]);
    return JSON.stringify(bytes === undefined ? rest : { ...rest, text: instructionText(bytes, eip + code!.at[i], modeBits(c.mode)) });
  });
  const { items: _, ...rest } = c;
  return `${JSON.stringify(rest).slice(0, -1)},\n"items": [\n  ${items.join(',\n  ')}\n]}\n`;
}
