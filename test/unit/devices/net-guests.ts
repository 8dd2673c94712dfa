// Two guests of a few instructions with a network card each: one says that it listens, and shows what comes; the other one sends a frame.
import { kernel, out, SPIN } from '../machine/programs.ts';
import { DATA, descriptor, EXIT, offer, queue, show, start, store8, store32, USED, WRITE, waitFor16 } from './virtio-guest.ts';

const HEADER = 12;
const end = out(EXIT, 1) + SPIN;

/** Shows 1 when it listens, then the first six bytes of the frame that comes. */
export const LISTENS = kernel(
  start(256),
  descriptor(0, 0, DATA + 0x1000, 1526, WRITE),
  offer(0, 1),
  store8(DATA, 1),
  show(DATA),
  waitFor16(queue(0, USED) + 2, 1),
  ...[0, 1, 2, 3, 4, 5].map((at) => show(DATA + 0x1000 + HEADER + at)),
  end,
);
/** Sends a frame of 60 bytes, which begins with SENT. */
export const SENDS = kernel(
  start(256),
  descriptor(1, 0, DATA, HEADER + 60),
  store32(DATA + HEADER, 0x44332211),
  store32(DATA + HEADER + 4, 0x88776655),
  offer(1, 1),
  waitFor16(queue(1, USED) + 2, 1),
  end,
);
export const SENT = [0x11, 0x22, 0x33, 0x44, 0x55, 0x66];
