// Ways in which a driver breaks the rules of a queue, for every device: each makes it need a reset.
import { type Driver, IS_INDIRECT, NEXT, RAM_BYTES, WRITE } from './virtio-driver.ts';

type Break = (d: Driver, queue: number) => void;
const desc = (d: Driver, queue: number, index: number): number => d.rings[queue].desc + 16 * index;
export const BREAKS: Record<string, Break> = {
  'a head outside the table': (d, q) => d.offer(q, 8),
  'a jump of the index': (d, q) => d.view.setUint16(d.rings[q].avail + 2, 9, true),
  'an index that went backwards': (d, q) => d.view.setUint16(d.rings[q].avail + 2, 0xffff, true),
  'a chain that leads outside': (d, q) => {
    d.putDescriptor(desc(d, q, 0), d.room(4), WRITE | NEXT, 200);
    d.offer(q, 0);
  },
  'a chain that bites its tail': (d, q) => {
    d.putDescriptor(desc(d, q, 0), d.room(4), WRITE | NEXT, 1);
    d.putDescriptor(desc(d, q, 1), d.room(4), WRITE | NEXT, 0);
    d.offer(q, 0);
  },
  'a buffer behind RAM': (d, q) => {
    d.add(q, [{ address: RAM_BYTES - 8, length: 9, flags: WRITE }]);
  },
  'a buffer that wraps': (d, q) => {
    d.add(q, [{ address: 0xfffffff0, length: 0xffffffff, flags: WRITE }]);
  },
  'a buffer above 4 GiB': (d, q) => {
    d.putDescriptor(desc(d, q, 0), d.room(4), WRITE, 0, 1);
    d.offer(q, 0);
  },
  'a readable buffer behind a writable one': (d, q) => {
    d.add(q, [d.room(4), d.put(new Uint8Array(4))]);
  },
  'an indirect table in an indirect table': (d, q) => {
    const table = d.allocate(16);
    d.putDescriptor(table, { address: table, length: 16 }, IS_INDIRECT, 0);
    d.add(q, [{ address: table, length: 16, flags: IS_INDIRECT }]);
  },
  'an indirect table that goes on': (d, q) => {
    d.add(q, [{ address: d.allocate(16), length: 16, flags: IS_INDIRECT }, d.room(4)]);
  },
  'an indirect table of odd size': (d, q) => {
    d.add(q, [{ address: d.allocate(32), length: 17, flags: IS_INDIRECT }]);
  },
  'an empty indirect table': (d, q) => {
    d.add(q, [{ address: d.allocate(32), length: 0, flags: IS_INDIRECT }]);
  },
  'a huge indirect table': (d, q) => {
    d.add(q, [{ address: 0, length: 1025 * 16, flags: IS_INDIRECT }]);
  },
  'an indirect table outside RAM': (d, q) => {
    d.add(q, [{ address: RAM_BYTES - 16, length: 32, flags: IS_INDIRECT }]);
  },
  'an indirect table that is a loop': (d, q) => {
    const table = d.allocate(32);
    d.putDescriptor(table, d.room(4), WRITE | NEXT, 1);
    d.putDescriptor(table + 16, d.room(4), WRITE | NEXT, 1);
    d.add(q, [{ address: table, length: 32, flags: IS_INDIRECT }]);
  },
};
