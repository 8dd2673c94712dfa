// Where the guest's kernel came from: return addresses on its stack, read on the CPU's thread from guest RAM.

/** EIPs that a stack is cut at. */
export const DEEPEST = 12;
/** Bytes of a stack that are looked at. */
const STACK = 8192;

/** Where it stands: registers, and RAM as the kernel's direct map has it from `origin` on. */
export interface Standing {
  readonly ram: Uint8Array;
  readonly origin: number;
  readonly esp: number;
  readonly ebp: number;
}

const wordOf = ({ ram, origin }: Standing, linear: number): number | undefined => {
  const at = (linear - origin) >>> 0;
  if (at + 4 > ram.length) return undefined;
  return (ram[at]! | (ram[at + 1]! << 8) | (ram[at + 2]! << 16) | (ram[at + 3]! << 24)) >>> 0;
};

/** Whether a CALL ends at an address. */
function isBehindCall({ ram, origin }: Standing, linear: number): boolean {
  const at = (linear - origin) >>> 0;
  if (at < 7 || at > ram.length) return false;
  // CALL rel32; CALL r/m32 (FF /2) without and with displacements.
  return ram[at - 5] === 0xe8 || [2, 3, 4, 6, 7].some((length) => ram[at - length] === 0xff && (ram[at - length + 1]! & 0x38) === 0x10);
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
  for (let at = standing.esp; at < standing.esp + STACK && found.length < most; at += 4) {
    const word = wordOf(standing, at);
    if (word === undefined) break;
    if (isBehindCall(standing, word)) found.push(word);
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
