// Boots Linux, types a command at the shell's prompt, prints the answer, and switches the guest off.
//
//     node scripts/with-node.mjs examples/boot-and-type.ts [KERNEL INITRD]
import { describeEnd, Machine, MiB } from '../src/api/index.ts'; // with the package installed: from 'dragoman'
import { PROMPT, readGuest } from './guest.ts';

// Closed when this program leaves the block, whatever happens.
await using machine = await Machine.create({ ...readGuest(), append: 'console=ttyS0 quiet', memoryBytes: 128 * MiB });
const run = machine.run();
const { console: terminal } = machine;

// Where the guest crashes or switches itself off, a wait ends with an error that says so and what was printed last.
await terminal.until(PROMPT);
await terminal.type('uname -a\n');
await terminal.until('\n'); // the echo of what was typed
console.log((await terminal.until(PROMPT)).before.trim());
await terminal.type('poweroff -f\n');

// A guest that crashes is a result, too: run() rejects only for mistakes of ours.
const end = await run;
if (end.kind !== 'power-off') {
  console.error(`the run ended early: ${describeEnd(end)}`);
  process.exitCode = 1;
}
