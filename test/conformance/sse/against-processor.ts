// Holds SSE floating-point instructions against the processor of this machine: random operands around all that is special, random
// MXCSR with exceptions unmasked too. Not part of the tests (it needs gcc -m32); recorded vectors and reference.ts are.
// Usage: node scripts/with-node.mjs test/conformance/sse/against-processor.ts [interpreter|jit] [seed] [cases]
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, placeForm, prepare, runVector } from '../../harness/compare.ts';
import { openEngine, type TestEngine } from '../../harness/engine.ts';
import { baseState, SCRATCH_BYTES, type State, type Vector } from '../../harness/vectors.ts';
import { Random, simd } from '../../vectors/gen/values.ts';
import { number } from './numbers.ts';
import { DOUBLE, SINGLE } from './reference.ts';

type Lanes = 'single' | 'double' | 'int';
const MODRM = 0xca; // xmm1 (mm1, ecx), xmm2 (mm2, edx)
const PREFIXES: readonly [number[], Lanes][] = [
  [[], 'single'],
  [[0x66], 'double'],
  [[0xf3], 'single'],
  [[0xf2], 'double'],
];

function* instructions(): Generator<[number[], Lanes]> {
  for (const [prefix, lanes] of PREFIXES) {
    // ADD MUL SUB MIN DIV MAX SQRT, float to float, CMP
    for (const opcode of [0x58, 0x59, 0x5c, 0x5d, 0x5e, 0x5f, 0x51, 0x5a]) yield [[...prefix, 0x0f, opcode, MODRM], lanes];
    for (let predicate = 0; predicate < 8; predicate++) yield [[...prefix, 0x0f, 0xc2, MODRM, predicate], lanes];
    // CVT(T)...2PI and CVT(T)...2SI; CVTPI2... and CVTSI2...
    for (const opcode of [0x2c, 0x2d]) yield [[...prefix, 0x0f, opcode, MODRM], lanes];
    yield [[...prefix, 0x0f, 0x2a, MODRM], 'int'];
  }
  for (const [prefix, lanes] of PREFIXES.slice(0, 2)) for (const opcode of [0x2e, 0x2f]) yield [[...prefix, 0x0f, opcode, MODRM], lanes];
  // HADD HSUB ADDSUB
  for (const opcode of [0x7c, 0x7d, 0xd0]) {
    yield [[0x66, 0x0f, opcode, MODRM], 'double'];
    yield [[0xf2, 0x0f, opcode, MODRM], 'single'];
  }
  yield [[0x0f, 0x5b, MODRM], 'int'];
  yield [[0x66, 0x0f, 0x5b, MODRM], 'single'];
  yield [[0xf3, 0x0f, 0x5b, MODRM], 'single'];
  yield [[0x66, 0x0f, 0xe6, MODRM], 'double'];
  yield [[0xf2, 0x0f, 0xe6, MODRM], 'double'];
  yield [[0xf3, 0x0f, 0xe6, MODRM], 'int'];
}

function register(r: Random, lanes: Lanes): Uint8Array {
  if (lanes === 'int') return simd(r, 16, 'int');
  const view = new DataView(new ArrayBuffer(16));
  if (lanes === 'single') for (let i = 0; i < 16; i += 4) view.setUint32(i, Number(number(r, SINGLE)), true);
  else for (let i = 0; i < 16; i += 8) view.setBigUint64(i, number(r, DOUBLE), true);
  return new Uint8Array(view.buffer);
}

function input(r: Random, lanes: Lanes): State {
  const s = baseState();
  s.xmm.set(register(r, lanes), 16);
  s.xmm.set(r.below(6) ? register(r, lanes) : s.xmm.slice(16, 32), 32);
  s.mm.set(simd(r, 8, 'int'), 16);
  s.gpr[2] = r.u32() >>> r.below(32);
  const kind = r.below(4);
  s.mxcsr = 0x1f80 | (kind ? r.below(64) : 0x20);
  if (kind > 1) s.mxcsr |= (r.below(4) << 13) | r.pick([0, 0x40, 0x8000, 0x8040]);
  if (kind > 2) s.mxcsr &= ~(r.below(64) << 7);
  return s;
}

