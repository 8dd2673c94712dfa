// A client of one's own, for tests: ways between the privilege levels as the runtime counts them inline, and as calls of JavaScript tell of them.
import { CrossedBy } from '../../../src/api/exports/clients.ts';
import type { Client } from '../../../src/clients/client.ts';

/** By where to, and what by ('kernel exception 14'): how often, and the sum of EIPs modulo 2^32. */
type Ways = Readonly<Record<string, readonly [count: number, eips: number]>>;
export interface WaysReport {
  readonly inline: readonly Ways[];
  readonly called: readonly Ways[];
  /** By CPU: the sum of EAX, modulo 2^32, at ways into the kernel without a vector. */
  readonly eax: readonly number[];
}

const BY: Readonly<Record<string, number>> = CrossedBy;
const NAMES = Object.keys(CrossedBy).map((name) => name.toLowerCase());
const VECTORS = 256;
const OF_LEVEL = NAMES.length * VECTORS;
const INLINE = { count: 0, eips: 2 * OF_LEVEL * 8 };
const CALLED = 4 * OF_LEVEL * 8;
const EAX = CALLED + 4 * OF_LEVEL * 8;

export default function ways(): Client {
  return {
    room: { cpu: EAX + 8 },
    crossing(b, at) {
      const level = at.to === 'kernel' ? 0 : OF_LEVEL;
      const index = b.add(b.const(level), b.add(b.mul(at.by(), b.const(VECTORS)), at.vector()));
      b.countAt(INLINE.count, index);
      const place = b.shl(index, b.const(3));
      b.storeCpu(4, INLINE.eips, b.add(b.loadCpu(4, INLINE.eips, place), at.eip()), place);
      if (at.to === 'kernel') b.storeCpu(4, EAX, b.add(b.loadCpu(4, EAX), b.mul(b.eqz(at.by()), at.register(0))));
    },
    crossed(view, { cpu, to, delivery }) {
      const by = delivery === undefined ? BY.NO_VECTOR! : BY[delivery.by.toUpperCase()]!;
      const index = (to === 'kernel' ? 0 : OF_LEVEL) + by * VECTORS + (delivery?.vector ?? 0);
      const room = view.cpuRoom(cpu);
      const words = new Uint32Array(room.buffer, room.byteOffset + CALLED);
      words[index * 2]! += 1;
      words[(2 * OF_LEVEL + index) * 2]! += delivery?.eip ?? 0;
    },
    report(view): WaysReport {
      const of = (cpu: number, from: number): Ways => {
        const found: Record<string, readonly [number, number]> = {};
        for (let n = 0; n < 2 * OF_LEVEL; n++) {
          const count = view.counter(cpu, from + n * 8);
          const name = `${n < OF_LEVEL ? 'kernel' : 'user'} ${NAMES[Math.floor(n / VECTORS) % NAMES.length]} ${n % VECTORS}`;
          if (count > 0) found[name] = [count, view.counter(cpu, from + (2 * OF_LEVEL + n) * 8)];
        }
        return found;
      };
      const cpus = Array.from({ length: view.cpus }, (_, cpu) => cpu);
      return {
        inline: cpus.map((cpu) => of(cpu, 0)),
        called: cpus.map((cpu) => of(cpu, CALLED)),
        eax: cpus.map((cpu) => view.counter(cpu, EAX)),
      };
    },
  };
}
