// Scalar arithmetic: as packed.ts, on the lowest lane. All take (cpu, destination, source) and give the new lowest lane.
import { Cpu } from '../gen/layout';
import {
  exactProduct,
  exactSum,
  exactSumSingle,
  inexactIsQuiet,
  plainDouble,
  plainSingle,
  roundsToNearest,
  usualDouble,
  usualProductDouble,
  usualProductSingle,
  usualSingle,
} from './quick';
import { ADD, begin, DIV, finish, lane, MAX, MIN, MUL, SQRT, SUB } from './soft';

function slowSingle(cpu: Cpu, op: u32, a: f32, b: f32): f32 {
  begin(cpu);
  const r = lane(op, reinterpret<u32>(a), reinterpret<u32>(b), false);
  finish(cpu);
  return reinterpret<f32>(<u32>r);
}
function slowDouble(cpu: Cpu, op: u32, a: f64, b: f64): f64 {
  begin(cpu);
  const r = lane(op, reinterpret<u64>(a), reinterpret<u64>(b), true);
  finish(cpu);
  return reinterpret<f64>(r);
}

export function sseAddss(cpu: Cpu, a: f32, b: f32): f32 {
  const r = a + b;
  if (usualSingle(a, b, r) && (inexactIsQuiet(cpu) || (roundsToNearest(cpu) && exactSumSingle(a, b, r)))) return r;
  return slowSingle(cpu, ADD, a, b);
}
export function sseSubss(cpu: Cpu, a: f32, b: f32): f32 {
  const r = a - b;
  if (usualSingle(a, b, r) && (inexactIsQuiet(cpu) || (roundsToNearest(cpu) && exactSumSingle(a, -b, r)))) return r;
  return slowSingle(cpu, SUB, a, b);
}
export function sseMulss(cpu: Cpu, a: f32, b: f32): f32 {
  const r = a * b;
  if (usualProductSingle(a, b, r) && (inexactIsQuiet(cpu) || (roundsToNearest(cpu) && exactProduct(a, b, r)))) return r;
  return slowSingle(cpu, MUL, a, b);
}
export function sseDivss(cpu: Cpu, a: f32, b: f32): f32 {
  const r = a / b;
  if (usualProductSingle(a, b, r) && (inexactIsQuiet(cpu) || (roundsToNearest(cpu) && exactProduct(r, b, a)))) return r;
  return slowSingle(cpu, DIV, a, b);
}
export function sseSqrtss(cpu: Cpu, b: f32): f32 {
  const r = sqrt<f32>(b);
  if (usualSingle(b, b, r) && (inexactIsQuiet(cpu) || (roundsToNearest(cpu) && exactProduct(r, r, b)))) return r;
  return slowSingle(cpu, SQRT, b, b);
}
// The second operand where they are equal (zeros) or not ordered.
export function sseMinss(cpu: Cpu, a: f32, b: f32): f32 {
  if (!plainSingle(a, b)) return slowSingle(cpu, MIN, a, b);
  return a < b ? a : b;
}
export function sseMaxss(cpu: Cpu, a: f32, b: f32): f32 {
  if (!plainSingle(a, b)) return slowSingle(cpu, MAX, a, b);
  return a > b ? a : b;
}
export function sseAddsd(cpu: Cpu, a: f64, b: f64): f64 {
  const r = a + b;
  if (usualDouble(a, b, r) && (inexactIsQuiet(cpu) || (roundsToNearest(cpu) && exactSum(a, b, r)))) return r;
  return slowDouble(cpu, ADD, a, b);
}
export function sseSubsd(cpu: Cpu, a: f64, b: f64): f64 {
  const r = a - b;
  if (usualDouble(a, b, r) && (inexactIsQuiet(cpu) || (roundsToNearest(cpu) && exactSum(a, -b, r)))) return r;
  return slowDouble(cpu, SUB, a, b);
}
export function sseMulsd(cpu: Cpu, a: f64, b: f64): f64 {
  const r = a * b;
  if (usualProductDouble(a, b, r) && (inexactIsQuiet(cpu) || (roundsToNearest(cpu) && exactProduct(a, b, r)))) return r;
  return slowDouble(cpu, MUL, a, b);
}
export function sseDivsd(cpu: Cpu, a: f64, b: f64): f64 {
  const r = a / b;
  if (usualProductDouble(a, b, r) && (inexactIsQuiet(cpu) || (roundsToNearest(cpu) && exactProduct(r, b, a)))) return r;
  return slowDouble(cpu, DIV, a, b);
}
export function sseSqrtsd(cpu: Cpu, b: f64): f64 {
  const r = sqrt<f64>(b);
  if (usualDouble(b, b, r) && (inexactIsQuiet(cpu) || (roundsToNearest(cpu) && exactProduct(r, r, b)))) return r;
  return slowDouble(cpu, SQRT, b, b);
}
// The second operand where they are equal (zeros) or not ordered.
export function sseMinsd(cpu: Cpu, a: f64, b: f64): f64 {
  if (!plainDouble(a, b)) return slowDouble(cpu, MIN, a, b);
  return a < b ? a : b;
}
export function sseMaxsd(cpu: Cpu, a: f64, b: f64): f64 {
  if (!plainDouble(a, b)) return slowDouble(cpu, MAX, a, b);
  return a > b ? a : b;
}
