// Writes vector files; the format is described in test/harness/vectors.ts.
import { baseState, MAGIC, Part, SCRATCH_BYTES, type State, type VectorForm } from '../../harness/vectors.ts';

class Writer {
  #parts: number[] = [];
  u8(v: number): void {
    this.#parts.push(v & 0xff);
  }
  u16(v: number): void {
    this.#parts.push(v & 0xff, (v >>> 8) & 0xff);
  }
  u32(v: number): void {
    this.#parts.push(v & 0xff, (v >>> 8) & 0xff, (v >>> 16) & 0xff, v >>> 24);
  }
  bytes(b: Uint8Array): void {
    for (const v of b) this.#parts.push(v);
  }
  ascii(s: string): void {
    this.bytes(Buffer.from(s, 'latin1'));
  }
  done(): Uint8Array {
    return Uint8Array.from(this.#parts);
  }
}

const same = (a: Uint8Array, b: Uint8Array, from: number, n: number) => {
  for (let i = from; i < from + n; i++) if (a[i] !== b[i]) return false;
  return true;
};

function writeDifference(w: Writer, from: State, to: State): void {
  let mask = 0;
  for (let i = 0; i < 8; i++) {
    if (from.gpr[i] !== to.gpr[i]) mask |= 1 << i;
    if (!same(from.mm, to.mm, i * 8, 8)) mask |= 1 << (Part.MM + i);
    if (!same(from.xmm, to.xmm, i * 16, 16)) mask |= 1 << (Part.XMM + i);
  }
  if (from.eflags !== to.eflags) mask |= 1 << Part.EFLAGS;
  if (from.eip !== to.eip) mask |= 1 << Part.EIP;
  if (from.mxcsr !== to.mxcsr) mask |= 1 << Part.MXCSR;
  if (from.fcw !== to.fcw || from.fsw !== to.fsw || from.ftw !== to.ftw) mask |= 1 << Part.FPU;
  const runs: [number, number][] = [];
  for (let i = 0; i < SCRATCH_BYTES; i++) {
    if (from.memory[i] === to.memory[i]) continue;
    const last = runs.at(-1);
    if (last && i - (last[0] + last[1]) < 4 && i - last[0] < 255) last[1] = i + 1 - last[0];
    else runs.push([i, 1]);
  }
  if (runs.length) mask |= 1 << Part.MEMORY;
  w.u32(mask >>> 0);
  for (let i = 0; i < 8; i++) if (mask & (1 << i)) w.u32(to.gpr[i]);
  if (mask & (1 << Part.EFLAGS)) w.u32(to.eflags);
  if (mask & (1 << Part.EIP)) w.u32(to.eip);
  if (mask & (1 << Part.MXCSR)) w.u32(to.mxcsr);
  if (mask & (1 << Part.FPU)) for (const v of [to.fcw, to.fsw, to.ftw]) w.u16(v);
  if (runs.length) {
    w.u8(runs.length);
    for (const [at, n] of runs) {
      w.u16(at);
      w.u8(n);
      w.bytes(to.memory.subarray(at, at + n));
    }
  }
  for (let i = 0; i < 8; i++) if (mask & (1 << (Part.MM + i))) w.bytes(to.mm.subarray(i * 8, i * 8 + 8));
  for (let i = 0; i < 8; i++) if (mask & (1 << (Part.XMM + i))) w.bytes(to.xmm.subarray(i * 16, i * 16 + 16));
}

/** The inverse of decodeVectors. */
export function encodeVectors(forms: readonly VectorForm[]): Uint8Array {
  const groups = [...new Set(forms.map((f) => f.group))];
  const w = new Writer();
  w.ascii(MAGIC);
  w.u8(groups.length);
  for (const g of groups) {
    w.u8(g.length);
    w.ascii(g);
  }
  const base = baseState();
  for (const form of forms) {
    w.u8(groups.indexOf(form.group));
    w.u8(form.bytes.length);
    w.bytes(form.bytes);
    w.u16(form.vectors.length);
    for (const v of form.vectors) {
      writeDifference(w, base, v.in);
      writeDifference(w, v.in, v.out);
      w.u8(v.fault ?? 0xff);
    }
  }
  return w.done();
}
