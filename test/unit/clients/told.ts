// A client of one's own, for tests: keeps the last accesses of memory from an address on, in their order, and counts them, from a store to a place until one to the word behind it.
import type { Client, OptionTexts } from '../../../src/clients/client.ts';
import { RING_HEAD, type Ring } from '../../../src/clients/room.ts';

export interface ToldReport {
  /** But runs, which may come in parts. */
  readonly accesses: number;
  readonly runBytes: number;
  /** Of them those that functions of the runtime have told of. */
  readonly told: number;
  /** And those of regions. */
  readonly translated: number;
  /** The last ones: 'rw 4 at 60000 kernel'. */
  readonly last: readonly string[];
  /** EIPs of the same. */
  readonly eips: readonly number[];
}

const COUNTS = 0;
const ALL = 8;
const TOLD = 16;
const RUN_BYTES = 24;
const TRANSLATED = 32;
const RING: Ring = { offset: 64, records: 256, words: 3 };
const READS = 1 << 16;
const WRITES = 1 << 17;
const USER = 1 << 18;

export default function told({ from, mark }: OptionTexts): Client {
  return {
    room: { cpu: RING.offset + RING_HEAD + RING.records * RING.words * 4 },
    access(b, at) {
      const isAt = (place: number) => b.and(b.eq(at.address, b.const(place)), b.const(at.writes ? 1 : 0));
      const counts = b.and(b.or(b.loadCpu(4, COUNTS), isAt(Number(mark))), b.eqz(isAt(Number(mark) + 4)));
      b.storeCpu(4, COUNTS, counts);
      const seen = b.and(counts, b.and(b.ge_u(at.address, b.const(Number(from))), b.ne(at.bytes, b.const(0))));
      if (at.size === undefined) b.countBy(RUN_BYTES, b.mul(seen, at.bytes));
      else {
        b.countBy(ALL, seen);
        if (at.engine !== 'interpreter') b.countBy(at.engine === 'runtime' ? TOLD : TRANSLATED, seen);
      }
      const how = (at.reads ? READS : 0) | (at.writes ? WRITES : 0) | (at.level === 'user' ? USER : 0);
      // One that is not seen is written over by the next.
      const count = b.loadCpu(4, RING.offset);
      b.record(RING, at.address, b.or(at.bytes, b.const(how)), at.eip());
      b.storeCpu(4, RING.offset, b.add(count, seen));
    },
    report(view): ToldReport {
      const { last } = view.records(0, RING);
      const lineOf = ([address, how]: readonly number[]) =>
        `${how! & READS ? 'r' : ''}${how! & WRITES ? 'w' : ''} ${how! & 0xffff} at ${address!.toString(16)} ${how! & USER ? 'user' : 'kernel'}`;
      return {
        accesses: view.counter(0, ALL),
        runBytes: view.counter(0, RUN_BYTES),
        told: view.counter(0, TOLD),
        translated: view.counter(0, TRANSLATED),
        last: last.map(lineOf),
        eips: last.map(([, , eip]) => eip!),
      };
    },
  };
}
