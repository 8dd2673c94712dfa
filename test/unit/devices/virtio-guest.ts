// Code of a guest that drives the first virtio device of a machine: hexadecimal, to be put together by kernel() (../machine/programs.ts).

/** The first device that is there: slot 2, its BAR where power-on puts the first one. */
export const SLOT = 2;
export const BAR = 0xfd000000;
const STATUS = BAR + 0x14;
export const NOTIFY = BAR + 0x3000;
export const EXIT = 0xf4;
/** Queues and buffers in guest RAM. */
export const DESC = 0x200000;
export const AVAIL = 0x201000;
export const USED = 0x202000;
const QUEUE_BYTES = 0x4000;
export const DATA = 0x210000;
export const WRITE = 2;

const le = (value: number, bytes: number): string =>
  Array.from({ length: bytes }, (_, i) => ((value / 2 ** (8 * i)) & 0xff).toString(16).padStart(2, '0')).join('');
export const store8 = (address: number, value: number): string => `c605${le(address, 4)}${le(value, 1)}`;
export const store16 = (address: number, value: number): string => `66c705${le(address, 4)}${le(value, 2)}`;
export const store32 = (address: number, value: number): string => `c705${le(address, 4)}${le(value >>> 0, 4)}`;
export const out32 = (port: number, value: number): string => `66ba${le(port, 2)}b8${le(value >>> 0, 4)}ef`;
/** Waits until the word at `address` is `value`: cmp word [address], value; jne back. */
export const waitFor16 = (address: number, value: number): string => `66833d${le(address, 4)}${le(value, 1)}75f6`;
/** Writes the byte at `address` to the debug console: mov al, [address]; out 0xe9, al. */
export const show = (address: number): string => `a0${le(address, 4)}e6e9`;

export const queue = (n: number, base: number): number => base + n * QUEUE_BYTES;

/** Drives the device at SLOT up to DRIVER_OK, with so many queues of `size` entries. */
export function start(size: number, queues = 2): string {
  const setUp = Array.from({ length: queues }, (_, n) =>
    [
      store16(BAR + 0x16, n),
      store16(BAR + 0x18, size),
      store32(BAR + 0x20, queue(n, DESC)),
      store32(BAR + 0x28, queue(n, AVAIL)),
      store32(BAR + 0x30, queue(n, USED)),
      store16(BAR + 0x1c, 1),
    ].join(''),
  );
  return [
    // Memory and bus mastering; features: VERSION_1 alone.
    out32(0xcf8, 0x80000004 + (SLOT << 11)),
    out32(0xcfc, 6),
    store8(STATUS, 0),
    store8(STATUS, 1),
    store8(STATUS, 3),
    store32(BAR + 8, 1),
    store32(BAR + 12, 1),
    store8(STATUS, 0xb),
    ...setUp,
    store8(STATUS, 0xf),
  ].join('');
}

export const descriptor = (n: number, index: number, address: number, length: number, flags = 0, next = 0): string =>
  [
    store32(queue(n, DESC) + 16 * index, address),
    store32(queue(n, DESC) + 16 * index + 8, length),
    store32(queue(n, DESC) + 16 * index + 12, flags | (next << 16)),
  ].join('');
/** All entries of the available ring are 0: so many requests of descriptor 0. */
export const offer = (n: number, requests: number): string => store16(queue(n, AVAIL) + 2, requests) + store32(NOTIFY + 4 * n, n);
