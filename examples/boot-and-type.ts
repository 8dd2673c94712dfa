// Boots Linux, types a command at the shell's prompt, prints the answer, and switches the guest off.
//
//     node scripts/with-node.mjs examples/boot-and-type.ts [KERNEL INITRD]
import { Machine, MiB } from '../src/api/index.ts'; // with the package installed: from 'dragoman'
import { PROMPT, readGuest } from './guest.ts';

let printed = '';
let look = () => {};

/** Resolves with everything up to `text` as soon as the guest has printed it, and forgets that much. */
function waitFor(text: string): Promise<string> {
  return new Promise((resolve) => {
    look = () => {
      const at = printed.indexOf(text);
      if (at < 0) return;
      look = () => {};
      resolve(printed.slice(0, at));
      printed = printed.slice(at + text.length);
    };
    look();
  });
}

const machine = await Machine.create({
  ...readGuest(),
  append: 'console=ttyS0 quiet',
  memoryBytes: 128 * MiB,
  onConsole(bytes) {
    printed += Buffer.from(bytes).toString('latin1');
    look();
  },
});

// run() resolves when the guest is off, and rejects only for mistakes of ours: a guest that crashes is a result, too.
const end = machine.run().then((result) => {
  if (result.kind !== 'power-off') console.error(`the run ended early: ${JSON.stringify(result)}\n${printed}`);
  process.exit(result.kind === 'power-off' ? 0 : 1);
});

await waitFor(PROMPT);
machine.sendInput(Buffer.from('uname -a\n'));
await waitFor('\n'); // the echo of what was typed
console.log((await waitFor(PROMPT)).trim());
machine.sendInput(Buffer.from('poweroff -f\n'));
await end;
