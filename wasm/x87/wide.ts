// x87: unsigned 128-bit integers as two words. Functions leave their result in Wide.hi and Wide.lo.

/** Result of the functions of this file. One set per thread. */
export class Wide {
  static hi: u64 = 0;
  static lo: u64 = 0;
}

@inline
export function setWide(hi: u64, lo: u64): void {
  Wide.hi = hi;
  Wide.lo = lo;
}

/** 64 x 64 -> 128. */
export function mul64(a: u64, b: u64): void {
  const al = a & 0xffffffff;
  const ah = a >> 32;
  const bl = b & 0xffffffff;
  const bh = b >> 32;
  const low = al * bl;
  const middle = ah * bl + (low >> 32);
  const cross = al * bh + (middle & 0xffffffff);
  Wide.hi = ah * bh + (middle >> 32) + (cross >> 32);
  Wide.lo = (cross << 32) | (low & 0xffffffff);
}

/** Upper 64 bits of a 64 x 64 product. */
export function mulHigh64(a: u64, b: u64): u64 {
  const al = a & 0xffffffff;
  const ah = a >> 32;
  const bl = b & 0xffffffff;
  const bh = b >> 32;
  const middle = ah * bl + ((al * bl) >> 32);
  return ah * bh + (middle >> 32) + ((al * bh + (middle & 0xffffffff)) >> 32);
}

/** Upper 128 bits of a 128 x 128 product, up to 3 units too small. */
export function mulHigh128(ah: u64, al: u64, bh: u64, bl: u64): void {
  mul64(ah, bh);
  const one = mulHigh64(ah, bl);
  const two = mulHigh64(al, bh);
  const sum = Wide.lo + one;
  if (sum < one) Wide.hi++;
  Wide.lo = sum + two;
  if (Wide.lo < two) Wide.hi++;
}

/** Quotient of nh:nl by d; d has its top bit set and nh < d. The remainder goes to Wide.lo. */
export function div128(nh: u64, nl: u64, d: u64): u64 {
  const dh = d >> 32;
  const dl = d & 0xffffffff;
  const high = digit(nh, nl >> 32, d, dh, dl);
  const low = digit(Wide.lo, nl & 0xffffffff, d, dh, dl);
  return (high << 32) | low;
}

/** One 32-bit digit of a quotient (Knuth, vol. 2, 4.3.1, D3). */
function digit(n: u64, next: u64, d: u64, dh: u64, dl: u64): u64 {
  let q = n / dh;
  let r = n - q * dh;
  while (q >> 32 || q * dl > ((r << 32) | next)) {
    q--;
    r += dh;
    if (r >> 32) break;
  }
  Wide.lo = ((n << 32) | next) - q * d;
  return q;
}

/** 2^128 * n / d, rounded down; n < d and d has its top bit set. Two digits of 64 bits (Knuth, vol. 2, 4.3.1). */
export function divide128(nh: u64, nl: u64, dh: u64, dl: u64): void {
  const first = wideDigit(nh, nl, dh, dl);
  const second = wideDigit(Wide.hi, Wide.lo, dh, dl);
  Wide.hi = first;
  Wide.lo = second;
}

/** Quotient of rh:rl:0 by dh:dl, where rh:rl < dh:dl; Wide is the remainder. */
function wideDigit(rh: u64, rl: u64, dh: u64, dl: u64): u64 {
  let q: u64;
  let rest: u64;
  let small = true;
  if (rh == dh) {
    q = <u64>-1;
    rest = rl + dh;
    small = rest >= dh;
  } else {
    q = div128(rh, rl, dh);
    rest = Wide.lo;
  }
  mul64(q, dl);
  while (small && (Wide.hi > rest || (Wide.hi == rest && Wide.lo != 0))) {
    q--;
    rest += dh;
    small = rest >= dh;
    Wide.hi -= u64(Wide.lo < dl);
    Wide.lo -= dl;
  }
  const lo = 0 - Wide.lo;
  Wide.hi = rest - Wide.hi - u64(lo != 0);
  Wide.lo = lo;
  return q;
}

/** Shifts right, ORing what falls out into the lowest bit. */
export function shiftRightSticky(hi: u64, lo: u64, n: u32): void {
  if (n == 0) {
    setWide(hi, lo);
  } else if (n < 64) {
    setWide(hi >> n, (hi << (64 - n)) | (lo >> n) | u64(lo << (64 - n) != 0));
  } else if (n == 64) {
    setWide(0, hi | u64(lo != 0));
  } else if (n < 128) {
    setWide(0, (hi >> (n - 64)) | u64(((hi << (128 - n)) | lo) != 0));
  } else {
    setWide(0, u64((hi | lo) != 0));
  }
}

/** Shifts right, dropping what falls out. */
export function shiftRight(hi: u64, lo: u64, n: u32): void {
  if (n == 0) setWide(hi, lo);
  else if (n < 64) setWide(hi >> n, (hi << (64 - n)) | (lo >> n));
  else if (n < 128) setWide(0, hi >> (n - 64));
  else setWide(0, 0);
}

/** Shifts left until bit 127 is set and returns by how much; hi:lo is not zero. */
export function normalise(hi: u64, lo: u64): i32 {
  if (hi == 0) {
    const n = <i32>clz(lo);
    setWide(lo << n, 0);
    return n + 64;
  }
  const n = <i32>clz(hi);
  setWide(n == 0 ? hi : (hi << n) | (lo >> (64 - n)), lo << n);
  return n;
}
