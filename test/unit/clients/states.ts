// A client of one's own, for tests: what exact state its calls find, as a hash of EIP, flags and registers at each instruction, each access of memory and each branch, and how many there were.
import type { Client, OptionTexts } from '../../../src/clients/client.ts';

export interface StatesReport {
  /** By kind of hook. */
  readonly calls: readonly [instructions: number, accesses: number, branches: number];
  readonly hashes: readonly [instructions: number, accesses: number, branches: number];
}

const KINDS = 3;

export default function states({ exact, from, to }: OptionTexts): Client {
  return {
    room: { cpu: KINDS * 8 },
    exactState: exact !== 'no',
    ranges: from === undefined ? undefined : [[Number(from), Number(to)]],
    instruction: (b, at) => b.callIf(at.fresh(), 0),
    access: (b, at) => b.callIf(at.fresh(), 1, at.address, b.const((at.reads ? 1 : 0) | (at.writes ? 2 : 0))),
    branch: (b, at) => b.callIf(b.const(1), 2, at.to()!),
    called(view, { cpu, number, eip, eflags, values }) {
      const { buffer, byteOffset } = view.cpuRoom(cpu);
      const words = new Uint32Array(buffer, byteOffset, KINDS * 2);
      words[number * 2]! += 1;
      let hash = words[number * 2 + 1]!;
      // FNV-1a, by words.
      for (const word of [eip, eflags, ...values, ...Array.from({ length: 8 }, (_, n) => view.register(cpu, n))])
        hash = Math.imul(hash ^ word, 0x01000193) >>> 0;
      words[number * 2 + 1] = hash;
    },
    report(view): StatesReport {
      const { buffer, byteOffset } = view.cpuRoom(0);
      const words = Array.from(new Uint32Array(buffer, byteOffset, KINDS * 2));
      const of = (at: number) => [words[at]!, words[at + 2]!, words[at + 4]!] as const;
      return { calls: of(0), hashes: of(1) };
    },
  };
}
