// Deterministic random numbers and the pools of edge values that operands are taken from.

/** xorshift32: the whole generator runs from one seed. */
export class Random {
  #state: number;
  constructor(seed: number) {
    this.#state = seed >>> 0 || 1;
  }
  u32(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (this.#state = x >>> 0);
  }
  below(n: number): number {
    return this.u32() % n;
  }
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)];
  }
}

export const INT8 = [0, 1, 2, 0x7f, 0x80, 0x81, 0xfe, 0xff, 0x0f, 0x10, 0x99, 0x9a];
export const INT16 = [0, 1, 2, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0x8001, 0xfffe, 0xffff];
export const INT32 = [
  0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0x80000001, 0xfffffffe, 0xffffffff,
];

/** Single precision, as bits: zeros, ones, halves (rounding), NaNs, infinities, denormals, limits of conversions. */
export const F32 = [
  0x00000000, 0x80000000, 0x3f800000, 0xbf800000, 0x3fc00000, 0xbfc00000, 0x40200000, 0xc0200000, 0x3f000000, 0xbf000000, 0x7f800000,
  0xff800000, 0x7fc00000, 0xffc00001, 0x7fc12345, 0x7f800001, 0xffa00000, 0x00000001, 0x807fffff, 0x00800000, 0x80800000, 0x7f7fffff,
  0xff7fffff, 0x3dcccccd, 0x3eaaaaab, 0x40490fdb, 0x4f000000, 0xcf000000, 0x4effffff, 0xcf000001, 0x5f000000, 0x5effffff, 0x4b000001,
  0x4a800001, 0xca7ffffe, 0x33800000, 0x3f7fffff, 0x42c80000, 0x20000000, 0x5f7fffff,
];

/** Double precision, as bits. */
export const F64 = [
  0x0000000000000000n,
  0x8000000000000000n,
  0x3ff0000000000000n,
  0xbff0000000000000n,
  0x3ff8000000000000n,
  0xbff8000000000000n,
  0x4004000000000000n,
  0xc004000000000000n,
  0x3fe0000000000000n,
  0x7ff0000000000000n,
  0xfff0000000000000n,
  0x7ff8000000000000n,
  0xfff8000000000001n,
  0x7ff8123456789abcn,
  0x7ff0000000000001n,
  0xfff4000000000000n,
  0x0000000000000001n,
  0x800fffffffffffffn,
  0x0010000000000000n,
  0x8010000000000000n,
  0x7fefffffffffffffn,
  0xffefffffffffffffn,
  0x3fb999999999999an,
  0x3fd5555555555555n,
  0x400921fb54442d18n,
  0x41e0000000000000n,
  0xc1e0000000000000n,
  0x41dfffffffc00000n,
  0xc1e0000000200000n,
  0xc1e0000000100000n,
  0x41dfffffffe00000n,
  0x36a0000000000000n,
  0x3690000000000000n,
  0x47efffffe0000000n,
  0x47efffffefffffffn,
  0x47effffff0000000n,
  0x380fffffe0000000n,
  0x3810000000000000n,
  0x3ff0000010000000n,
  0x3ff0000030000000n,
  0x3ff0000010000001n,
  0x4059000000000000n,
];

/** An integer of `bits` bits, an edge value two times out of three. */
export function integer(r: Random, bits: 8 | 16 | 32): number {
  if (r.below(3) === 0) return bits === 32 ? r.u32() : r.below(2 ** bits);
  return r.pick(bits === 8 ? INT8 : bits === 16 ? INT16 : INT32);
}

export type Lanes = 'int' | 'f32' | 'f64';

/** Bytes of a SIMD register: lanes of edge values of the kind. */
export function simd(r: Random, bytes: number, lanes: Lanes): Uint8Array {
  const out = new Uint8Array(bytes);
  const view = new DataView(out.buffer);
  if (lanes === 'f32') {
    for (let i = 0; i < bytes; i += 4) view.setUint32(i, r.below(4) ? r.pick(F32) : float32(r), true);
  } else if (lanes === 'f64') {
    for (let i = 0; i < bytes; i += 8) view.setBigUint64(i, r.below(4) ? r.pick(F64) : float64(r), true);
  } else {
    const width = r.pick([8, 16, 32] as const);
    const step = width / 8;
    for (let i = 0; i < bytes; i += step) {
      const v = integer(r, width);
      if (step === 1) view.setUint8(i, v);
      else if (step === 2) view.setUint16(i, v, true);
      else view.setUint32(i, v, true);
    }
  }
  return out;
}

/** A random number of moderate size, so that sums and products round. */
function float32(r: Random): number {
  return ((r.below(2) << 31) | ((107 + r.below(40)) << 23) | r.below(1 << 23)) >>> 0;
}

function float64(r: Random): bigint {
  const high = ((r.below(2) << 31) | ((1003 + r.below(40)) << 20) | r.below(1 << 20)) >>> 0;
  return (BigInt(high) << 32n) | BigInt(r.u32());
}
