// A guest of a few instructions that mounts a share and works in it: messages of 9P one after another, each when the one before is answered.
import { MessageWriter } from '../../../src/share/message.ts';
import { NO_FID, Open, T } from '../../../src/share/protocol.ts';
import { DATA, descriptor, offer, queue, show, start, store32, USED, WRITE, waitFor16 } from '../devices/virtio-guest.ts';
import { kernel, out, SPIN } from './programs.ts';

export const EXIT = 0xf4;
const NEXT = 1;
/** In guest RAM: the messages and the answers, each at its own place. */
const ROOM = 0x200;
const MESSAGES = DATA;
const ANSWERS = DATA + 0x8000;

function message(type: number, put: (to: MessageWriter) => unknown): Uint8Array {
  const to = new MessageWriter(type, type === T.VERSION ? 0xffff : 1);
  put(to);
  return to.finish();
}
function store(address: number, bytes: Uint8Array): string {
  const padded = new Uint8Array((bytes.length + 3) & ~3);
  padded.set(bytes);
  const words = new Int32Array(padded.buffer);
  return Array.from(words, (word, n) => store32(address + 4 * n, word)).join('');
}

const walk = (fid: number, ...names: string[]) =>
  message(T.WALK, (to) => {
    to.u32(0).u32(fid).u16(names.length);
    for (const name of names) to.text(name);
  });
const getAttributes = (fid: number) => message(T.GETATTR, (to) => to.u32(fid).u64(0x7ffn));

/** What it asks, in order; mounted means that it has an fid. */
const MOUNT = [
  message(T.VERSION, (to) => to.u32(8192).text('9P2000.L')),
  message(T.ATTACH, (to) => to.u32(0).u32(NO_FID).text('').text('').u32(0)),
];
const WORK = [
  walk(1, 'hello'),
  message(T.LOPEN, (to) => to.u32(1).u32(Open.READ)),
  message(T.READ, (to) => to.u32(1).u64(0n).u32(64)),
  getAttributes(1),
  walk(2),
  message(T.LCREATE, (to) => to.u32(2).text('made').u32(Open.WRITE).u32(0o644).u32(0)),
  message(T.WRITE, (to) => to.u32(2).u64(0n).u32(5).bytes(Buffer.from('guest'))),
  getAttributes(2),
  message(T.MKDIR, (to) => to.u32(0).text('folder').u32(0o755).u32(0)),
  walk(3),
  message(T.LOPEN, (to) => to.u32(3).u32(Open.READ)),
  message(T.READDIR, (to) => to.u32(3).u64(0n).u32(480)),
  getAttributes(0),
  message(T.STATFS, (to) => to.u32(0)),
];

function guest(messages: readonly Uint8Array[], ...end: string[]): Uint8Array {
  const steps = messages.map((bytes, n) => {
    const [at, answer] = [MESSAGES + n * ROOM, ANSWERS + n * ROOM];
    const parts = descriptor(0, 0, at, bytes.length, NEXT, 1) + descriptor(0, 1, answer, ROOM, WRITE);
    return store(at, bytes) + parts + offer(0, n + 1) + waitFor16(queue(0, USED) + 2, n + 1) + show(answer + 4);
  });
  return kernel(start(64, 1), ...steps, ...end);
}

/** Types of the answers that it shows. */
export const TYPES = [...MOUNT, ...WORK].map((bytes) => bytes[4]! + 1);
/** Works, and ends. */
export const WORKS = guest([...MOUNT, ...WORK], out(EXIT, 1) + SPIN);
/** Mounts it, and goes on. */
export const MOUNTS = guest(MOUNT, SPIN);
export const SPINS = kernel(SPIN);
