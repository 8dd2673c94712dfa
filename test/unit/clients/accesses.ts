// A client of one's own, for tests: counts accesses of guest memory by kind, sums up where they were, and marks them in a shadow of a byte for each eight of RAM.
import type { Client, MachineFacts, OptionTexts } from '../../../src/clients/client.ts';

export interface AccessReport {
  readonly reads: number;
  readonly writes: number;
  readonly both: number;
  readonly locked: number;
  readonly runBytes: number;
  /** Of all that are no runs, as all above. */
  readonly bytes: number;
  /** Sum of the physical addresses of all in RAM, modulo 2^32 for each. */
  readonly offsets: number;
  readonly outside: number;
  /** Physical addresses, rounded down to eight, with their marks: 1 read, 2 written, 4 by the second CPU. */
  readonly marked: Readonly<Record<string, number>>;
}

const AT = { reads: 0, writes: 8, both: 16, locked: 24, runBytes: 32, bytes: 40, offsets: 48, outside: 56 };

export default function accesses({ from }: OptionTexts, { ramBytes }: MachineFacts): Client {
  const first = Number(from ?? 0);
  return {
    room: { cpu: 64, shared: ramBytes / 8 + 1 },
    access(b, at) {
      const seen = b.ge_u(at.eip(), b.const(first));
      const offset = at.ramOffset();
      const bits = b.or(b.const((at.reads ? 1 : 0) | (at.writes ? 2 : 0)), b.shl(b.ne(b.cpuIndex(), b.const(0)), b.const(2)));
      b.mark(b.shr_u(offset, b.const(3)), b.mul(seen, bits));
      // A run may be made in parts.
      if (at.size === undefined) return b.countBy(AT.runBytes, b.mul(seen, at.bytes));
      b.countBy(at.locked ? AT.locked : at.reads && at.writes ? AT.both : at.reads ? AT.reads : AT.writes, seen);
      b.countBy(AT.bytes, b.mul(seen, at.bytes));
      const inside = b.lt_u(offset, b.const(ramBytes));
      b.countBy(AT.offsets, b.mul(b.and(seen, inside), offset));
      b.countBy(AT.outside, b.sub(seen, b.and(seen, inside)));
    },
    report(view): AccessReport {
      const counts = Object.fromEntries(Object.entries(AT).map(([name, at]) => [name, view.counter(0, at)])) as unknown as AccessReport;
      const marked: Record<string, number> = {};
      view.sharedRoom.forEach((bits, n) => {
        if (bits !== 0) marked[`0x${(n * 8).toString(16)}`] = bits;
      });
      return { ...counts, marked };
    },
  };
}
