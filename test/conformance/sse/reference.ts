// What IEEE 754 and the SDM say of one scalar operation, written for clarity over big integers: a yardstick for wasm/sse, which it
// shares nothing with. Masked exceptions only; flags are those of MXCSR (SDM vol. 1, 10.2.3 and 11.5).

export type Operation = 'add' | 'sub' | 'mul' | 'div' | 'sqrt';
export interface Format {
  /** Bits of the fraction field and of the exponent field. */
  fraction: number;
  exponent: number;
}
export const SINGLE: Format = { fraction: 23, exponent: 8 };
export const DOUBLE: Format = { fraction: 52, exponent: 11 };
export const Flag = { IE: 1, DE: 2, ZE: 4, OE: 8, UE: 16, PE: 32 } as const;
const DAZ = 0x40;
const FTZ = 0x8000;

interface Parts {
  kind: 'zero' | 'denormal' | 'normal' | 'infinity' | 'nan';
  negative: boolean;
  signaling: boolean;
  /** Value: significand * 2^exponent. */
  significand: bigint;
  exponent: number;
}

const bits = (f: Format) => ({
  sign: 1n << BigInt(f.fraction + f.exponent),
  infinity: ((1n << BigInt(f.exponent)) - 1n) << BigInt(f.fraction),
  quiet: 1n << BigInt(f.fraction - 1),
  hidden: 1n << BigInt(f.fraction),
  lowest: 2 - 2 ** (f.exponent - 1) - f.fraction,
});

function parts(f: Format, v: bigint): Parts {
  const { sign, quiet, hidden, lowest } = bits(f);
  const fraction = v & (hidden - 1n);
  const exponent = Number((v & (sign - 1n)) >> BigInt(f.fraction));
  const top = exponent === 2 ** f.exponent - 1;
  const kind = top ? (fraction ? 'nan' : 'infinity') : exponent ? 'normal' : fraction ? 'denormal' : 'zero';
  return {
    kind,
    negative: (v & sign) !== 0n,
    signaling: kind === 'nan' && (v & quiet) === 0n,
    significand: exponent ? fraction | hidden : fraction,
    exponent: lowest + Math.max(exponent - 1, 0),
  };
}

const bitLength = (v: bigint) => v.toString(2).length;

function root(v: bigint): bigint {
  let x = 1n << BigInt((bitLength(v) + 1) >> 1);
  for (;;) {
    const y = (x + v / x) >> 1n;
    if (y >= x) return x;
    x = y;
  }
}

/** significand * 2^exponent, plus a little where `more`, cut to units of 2^unit: rounded, and whether something was lost. */
function cut(significand: bigint, exponent: number, more: boolean, unit: number, mode: number, negative: boolean): [bigint, boolean] {
  const drop = unit - exponent;
  if (drop <= 0) return [significand << BigInt(-drop), more];
  const whole = significand >> BigInt(drop);
  const rest = significand - (whole << BigInt(drop));
  const half = 1n << BigInt(drop - 1);
  const inexact = rest !== 0n || more;
  const nearestUp = rest > half || (rest === half && (more || (whole & 1n) === 1n));
  const up = mode === 0 ? nearestUp : inexact && ((mode === 2 && !negative) || (mode === 1 && negative));
  return [up ? whole + 1n : whole, inexact];
}

