// Guests of a few instructions with a disk: they write to it, and read back what they wrote.
import { DATA, descriptor, offer, queue, show, start, store32, USED, WRITE, waitFor16 } from '../devices/virtio-guest.ts';
import { ECHO, kernel, out, SPIN } from './programs.ts';

export const SECTOR = 512;
export const EXIT = 0xf4;
const NEXT = 1;
const [IN, OUT] = [0, 1];
/** In guest RAM: a request's header, its status, what is written, and what was read. */
const [HEADER, STATUS, BACK] = [DATA + 0x800, DATA + 0x900, DATA + 0x1000];
const VALUE = 0x44332211;

const header = (type: number, sector: number) => store32(HEADER, type) + store32(HEADER + 8, sector);
const chain = (data: number, flags: number) =>
  descriptor(0, 0, HEADER, 16, NEXT, 1) + descriptor(0, 1, data, SECTOR, NEXT | flags, 2) + descriptor(0, 2, STATUS, 1, WRITE);
const answered = (requests: number) => waitFor16(queue(0, USED) + 2, requests);
const begin = start(64, 1);
const end = out(EXIT, 1) + SPIN;

/** Writes VALUE to the second sector, reads that back, and then the first one; shows each status and what it read. */
export const WRITES_AND_READS = kernel(
  begin,
  store32(DATA, VALUE),
  header(OUT, 1) + chain(DATA, 0) + offer(0, 1) + answered(1) + show(STATUS),
  header(IN, 1) + chain(BACK, WRITE) + offer(0, 2) + answered(2) + show(STATUS),
  ...[0, 1, 2, 3].map((at) => show(BACK + at)),
  header(IN, 0) + offer(0, 3) + answered(3) + show(STATUS) + show(BACK),
  end,
);
export const RIGHT = [0, 0, 0x11, 0x22, 0x33, 0x44, 0, 0x5a];
/** Reads the second sector, writes VALUE there, shows that it has, and echoes what is typed. */
export const READS_AND_WRITES = kernel(
  begin,
  store32(DATA, VALUE),
  header(IN, 1) + chain(BACK, WRITE) + offer(0, 1) + answered(1),
  header(OUT, 1) + chain(DATA, 0) + offer(0, 2) + answered(2) + show(STATUS) + ECHO,
  end,
);
/** Writes VALUE, echoes what is typed up to a q, and then shows what it reads back. */
export const WRITES_WAITS_AND_READS = kernel(
  begin,
  store32(DATA, VALUE),
  header(OUT, 1) + chain(DATA, 0) + offer(0, 1) + answered(1) + show(STATUS) + ECHO,
  header(IN, 1) + chain(BACK, WRITE) + offer(0, 2) + answered(2) + show(STATUS),
  ...[0, 1, 2, 3].map((at) => show(BACK + at)),
  end,
);
/** Hands 40 writes over at once, and ends the run. */
export const WRITES_AND_ENDS = kernel(begin, store32(DATA, VALUE), header(OUT, 1) + chain(DATA, 0) + offer(0, 40), end);
/** The same, and goes on. */
export const WRITES_AND_SPINS = kernel(begin, store32(DATA, VALUE), header(OUT, 1) + chain(DATA, 0) + offer(0, 3), SPIN);

/** A disk for them, and what they make of it. */
export const image = () => new Uint8Array(8 * SECTOR).fill(0x5a);
export function written(): Uint8Array<ArrayBuffer> {
  const bytes = image().fill(0, SECTOR, 2 * SECTOR);
  bytes.set([0x11, 0x22, 0x33, 0x44], SECTOR);
  return bytes;
}
