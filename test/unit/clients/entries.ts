// A client of one's own, for tests: how often the region at an EIP is entered, and blocks are begun there.
import type { Client, OptionTexts } from '../../../src/clients/client.ts';

export interface EntriesReport {
  readonly regions: number;
  readonly inRegions: number;
  readonly interpreted: number;
  /** Instructions, bytes and blocks of the region, times its entries. */
  readonly instructions: number;
  readonly bytes: number;
  readonly blocks: number;
  /** Calls at its entry that found EIP, and a register, as they are there. */
  readonly exact: number;
}

const AT = { regions: 0, inRegions: 8, interpreted: 16, instructions: 24, bytes: 32, blocks: 40, exact: 48 };

export default function entries({ at }: OptionTexts): Client {
  const place = Number(at);
  return {
    room: { cpu: 64 },
    region(b, { entry, instructions, bytes, blocks }) {
      if (entry !== place) return;
      b.count(AT.regions);
      b.count(AT.instructions, instructions);
      b.count(AT.bytes, bytes);
      b.count(AT.blocks, blocks.length);
      b.callExactIf(b.const(1), 0);
    },
    block(b, { engine, eip }) {
      b.countBy(engine === 'region' ? AT.inRegions : AT.interpreted, b.eq(eip(), b.const(place)));
    },
    called(view, { cpu, eip }) {
      // ESI has the EIP.
      if (eip !== place || view.register(cpu, 6) !== place) return;
      const room = view.cpuRoom(cpu);
      new BigUint64Array(room.buffer, room.byteOffset)[AT.exact / 8]! += 1n;
    },
    report: (view) => Object.fromEntries(Object.entries(AT).map(([name, at]) => [name, view.counter(0, at)])) as unknown as EntriesReport,
  };
}