/** The result's bits and the flags that it sets, with all exceptions masked. */
export function expected(f: Format, operation: Operation, x: bigint, y: bigint, mxcsr: number): { bits: bigint; flags: number } {
  const { sign, infinity, quiet, lowest, hidden } = bits(f);
  const mode = (mxcsr >> 13) & 3;
  const a = parts(f, operation === 'sqrt' ? y : x);
  const b = parts(f, y);
  if (a.kind === 'nan' || b.kind === 'nan') {
    const first = operation === 'sqrt' ? y : a.kind === 'nan' ? x : y;
    return { bits: first | quiet, flags: a.signaling || b.signaling ? Flag.IE : 0 };
  }
  if (mxcsr & DAZ) for (const p of [a, b]) if (p.kind === 'denormal') Object.assign(p, { kind: 'zero', significand: 0n });
  if (operation === 'sub') b.negative = !b.negative;
  const denormal = a.kind === 'denormal' || b.kind === 'denormal' ? Flag.DE : 0;
  const signed = (negative: boolean, magnitude: bigint) => (negative ? magnitude | sign : magnitude);
  const invalid = { bits: sign | infinity | quiet, flags: Flag.IE };
  const zeros = [a, b].map((p) => p.kind === 'zero');
  const infinite = [a, b].map((p) => p.kind === 'infinity');
  let negative = a.negative !== b.negative;
  let significand: bigint;
  let exponent: number;
  let more = false;
  if (operation === 'add' || operation === 'sub') {
    if (infinite[0] && infinite[1] && negative) return invalid;
    if (infinite[0] || infinite[1]) return { bits: signed(infinite[0] ? a.negative : b.negative, infinity), flags: denormal };
    exponent = Math.min(a.exponent, b.exponent);
    const value = (p: Parts) => (p.significand << BigInt(p.exponent - exponent)) * (p.negative ? -1n : 1n);
    const sum = value(a) + value(b);
    if (sum === 0n)
      return {
        bits: signed(negative || (!zeros[0] && !zeros[1]) ? (negative ? mode === 1 : a.negative) : a.negative, 0n),
        flags: denormal,
      };
    negative = sum < 0n;
    significand = negative ? -sum : sum;
  } else if (operation === 'mul') {
    if ((infinite[0] && zeros[1]) || (zeros[0] && infinite[1])) return invalid;
    if (infinite[0] || infinite[1]) return { bits: signed(negative, infinity), flags: denormal };
    significand = a.significand * b.significand;
    exponent = a.exponent + b.exponent;
    if (significand === 0n) return { bits: signed(negative, 0n), flags: denormal };
  } else if (operation === 'div') {
    if ((infinite[0] && infinite[1]) || (zeros[0] && zeros[1])) return invalid;
    if (zeros[1] && !infinite[0]) return { bits: signed(negative, infinity), flags: Flag.ZE };
    if (infinite[0]) return { bits: signed(negative, infinity), flags: denormal };
    if (infinite[1] || zeros[0]) return { bits: signed(negative, 0n), flags: denormal };
    significand = (a.significand << 200n) / b.significand;
    more = (a.significand << 200n) % b.significand !== 0n;
    exponent = a.exponent - b.exponent - 200;
  } else {
    if (zeros[1]) return { bits: signed(b.negative, 0n), flags: 0 };
    if (b.negative) return invalid;
    if (infinite[1]) return { bits: infinity, flags: 0 };
    negative = false;
    const shift = 200 + (b.exponent & 1);
    significand = root(b.significand << BigInt(shift));
    more = significand * significand !== b.significand << BigInt(shift);
    exponent = (b.exponent - shift) / 2;
  }
  // With an unbounded exponent first: tiny or not is judged on that.
  const unit = exponent + bitLength(significand) - 1 - f.fraction;
  const [wide, wideInexact] = cut(significand, exponent, more, unit, mode, negative);
  const tiny = bitLength(wide) + unit - 1 < lowest + f.fraction;
  if (tiny && mxcsr & FTZ) return { bits: signed(negative, 0n), flags: denormal | Flag.UE | Flag.PE };
  const at = tiny ? lowest : unit;
  const [rounded, inexact] = tiny ? cut(significand, exponent, more, lowest, mode, negative) : [wide, wideInexact];
  let flags = denormal | (inexact ? Flag.PE : 0) | (tiny && inexact ? Flag.UE : 0);
  // A carry moves the leading bit: the fraction is then all zeros.
  const carried = bitLength(rounded) > f.fraction + 1;
  const field = rounded < hidden ? 0 : at - lowest + 1 + (carried ? 1 : 0);
  if (field >= 2 ** f.exponent - 1) {
    flags |= Flag.OE | Flag.PE;
    const toInfinity = mode === 0 || (mode === 1 && negative) || (mode === 2 && !negative);
    return { bits: signed(negative, toInfinity ? infinity : infinity - 1n), flags };
  }
  const fraction = (carried ? rounded >> 1n : rounded) & (hidden - 1n);
  return { bits: signed(negative, (BigInt(field) << BigInt(f.fraction)) | fraction), flags };
}
