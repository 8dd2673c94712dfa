// The client crossings: how often each CPU comes from a program into the kernel, and by what: system calls, page faults, other exceptions, interrupts. Nothing is added to the guest's code: the
// CPU's thread is told of each way between the levels.
import type { Client, Crossing } from './client.ts';
import type { ClientView } from './view.ts';

/** Ways into the kernel from CPL 3. */
export interface CrossingCounts {
  /** By an instruction: INT n, SYSENTER, or a call gate. */
  readonly systemCalls: number;
  readonly pageFaults: number;
  /** Exceptions but page faults. */
  readonly otherFaults: number;
  /** External ones, and NMIs. */
  readonly interrupts: number;
}

/** What it reports: of all CPUs together, and of each. */
export interface CrossingsReport extends CrossingCounts {
  readonly cpus: readonly CrossingCounts[];
}

const PAGE_FAULT = 14;
/** Doubles of a CPU's room, of which nobody else writes any. */
const AT = { systemCalls: 0, pageFaults: 1, otherFaults: 2, interrupts: 3 } as const satisfies Record<keyof CrossingCounts, number>;
const KINDS = Object.keys(AT) as (keyof CrossingCounts)[];

function kindOf(delivery: Crossing['delivery']): keyof CrossingCounts {
  if (delivery === undefined || delivery.by === 'instruction') return 'systemCalls';
  if (delivery.by === 'interrupt') return 'interrupts';
  return delivery.vector === PAGE_FAULT ? 'pageFaults' : 'otherFaults';
}

export default function crossings(): Client {
  const known = new WeakMap<ClientView, readonly Float64Array[]>();
  const roomsOf = (view: ClientView): readonly Float64Array[] => {
    let rooms = known.get(view);
    if (rooms === undefined) {
      rooms = Array.from({ length: view.cpus }, (_, cpu) => {
        const { buffer, byteOffset } = view.cpuRoom(cpu);
        return new Float64Array(buffer, byteOffset, KINDS.length);
      });
      known.set(view, rooms);
    }
    return rooms;
  };
  return {
    room: { cpu: KINDS.length * 8 },
    crossed(view, { cpu, to, delivery }) {
      if (to === 'kernel') roomsOf(view)[cpu]![AT[kindOf(delivery)]]!++;
    },
    report(view): CrossingsReport {
      const rooms = roomsOf(view);
      const countsOf = (count: (at: number) => number) =>
        Object.fromEntries(KINDS.map((kind) => [kind, count(AT[kind])])) as unknown as CrossingCounts;
      return {
        ...countsOf((at) => rooms.reduce((sum, room) => sum + room[at]!, 0)),
        cpus: rooms.map((room) => countsOf((at) => room[at]!)),
      };
    },
  };
}
