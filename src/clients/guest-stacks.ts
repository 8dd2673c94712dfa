// Where the guest's kernel came from: return addresses on its stack, read on the CPU's thread from guest RAM.

/** EIPs that a stack is cut at. */
export const DEEPEST = 12;
/** Bytes of a stack in which frames are, and in which words are looked at. */
const STACK = 8192;
const SCANNED = 1024;
/** What words give at most: the further out, the less it says, and each costs a search. */
const WORDS_DEEPEST = 5;

/** Where it stands: registers, and RAM as the kernel's direct map has it from `origin` on. */
export interface Standing {
  readonly ram: Uint8Array;
  readonly origin: number;
  readonly esp: number;
  readonly ebp: number;
  /** Where in RAM other addresses are, of modules; undefined: nobody knows. */
  readonly elsewhere?: (linear: number) => number | undefined;
}

const wordOf = ({ ram, origin }: Standing, linear: number): number | undefined => {
  const at = (linear - origin) >>> 0;
  if (at + 4 > ram.length) return undefined;
  return (ram[at]! | (ram[at + 1]! << 8) | (ram[at + 2]! << 16) | (ram[at + 3]! << 24)) >>> 0;
};

/** Where the ModR/M byte of FF /2 is in front of a CALL's end: without and with displacements. */
const INDIRECT = [1, 2, 3, 5, 6] as const;

/** Above that no kernel has code. */
const CODE_END = 0xffc00000;
const PAGE = 4096;

/** Whether a CALL ends at an address: in the direct map, or, of modules, behind it. */
function isBehindCall({ ram, origin, elsewhere }: Standing, linear: number): boolean {
  let at = (linear - origin) >>> 0;
  if (at > ram.length) {
    // Not of a CALL that goes over from one page to another.
    if (linear < origin || linear >= CODE_END || linear % PAGE < 7) return false;
    at = elsewhere?.(linear) ?? 0;
  }
  if (at < 7) return false;
  // CALL rel32; CALL r/m32.
  if (ram[at - 5] === 0xe8) return true;
  for (const before of INDIRECT) if (ram[at - before - 1] === 0xff && (ram[at - before]! & 0x38) === 0x10) return true;
  return false;
}

/** By EBP, where functions keep it as their frame's. */
function byFrames(standing: Standing, most: number): number[] {
  const found: number[] = [];
  let frame = standing.ebp;
  let last = standing.esp - 4;
  while (found.length < most && frame > last && frame - standing.esp < STACK) {
    const eip = wordOf(standing, frame + 4);
    if (eip === undefined || !isBehindCall(standing, eip)) break;
    found.push(eip);
    last = frame;
    frame = wordOf(standing, frame) ?? 0;
  }
  return found;
}

/** All words of the stack that may be return addresses, of calls that are over, too. */
function byWords(standing: Standing, most: number): number[] {
  const found: number[] = [];
  const { ram, origin, esp } = standing;
  const first = ((esp - origin) >>> 0) & ~3;
  const words = new Int32Array(ram.buffer, ram.byteOffset, ram.length >> 2);
  const end = Math.min(first + SCANNED, ram.length);
  const enough = Math.min(most, WORDS_DEEPEST);
  for (let at = first; at < end && found.length < enough; at += 4) {
    const word = words[at >> 2]! >>> 0;
    // Most words are no addresses of the kernel.
    if (word - origin < ram.length && word > origin && isBehindCall(standing, word)) found.push(word);
  }
  return found;
}

/**
 * Return addresses, the innermost first: by frames, and by words where there are none, or where that is asked for. The first may be at ESP, of a function that makes no frame, or has none any more.
 */
export function returnsOf(standing: Standing, most: number, how: 'frames' | 'scan'): number[] {
  if (how === 'scan') return byWords(standing, most);
  const frames = byFrames(standing, most);
  if (frames.length === 0) return byWords(standing, most);
  const top = wordOf(standing, standing.esp);
  return top !== undefined && standing.ebp !== standing.esp && isBehindCall(standing, top) ? [top, ...frames].slice(0, most) : frames;
}
