// A client of one's own, for tests: counts branches by kind, keeps the last edges in a ring, is called for each return to an even EIP, and at each way into the kernel and out of it.

import type { Client, OptionTexts } from '../../../src/clients/client.ts';
import { RING_HEAD, type Ring } from '../../../src/clients/room.ts';

const KINDS = ['conditional', 'jump', 'call', 'return', 'far'] as const;
const TAKEN = 8 * KINDS.length;
const DIRECT = TAKEN + 8;
const CALLED = DIRECT + 8;
const EXACT = CALLED + 8;
const IN = EXACT + 8;
const OUT = IN + 8;
const VECTORS = OUT + 8;
const RING: Ring = { offset: VECTORS + 8 * 256, records: 8, words: 2 };

export interface BranchReport {
  readonly kinds: Readonly<Record<(typeof KINDS)[number], number>>;
  readonly taken: number;
  readonly direct: number;
  readonly edges: readonly (readonly number[])[];
  /** Calls; exact ones whose EIP and flags are those that were told. */
  readonly called: number;
  readonly exact: number;
  readonly into: number;
  readonly outOf: number;
  readonly vectors: Readonly<Record<string, number>>;
}

const add = (room: Uint8Array, at: number) => {
  const view = new DataView(room.buffer, room.byteOffset + at);
  view.setUint32(0, view.getUint32(0, true) + 1, true);
};

export default function branches({ calls, crossings }: OptionTexts): Client {
  return {
    room: { cpu: RING.offset + RING_HEAD + RING.records * RING.words * 4 },
    branch(b, at) {
      b.count(8 * KINDS.indexOf(at.kind));
      b.countBy(TAKEN, at.taken());
      if (at.direct) b.count(DIRECT);
      const to = at.to();
      if (to === undefined) return;
      b.record(RING, at.eip(), to);
      if (calls === undefined || at.kind !== 'return') return;
      b.callIf(b.eqz(b.and(to, b.const(1))), 1, at.eip(), to, at.register(1));
      b.callExactIf(b.const(1), 2, at.eip(), at.register(1));
    },
    called(view, { cpu, number, values: [eip, to], eip: exact, eflags }) {
      if (number === 1 && (to & 1) === 0) add(view.cpuRoom(cpu), CALLED);
      if (number === 2 && eip === exact && (eflags & 2) !== 0) add(view.cpuRoom(cpu), EXACT);
    },
    ...(crossings !== undefined && {
      crossed(view, { cpu, to, delivery }) {
        const room = view.cpuRoom(cpu);
        add(room, to === 'kernel' ? IN : OUT);
        if (delivery !== undefined) add(room, VECTORS + 8 * delivery.vector);
      },
    }),
    report(view): BranchReport {
      const vectors: Record<string, number> = {};
      for (let n = 0; n < 256; n++) if (view.counter(0, VECTORS + 8 * n) > 0) vectors[n] = view.counter(0, VECTORS + 8 * n);
      return {
        kinds: Object.fromEntries(KINDS.map((kind, n) => [kind, view.counter(0, 8 * n)])) as BranchReport['kinds'],
        taken: view.counter(0, TAKEN),
        direct: view.counter(0, DIRECT),
        edges: view.records(0, RING).last,
        called: view.counter(0, CALLED),
        exact: view.counter(0, EXACT),
        into: view.counter(0, IN),
        outOf: view.counter(0, OUT),
        vectors,
      };
    },
  };
}
