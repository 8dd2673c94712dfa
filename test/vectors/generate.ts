// Records test/vectors/data/*.bin.gz on the processor of this machine: needs NASM and a gcc that can do -m32 (gcc-multilib).
// Deterministic: the same forms and seed give the same inputs; the outputs are the processor's.
// Usage: node scripts/with-node.mjs test/vectors/generate.ts [file names without .bin.gz]
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { SCRATCH_BYTES, type State, type Vector, type VectorForm } from '../harness/vectors.ts';
import { encodeVectors } from './gen/encode.ts';
import { integerForms, stringForms } from './gen/forms-integer.ts';
import { mmxForms, type SimdForm, sseFloatForms, sseIntegerForms } from './gen/forms-simd.ts';
import { makeInput, operandsOf } from './gen/inputs.ts';
import { Random } from './gen/values.ts';

const SEED = 0x0d4a60;
const IN_BYTES = 8 * 4 + 8 + 8 + 64 + 128 + 16 + SCRATCH_BYTES;
const OUT_BYTES = 8 * 4 + 8 + 8 + 8 + 64 + 128 + SCRATCH_BYTES;

const FILES: Record<string, () => SimdForm[]> = {
  integer: integerForms,
  string: stringForms,
  mmx: mmxForms,
  'sse-integer': sseIntegerForms,
  'sse-float': sseFloatForms,
};

const work = mkdtempSync(join(tmpdir(), 'vectors-'));
const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** The bytes of each line: one NASM run, each instruction behind its length. */
function assemble(lines: readonly string[]): Uint8Array[] {
  const source = join(work, 'forms.asm');
  const binary = join(work, 'forms.bin');
  writeFileSync(source, `bits 32\norg 0\n${lines.map((line, i) => `db e${i}-b${i}\nb${i}: ${line}\ne${i}:`).join('\n')}\n`);
  execFileSync('nasm', ['-f', 'bin', '-w-all', '-o', binary, source], { stdio: 'inherit' });
  const all = readFileSync(binary);
  const out: Uint8Array[] = [];
  for (let at = 0; at < all.length; at += all[at] + 1) out.push(all.subarray(at + 1, at + 1 + all[at]));
  return out;
}

function packInput(s: State, code: Uint8Array): Uint8Array {
  const b = new Uint8Array(IN_BYTES);
  const v = new DataView(b.buffer);
  s.gpr.forEach((x, i) => {
    v.setUint32(i * 4, x, true);
  });
  v.setUint32(32, s.eflags, true);
  v.setUint32(36, s.mxcsr, true);
  [s.fcw, s.fsw, s.ftw, code.length].forEach((x, i) => {
    v.setUint16(40 + 2 * i, x, true);
  });
  b.set(s.mm, 48);
  b.set(s.xmm, 112);
  b.set(code, 240);
  b.set(s.memory, 256);
  return b;
}

function unpackOutput(b: Uint8Array): { state: State; fault?: number } {
  const v = new DataView(b.buffer, b.byteOffset, OUT_BYTES);
  const u16 = (at: number) => v.getUint16(at, true);
  const state: State = {
    gpr: Uint32Array.from({ length: 8 }, (_, i) => v.getUint32(i * 4, true)),
    eflags: v.getUint32(32, true),
    mxcsr: v.getUint32(36, true),
    fcw: u16(40),
    fsw: u16(42),
    ftw: u16(44),
    eip: v.getUint32(48, true),
    mm: b.slice(56, 120),
    xmm: b.slice(120, 248),
    memory: b.slice(248, 248 + SCRATCH_BYTES),
  };
  const fault = u16(46);
  return fault === 0xffff ? { state } : { state, fault };
}

function record(executable: string, forms: SimdForm[]): VectorForm[] {
  const codes = assemble(forms.map((f) => f.asm));
  const seen = new Set<string>();
  const out: VectorForm[] = [];
  const inputs: Uint8Array[] = [];
  for (const [index, form] of forms.entries()) {
    const bytes = codes[index];
    const key = `${form.group}:${Buffer.from(bytes).toString('hex')}:${form.setup ? index : ''}`;
    if (seen.has(key)) continue;
    seen.add(key);
    // A generator of its own for each form: adding one leaves the others as they were.
    const r = new Random(SEED ^ hash(form.asm) ^ form.group.length);
    const operands = operandsOf(bytes);
    const vectors: Vector[] = [];
    for (let i = 0; i < (form.count ?? 10); i++) {
      const input = makeInput(form, operands, r, i);
      inputs.push(packInput(input, bytes));
      vectors.push({ id: '', group: form.group, bytes, in: input, out: input });
    }
    out.push({ group: form.group, bytes, vectors });
  }
  const raw = execFileSync(executable, { input: Buffer.concat(inputs), maxBuffer: 1 << 30 });
  let at = 0;
  for (const form of out)
    for (const vector of form.vectors) {
      const { state, fault } = unpackOutput(raw.subarray(at, (at += OUT_BYTES)));
      vector.out = state;
      if (fault !== undefined) vector.fault = fault;
      // Page faults would depend on what is mapped here: they are for test/guest.
      if (fault === 14 || fault === 1)
        console.error(`${Buffer.from(vector.bytes).toString('hex')}: exception ${fault} at ${state.eip.toString(16)}`);
    }
  for (const form of out) form.vectors = form.vectors.filter((v) => v.fault !== 14 && v.fault !== 1);
  return out.filter((f) => f.vectors.length > 0);
}

function hash(text: string): number {
  let h = 0x811c9dc5;
  for (const c of Buffer.from(text)) h = Math.imul(h ^ c, 0x01000193);
  return h >>> 0;
}

const executable = join(work, 'execute');
execFileSync('gcc', ['-m32', '-O1', '-no-pie', '-fno-pie', '-o', executable, here('gen/execute.c')], { stdio: 'inherit' });
const wanted = process.argv.slice(2);
for (const [name, make] of Object.entries(FILES)) {
  if (wanted.length && !wanted.includes(name)) continue;
  const forms = record(executable, make());
  const raw = encodeVectors(forms);
  const packed = gzipSync(raw, { level: 9 });
  packed[9] = 3; // the same bytes on every system (RFC 1952: OS)
  writeFileSync(here(`data/${name}.bin.gz`), packed);
  const groups = new Map<string, [number, number]>();
  for (const f of forms) {
    const g = groups.get(f.group) ?? [0, 0];
    groups.set(f.group, [g[0] + 1, g[1] + f.vectors.length]);
  }
  console.log(`${name}: ${raw.length} bytes, ${packed.length} packed`);
  for (const [g, [f, n]] of groups) console.log(`  ${g}: ${f} forms, ${n} vectors`);
}
rmSync(work, { recursive: true });
