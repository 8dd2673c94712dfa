// Stops Linux each time that a process ends, says which CPU that was on and how it came there, and goes on.
//
//     node scripts/with-node.mjs examples/stop-and-look.ts [KERNEL INITRD]
import { Machine, MiB } from '../src/api/index.ts'; // with the package installed: from 'dragoman'
import { PROMPT, readGuest } from './guest.ts';

await using machine = await Machine.create({ ...readGuest(), append: 'console=ttyS0 quiet nokaslr', memoryBytes: 128 * MiB, cpus: 2 });
const run = machine.run();
const { console: terminal } = machine;
await terminal.until(PROMPT);

// The kernel's own list of its code's names: more than until() keeps.
let names = '';
machine.addEventListener('console', ({ bytes }) => {
  names += String.fromCharCode(...bytes);
});
await terminal.type("grep ' [tT] ' /proc/kallsyms\n");
await terminal.until('\n');
await terminal.until(PROMPT);
machine.loadSymbols(names);

let count = 0;
machine.addEventListener('breakpoint', ({ cpu }) => {
  const { registers, backtrace } = machine.cpus[cpu]!;
  const callers = backtrace(4).map(({ symbol, address }) => symbol ?? address.toString(16));
  console.log(`${++count}: CPU ${cpu}, stack ${registers.esp.toString(16)}: ${callers.join(' < ')}`);
});
machine.addEventListener('paused', () => machine.resume());
const exits = await machine.setBreakpoint('do_exit');
await terminal.type('ls / | head -1\n');
await terminal.until(PROMPT);
await exits.remove();

await terminal.type('poweroff -f\n');
await run;
