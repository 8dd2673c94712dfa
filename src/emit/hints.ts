// Branch hints: tells the engine that the slow ways (TLB misses, faults, polls) are unlikely, so that it lays them out
// of line and spills nothing for them on the hot path (WebAssembly branch hinting, section metadata.code.branch_hint).
// binaryen's JavaScript cannot write them: unlikely conditions are marked by two EQZ in a row, found again in the bytes here.

const EQZ = 0x45;
const IF = 0x04;
const EMPTY = 0x40;
const BR_IF = 0x0d;
const IMPORTS = 2;
const CODE = 10;
const SECTION = 'metadata.code.branch_hint';

function leb(n: number): number[] {
  const out: number[] = [];
  do {
    out.push((n & 127) | (n >>> 7 ? 128 : 0));
    n >>>= 7;
  } while (n !== 0);
  return out;
}

class Reader {
  readonly bytes: Uint8Array;
  at = 8;
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
  leb(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.bytes[this.at++]!;
      value |= (byte & 127) << shift;
      if (byte < 128) return value >>> 0;
    }
  }
  limits(): void {
    const flags = this.leb();
    this.leb();
    if (flags & 1) this.leb();
  }
}

/** Functions among the imports; the reader is at the section's contents. */
function importedFunctions(r: Reader): number {
  let functions = 0;
  for (let n = r.leb(); n > 0; n--) {
    for (let name = 0; name < 2; name++) {
      const length = r.leb();
      r.at += length;
    }
    const kind = r.bytes[r.at++];
    if (kind === 0) {
      functions++;
      r.leb();
    } else {
      if (kind === 1) r.at++;
      r.limits();
    }
  }
  return functions;
}

/**
 * Adds the hints to a module whose imports are functions, tables and memories. A constant that happens to look like the mark makes a
 * hint that belongs to no branch, which engines ignore.
 */
export function addBranchHints(bytes: Uint8Array): Uint8Array {
  const r = new Reader(bytes);
  let imported = 0;
  while (r.at < bytes.length) {
    const start = r.at;
    const id = bytes[r.at++];
    const size = r.leb();
    const end = r.at + size;
    if (id === IMPORTS) imported = importedFunctions(r);
    if (id === CODE) {
      const section = hintSection(r, imported);
      const out = new Uint8Array(bytes.length + section.length);
      out.set(bytes.subarray(0, start));
      out.set(section, start);
      out.set(bytes.subarray(start), start + section.length);
      return out;
    }
    r.at = end;
  }
  return bytes;
}

function hintSection(r: Reader, imported: number): number[] {
  const { bytes } = r;
  const functions: number[] = [];
  let count = 0;
  const total = r.leb();
  for (let k = 0; k < total; k++) {
    const size = r.leb();
    const start = r.at;
    const hints: number[] = [];
    let n = 0;
    const branches = (q: number) => (bytes[q] === IF && bytes[q + 1] === EMPTY) || bytes[q] === BR_IF;
    for (let q = start; q < start + size - 3; q++)
      if (bytes[q] === EQZ && bytes[q + 1] === EQZ && branches(q + 2)) {
        hints.push(...leb(q + 2 - start), 1, 0);
        n++;
      }
    r.at = start + size;
    if (n === 0) continue;
    functions.push(...leb(imported + k), ...leb(n), ...hints);
    count++;
  }
  const name = [...SECTION].map((c) => c.charCodeAt(0));
  const body = [...leb(name.length), ...name, ...leb(count), ...functions];
  return [0, ...leb(body.length), ...body];
}
