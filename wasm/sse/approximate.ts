// RCPPS, RSQRTPS and their scalar forms: approximations of about 12 bits that raise no exceptions and look at no mode but for denormals,
// which they always take as zeros and never give (SDM vol. 2, RCPPS). Ours are the rounded result cut to 12 bits after the leading one.
import { Cpu } from '../gen/layout';

function reciprocal(a: f32): f32 {
  const bits = reinterpret<u32>(a);
  const m = bits & 0x7fffffff;
  const sign = bits & 0x80000000;
  if (m > 0x7f800000) return reinterpret<f32>(bits | 0x00400000);
  if (m < 0x00800000) return reinterpret<f32>(sign | 0x7f800000);
  const r = reinterpret<u32>(<f32>1 / a) + 0x400;
  return reinterpret<f32>((r & 0x7fffffff) < 0x00800000 ? sign : r & 0xfffff800);
}
function reciprocalRoot(a: f32): f32 {
  const bits = reinterpret<u32>(a);
  const m = bits & 0x7fffffff;
  if (m > 0x7f800000) return reinterpret<f32>(bits | 0x00400000);
  if (m < 0x00800000) return reinterpret<f32>((bits & 0x80000000) | 0x7f800000);
  if (bits >> 31) return reinterpret<f32>(0xffc00000);
  if (m == 0x7f800000) return 0;
  return reinterpret<f32>((reinterpret<u32>(<f32>(1 / sqrt<f64>(a))) + 0x400) & 0xfffff800);
}
export function sseRcpss(_cpu: Cpu, a: f32): f32 {
  return reciprocal(a);
}
export function sseRsqrtss(_cpu: Cpu, a: f32): f32 {
  return reciprocalRoot(a);
}
export function sseRcpps(_cpu: Cpu, a: v128): v128 {
  let r = f32x4.splat(reciprocal(f32x4.extract_lane(a, 0)));
  r = f32x4.replace_lane(r, 1, reciprocal(f32x4.extract_lane(a, 1)));
  r = f32x4.replace_lane(r, 2, reciprocal(f32x4.extract_lane(a, 2)));
  return f32x4.replace_lane(r, 3, reciprocal(f32x4.extract_lane(a, 3)));
}
export function sseRsqrtps(_cpu: Cpu, a: v128): v128 {
  let r = f32x4.splat(reciprocalRoot(f32x4.extract_lane(a, 0)));
  r = f32x4.replace_lane(r, 1, reciprocalRoot(f32x4.extract_lane(a, 1)));
  r = f32x4.replace_lane(r, 2, reciprocalRoot(f32x4.extract_lane(a, 2)));
  return f32x4.replace_lane(r, 3, reciprocalRoot(f32x4.extract_lane(a, 3)));
}
