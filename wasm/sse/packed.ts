// Packed arithmetic: one function an instruction, each with its second operand from a register or from memory. What quick.ts calls usual
// is WebAssembly's own arithmetic; the rest goes lane by lane through soft.ts. All take (cpu, destination, source).
import { Cpu } from '../gen/layout';
import {
  exactProduct32,
  exactProduct64,
  exactSum32,
  exactSum64,
  inexactIsQuiet,
  plain32,
  plain64,
  roundsToNearest,
  usual32,
  usual64,
  usualProduct32,
  usualProduct64,
} from './quick';
import { ADD, ADDSUB, begin, DIV, finish, lane, MAX, MIN, MUL, SQRT, SUB } from './soft';

function slow32(cpu: Cpu, op: u32, a: v128, b: v128): v128 {
  begin(cpu);
  const at = cpu.scratch;
  v128.store(at, a);
  v128.store(at, b, 16);
  for (let i: usize = 0; i < 4; i++) {
    const to = at + (i << 2);
    const what = op != ADDSUB ? op : i & 1 ? ADD : SUB;
    store<u32>(to, <u32>lane(what, load<u32>(to), load<u32>(to, 16), false));
  }
  finish(cpu);
  return v128.load(at);
}

function slow64(cpu: Cpu, op: u32, a: v128, b: v128): v128 {
  begin(cpu);
  const r0 = lane(op == ADDSUB ? SUB : op, i64x2.extract_lane(a, 0), i64x2.extract_lane(b, 0), true);
  const r1 = lane(op == ADDSUB ? ADD : op, i64x2.extract_lane(a, 1), i64x2.extract_lane(b, 1), true);
  finish(cpu);
  return i64x2.replace_lane(i64x2.splat(r0), 1, r1);
}

export function sseAddps(cpu: Cpu, a: v128, b: v128): v128 {
  const r = f32x4.add(a, b);
  if (usual32(a, b, r) && (inexactIsQuiet(cpu) || (roundsToNearest(cpu) && exactSum32(a, b, r)))) return r;
  return slow32(cpu, ADD, a, b);
}
export function sseSubps(cpu: Cpu, a: v128, b: v128): v128 {
  const r = f32x4.sub(a, b);
  if (usual32(a, b, r) && (inexactIsQuiet(cpu) || (roundsToNearest(cpu) && exactSum32(a, f32x4.neg(b), r)))) return r;
  return slow32(cpu, SUB, a, b);
}
export function sseMulps(cpu: Cpu, a: v128, b: v128): v128 {
  const r = f32x4.mul(a, b);
  if (usualProduct32(a, b, r) && (inexactIsQuiet(cpu) || (roundsToNearest(cpu) && exactProduct32(a, b, r)))) return r;
  return slow32(cpu, MUL, a, b);
}
export function sseDivps(cpu: Cpu, a: v128, b: v128): v128 {
  const r = f32x4.div(a, b);
  if (usualProduct32(a, b, r) && (inexactIsQuiet(cpu) || (roundsToNearest(cpu) && exactProduct32(r, b, a)))) return r;
  return slow32(cpu, DIV, a, b);
}
export function sseSqrtps(cpu: Cpu, b: v128): v128 {
  const r = f32x4.sqrt(b);
  if (usual32(b, b, r) && (inexactIsQuiet(cpu) || (roundsToNearest(cpu) && exactProduct32(r, r, b)))) return r;
  return slow32(cpu, SQRT, b, b);
}
// The second operand where they are equal (zeros) or not ordered: WebAssembly's pseudo-minimum with its operands swapped.
export function sseMinps(cpu: Cpu, a: v128, b: v128): v128 {
  return plain32(a, b) ? f32x4.pmin(b, a) : slow32(cpu, MIN, a, b);
}
export function sseMaxps(cpu: Cpu, a: v128, b: v128): v128 {
  return plain32(a, b) ? f32x4.pmax(b, a) : slow32(cpu, MAX, a, b);
}
export function sseAddpd(cpu: Cpu, a: v128, b: v128): v128 {
  const r = f64x2.add(a, b);
  if (usual64(a, b, r) && (inexactIsQuiet(cpu) || (roundsToNearest(cpu) && exactSum64(a, b, r)))) return r;
  return slow64(cpu, ADD, a, b);
}
export function sseSubpd(cpu: Cpu, a: v128, b: v128): v128 {
  const r = f64x2.sub(a, b);
  if (usual64(a, b, r) && (inexactIsQuiet(cpu) || (roundsToNearest(cpu) && exactSum64(a, f64x2.neg(b), r)))) return r;
  return slow64(cpu, SUB, a, b);
}
export function sseMulpd(cpu: Cpu, a: v128, b: v128): v128 {
  const r = f64x2.mul(a, b);
  if (usualProduct64(a, b, r) && (inexactIsQuiet(cpu) || (roundsToNearest(cpu) && exactProduct64(a, b, r)))) return r;
  return slow64(cpu, MUL, a, b);
}
export function sseDivpd(cpu: Cpu, a: v128, b: v128): v128 {
  const r = f64x2.div(a, b);
  if (usualProduct64(a, b, r) && (inexactIsQuiet(cpu) || (roundsToNearest(cpu) && exactProduct64(r, b, a)))) return r;
  return slow64(cpu, DIV, a, b);
}
export function sseSqrtpd(cpu: Cpu, b: v128): v128 {
  const r = f64x2.sqrt(b);
  if (usual64(b, b, r) && (inexactIsQuiet(cpu) || (roundsToNearest(cpu) && exactProduct64(r, r, b)))) return r;
  return slow64(cpu, SQRT, b, b);
}
// The second operand where they are equal (zeros) or not ordered: WebAssembly's pseudo-minimum with its operands swapped.
export function sseMinpd(cpu: Cpu, a: v128, b: v128): v128 {
  return plain64(a, b) ? f64x2.pmin(b, a) : slow64(cpu, MIN, a, b);
}
export function sseMaxpd(cpu: Cpu, a: v128, b: v128): v128 {
  return plain64(a, b) ? f64x2.pmax(b, a) : slow64(cpu, MAX, a, b);
}

