// Boots Linux and prints the lines of its console that match a pattern, with the guest's time at each; stops at the shell's prompt, or at a panic.
//
//     node scripts/with-node.mjs examples/api/boot-and-grep.ts [PATTERN [KERNEL INITRD]]
import { Machine, MiB } from '../../src/api/index.ts'; // with the package installed: from 'dragoman'
import { PROMPT, readGuest } from '../guest.ts';

const [pattern = 'cpu|smp', ...files] = process.argv.slice(2);
const wanted = new RegExp(pattern, 'i');
const guest = readGuest(files);

await using machine = await Machine.create({ ...guest, append: 'console=ttyS0 loglevel=7', memoryBytes: 128 * MiB, cpus: 2 });
machine.addEventListener('panic', ({ text }) => {
  console.error(`panic: ${text}`);
  process.exitCode = 1;
});
const run = machine.run();

const decoder = new TextDecoder('latin1');
let rest = '';
for await (const bytes of machine.console.readable) {
  const lines = (rest + decoder.decode(bytes, { stream: true })).split(/\r?\n/);
  rest = lines.pop()!;
  for (const line of lines) if (wanted.test(line)) console.log(line);
  if (rest.includes(PROMPT) || process.exitCode !== undefined) break;
}
machine.stop('seen enough');
await run;
