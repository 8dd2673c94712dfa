// Counts stores by size, of each CPU, and notes which pages of RAM were written to.
import type { MakeClient } from '../../src/clients/client.ts'; // with the package installed: from 'dragoman/clients'

const SIZES = [1, 2, 4, 8, 16];

const stores: MakeClient = (_options, { ramBytes }) => ({
  room: { cpu: 8 * SIZES.length, shared: ramBytes / 4096 + 1 },
  access(b, at) {
    if (!at.writes || at.size === undefined) return;
    b.count(8 * SIZES.indexOf(at.size));
    b.mark(b.shr_u(at.ramOffset(), b.const(12)), b.const(1));
  },
  report: (view) => ({
    bySize: Array.from({ length: view.cpus }, (_, cpu) => SIZES.map((_, n) => view.counter(cpu, 8 * n))),
    pages: view.sharedRoom.subarray(0, -1).reduce((sum, mark) => sum + mark, 0),
  }),
});
export default stores;