// SSE3: the lanes are put next to each other, then it is an addition or subtraction.
export function sseAddsubps(cpu: Cpu, a: v128, b: v128): v128 {
  const c = v128.xor(b, i64x2.splat(0x80000000));
  const r = f32x4.add(a, c);
  if (usual32(a, b, r) && (inexactIsQuiet(cpu) || (roundsToNearest(cpu) && exactSum32(a, c, r)))) return r;
  return slow32(cpu, ADDSUB, a, b);
}
export function sseAddsubpd(cpu: Cpu, a: v128, b: v128): v128 {
  const c = v128.xor(b, i64x2(i64.MIN_VALUE, 0));
  const r = f64x2.add(a, c);
  if (usual64(a, b, r) && (inexactIsQuiet(cpu) || (roundsToNearest(cpu) && exactSum64(a, c, r)))) return r;
  return slow64(cpu, ADDSUB, a, b);
}
@inline
function even(a: v128, b: v128): v128 {
  return v128.shuffle<i32>(a, b, 0, 2, 4, 6);
}
@inline
function odd(a: v128, b: v128): v128 {
  return v128.shuffle<i32>(a, b, 1, 3, 5, 7);
}
export function sseHaddps(cpu: Cpu, a: v128, b: v128): v128 {
  return sseAddps(cpu, even(a, b), odd(a, b));
}
export function sseHsubps(cpu: Cpu, a: v128, b: v128): v128 {
  return sseSubps(cpu, even(a, b), odd(a, b));
}
export function sseHaddpd(cpu: Cpu, a: v128, b: v128): v128 {
  return sseAddpd(cpu, v128.shuffle<i64>(a, b, 0, 2), v128.shuffle<i64>(a, b, 1, 3));
}
export function sseHsubpd(cpu: Cpu, a: v128, b: v128): v128 {
  return sseSubpd(cpu, v128.shuffle<i64>(a, b, 0, 2), v128.shuffle<i64>(a, b, 1, 3));
}
