// A client of a page's own, as a module that Workers import: counts blocks.
import type { Client } from '../../src/clients/client.ts';

export default (): Client => ({
  room: { cpu: 8 },
  block: (b) => b.count(0),
  report: (view) => ({ blocks: Array.from({ length: view.cpus }, (_, cpu) => view.counter(cpu, 0)) }),
});
