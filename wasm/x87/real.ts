// x87: IEEE reals of memory in the extended format (SDM vol. 1, 4.2.2). They come as their bits; `wide`, which is known where the functions are compiled: of a double, else of a single.
import { BIAS, DE, EXP_MAX, MSB, Out, SIGN, setOut } from './core';

@inline
function exponentField(bits: u64, wide: bool): u32 {
  return wide ? <u32>(bits >> 52) & 0x7ff : <u32>(bits >> 23) & 0xff;
}
@inline
export function signOf(bits: u64, wide: bool): u32 {
  return <u32>(bits >> (wide ? 48 : 16)) & SIGN;
}

/** Neither zero, denormal, infinity nor NaN: significandOf and signExponentOf hold for these alone. */
@inline
export function isNormalReal(bits: u64, wide: bool): bool {
  return exponentField(bits, wide) - 1 < <u32>(wide ? 0x7fe : 0xfe);
}
@inline
export function significandOf(bits: u64, wide: bool): u64 {
  return (bits << (wide ? 11 : 40)) | MSB;
}
@inline
export function signExponentOf(bits: u64, wide: bool): u32 {
  return signOf(bits, wide) | (exponentField(bits, wide) + <u32>(BIAS - (wide ? 1023 : 127)));
}

/** Out = any of them, with DE in Out.exc where it is a denormal. */
@inline
export function widen(bits: u64, wide: bool): void {
  const field = exponentField(bits, wide);
  const sign = signOf(bits, wide);
  const fraction = bits << (wide ? 12 : 41);
  Out.exc = 0;
  if (field == 0) {
    if (fraction == 0) {
      setOut(0, sign);
      return;
    }
    Out.exc = DE;
    const n = clz(fraction);
    setOut(fraction << n, sign | <u32>(BIAS - (wide ? 1023 : 127) - <i32>n));
    return;
  }
  const last = wide ? 0x7ff : 0xff;
  setOut((fraction >> 1) | MSB, field == last ? sign | EXP_MAX : signExponentOf(bits, wide));
}
