// A program that uses the package as others do: by its name. Runs serai (its file is the argument) up to the prompt.
import { readFileSync } from 'node:fs';
import { DragomanError, Machine } from 'dragoman';

let text = '';
const machine = await Machine.create({
  kernel: readFileSync(process.argv[2]),
  memoryBytes: 64 << 20,
  onConsole: (bytes) => {
    text += Buffer.from(bytes).toString();
    if (text.includes('serai> ')) machine.stop('seen');
  },
});
await machine.run();
process.stdout.write(text);
await Machine.create({ kernel: 1 }).catch((error) => {
  if (!(error instanceof DragomanError)) throw error;
});
