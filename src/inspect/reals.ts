// The x87's numbers of 80 bits (SDM vol. 1, 4.2.2), and numbers of JavaScript.

/** An unsigned significand whose bit 63 is 1 but in zeros and denormals; sign in bit 15, and exponent, by 16383 too large. */
export interface Extended {
  readonly significand: bigint;
  readonly signExponent: number;
}

const BIAS = 16383;
const TOP = 63;
const LARGEST = 0x7fff;
const INTEGER_BIT = 1n << 63n;

/** Rounded to nearest: NaN for all NaNs and for what is no number, infinities for what is too large. */
export function toNumber({ significand, signExponent }: Extended): number {
  const sign = (signExponent & 0x8000) !== 0 ? -1 : 1;
  const field = signExponent & LARGEST;
  // An exponent needs the integer bit.
  if (field !== 0 && (significand & INTEGER_BIT) === 0n) return Number.NaN;
  if (field === LARGEST) return significand === INTEGER_BIT ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  // Denormals have the exponent of the smallest normal numbers.
  const exponent = Math.max(field, 1) - BIAS - TOP;
  // In two steps, which no power of two is too large for.
  const half = Math.trunc(Math.min(Math.max(exponent, -1200), 1024) / 2);
  const rest = Math.min(Math.max(exponent, -1200), 1024) - half;
  return sign * Number(significand) * 2 ** half * 2 ** rest;
}

/** The same number. */
export function toExtended(value: number): Extended {
  const data = new DataView(new ArrayBuffer(8));
  data.setFloat64(0, value);
  const bits = data.getBigUint64(0);
  const sign = Number(bits >> 63n) << 15;
  const field = Number((bits >> 52n) & 0x7ffn);
  const fraction = bits & (2n ** 52n - 1n);
  if (field === 0x7ff) return { significand: INTEGER_BIT | (fraction << 11n), signExponent: sign | LARGEST };
  if (field === 0 && fraction === 0n) return { significand: 0n, signExponent: sign };
  let significand = (field === 0 ? 0n : INTEGER_BIT) | (fraction << 11n);
  let exponent = Math.max(field, 1) - 1023 + BIAS;
  while ((significand & INTEGER_BIT) === 0n) {
    significand <<= 1n;
    exponent--;
  }
  return { significand, signExponent: sign | exponent };
}