// Input and output of test/vectors/gen/execute.c.
const IN_BYTES = 256 + SCRATCH_BYTES;
const OUT_BYTES = 248 + SCRATCH_BYTES;

function pack(s: State, code: Uint8Array): Uint8Array {
  const b = new Uint8Array(IN_BYTES);
  const view = new DataView(b.buffer);
  for (const [i, v] of s.gpr.entries()) view.setUint32(i * 4, v, true);
  view.setUint32(32, s.eflags, true);
  view.setUint32(36, s.mxcsr, true);
  for (const [i, v] of [s.fcw, s.fsw, s.ftw, code.length].entries()) view.setUint16(40 + 2 * i, v, true);
  b.set(s.mm, 48);
  b.set(s.xmm, 112);
  b.set(code, 240);
  b.set(s.memory, 256);
  return b;
}

function unpack(b: Uint8Array): { out: State; fault?: number } {
  const view = new DataView(b.buffer, b.byteOffset, OUT_BYTES);
  const u16 = (at: number) => view.getUint16(at, true);
  const out: State = {
    gpr: Uint32Array.from({ length: 8 }, (_, i) => view.getUint32(i * 4, true)),
    eflags: view.getUint32(32, true),
    mxcsr: view.getUint32(36, true),
    fcw: u16(40),
    fsw: u16(42),
    ftw: u16(44),
    eip: view.getUint32(48, true),
    mm: b.slice(56, 120),
    xmm: b.slice(120, 248),
    memory: b.slice(248, 248 + SCRATCH_BYTES),
  };
  return u16(46) === 0xffff ? { out } : { out, fault: u16(46) };
}

const [name = 'interpreter', seed = '1', cases = '20000'] = process.argv.slice(2);
const all = [...instructions()];
const r = new Random(Number(seed));
const each = Math.ceil(Number(cases) / all.length);
const runs = all.flatMap(([code, lanes]) => Array.from({ length: each }, () => ({ bytes: Uint8Array.from(code), in: input(r, lanes) })));

const work = mkdtempSync(join(tmpdir(), 'sse-'));
const executable = join(work, 'execute');
const source = fileURLToPath(new URL('../../vectors/gen/execute.c', import.meta.url));
execFileSync('gcc', ['-m32', '-O1', '-no-pie', '-fno-pie', '-o', executable, source], { stdio: 'inherit' });
const outputs = execFileSync(executable, { input: Buffer.concat(runs.map((c) => pack(c.in, c.bytes))), maxBuffer: 2 ** 31 - 1 });
rmSync(work, { recursive: true });

const engine = await openEngine(name as TestEngine['name']);
prepare(engine);
const failures = new Map<string, string[]>();
let placed: Uint8Array | undefined;
for (const [n, c] of runs.entries()) {
  if (placed === undefined || Buffer.compare(placed, c.bytes) !== 0)
    placeForm(engine, { group: '', bytes: (placed = c.bytes), vectors: [] });
  const vector: Vector = {
    id: String(n),
    group: '',
    bytes: c.bytes,
    in: c.in,
    ...unpack(outputs.subarray(n * OUT_BYTES, (n + 1) * OUT_BYTES)),
  };
  const info = describe(c.bytes);
  const difference = runVector(engine, vector, info);
  if (difference === undefined) continue;
  const hex = (at: number) =>
    Buffer.from(c.in.xmm.subarray(at, at + 16))
      .reverse()
      .toString('hex');
  const text = `mxcsr ${c.in.mxcsr.toString(16)} xmm1 ${hex(16)} xmm2 ${hex(32)}: ${difference}`;
  failures.set(info.text, [...(failures.get(info.text) ?? []), text]);
}
for (const [text, list] of failures) console.log(`${text}: ${list.length}\n  ${list.slice(0, 3).join('\n  ')}`);
console.log(`${runs.length} runs, ${[...failures.values()].flat().length} differ`);
process.exit(failures.size ? 1 : 0);
