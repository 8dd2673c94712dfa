// A client of one's own, for tests: what exact state its calls find, as a hash of EIP, flags and registers at instructions, accesses of memory and branches, of some stretches of the way, and how many of these
// there were in all.
import type { ClientBuilder } from '../../../src/clients/builder.ts';
import type { Client, OptionTexts } from '../../../src/clients/client.ts';
import type { Value } from '../../../src/ir/types.ts';

export interface StatesReport {
  /** By kind of hook. */
  readonly hooks: readonly [instructions: number, accesses: number, branches: number];
  readonly hashes: readonly [instructions: number, accesses: number, branches: number];
  /** Calls of all together. */
  readonly calls: number;
  /** Instructions in regions. */
  readonly translated: number;
}

const HOOKS = 0;
const HASHES = 32;
const CALLS = 56;
const TRANSLATED = 64;
/** Of so many instructions the first ones are looked at. */
const STRETCH = 1024;
const LOOKED_AT = 64;

export default function states({ exact, from, to }: OptionTexts): Client {
  const note = (b: ClientBuilder, kind: number, fresh: Value, ...values: readonly Value[]) => {
    b.countBy(HOOKS + kind * 8, fresh);
    const now = b.and(b.loadCpu(4, HOOKS), b.const(STRETCH - 1));
    b.callIf(b.and(fresh, b.lt_u(now, b.const(LOOKED_AT))), kind, ...values);
  };
  return {
    room: { cpu: 128 },
    exactState: exact !== 'no',
    ranges: from === undefined ? undefined : [[Number(from), Number(to)]],
    instruction(b, at) {
      note(b, 0, at.fresh());
      if (at.engine === 'region') b.count(TRANSLATED);
    },
    access: (b, at) => note(b, 1, at.fresh(), at.address, b.const((at.reads ? 1 : 0) | (at.writes ? 2 : 0))),
    branch: (b, at) => note(b, 2, b.const(1), at.to()!),
    called(view, { cpu, number, eip, eflags, values }) {
      const { buffer, byteOffset } = view.cpuRoom(cpu);
      const words = new Uint32Array(buffer, byteOffset, 32);
      const at = HASHES / 4 + number * 2;
      let hash = words[at]!;
      // FNV-1a, by words.
      for (const word of [eip, eflags, ...values, ...Array.from({ length: 8 }, (_, n) => view.register(cpu, n))])
        hash = Math.imul(hash ^ word, 0x01000193) >>> 0;
      words[at] = hash;
      words[CALLS / 4]! += 1;
    },
    report(view): StatesReport {
      const of = (at: number) => [0, 8, 16].map((n) => view.counter(0, at + n)) as unknown as readonly [number, number, number];
      return { hooks: of(HOOKS), hashes: of(HASHES), calls: view.counter(0, CALLS), translated: view.counter(0, TRANSLATED) };
    },
  };
}
