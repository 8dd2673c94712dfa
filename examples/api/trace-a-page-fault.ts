// Stops serai at a page fault of a new process, and follows it through the kernel and back: what was touched, the way through the handler, and the page that is there behind it.
//
//     node scripts/with-node.mjs examples/api/trace-a-page-fault.ts
import { readFile } from 'node:fs/promises';
import { Machine, MiB } from '../../src/api/index.ts'; // with the package installed: from 'dragoman'

const PROMPT = 'serai> ';
const hex = (value: number) => value.toString(16).padStart(8, '0');

await using machine = await Machine.create({
  kernel: await readFile(new URL('../serai/serai.elf', import.meta.url)),
  memoryBytes: 16 * MiB,
  lockstep: { paced: false },
});
const run = machine.run();
await machine.console.until(PROMPT);
await machine.pause();

// Where a page fault leads: gate 14 of the interrupt descriptor table (SDM vol. 3, 7.11).
const { registers, memory, translate, disassemble } = machine.cpus[0]!;
const gate = new DataView(memory.read(registers.idtr.base + 14 * 8, 8).buffer);
const handler = gate.getUint16(0, true) | (gate.getUint16(6, true) << 16);
const fault = await machine.setBreakpoint(handler >>> 0);
const hit = new Promise((resolve) => machine.addEventListener('paused', resolve, { once: true }));
await machine.resume();
await machine.console.type('run hello\r');
await hit;

// The processor has pushed the error code, and behind it where the fault was (SDM vol. 3, 7.13).
const stack = new DataView(memory.read(registers.esp, 8).buffer);
const [error, eip] = [stack.getUint32(0, true), stack.getUint32(4, true)];
const { cr2 } = registers;
const kind = `${error & 4 ? 'user' : 'kernel'} ${error & 2 ? 'write' : 'read'}, page ${error & 1 ? 'protected' : 'not present'}`;
console.log(`page fault at ${hex(cr2)} by the instruction at ${hex(eip)}: ${kind}`);
console.log(`before: ${translate(cr2) === undefined ? 'not mapped' : 'mapped'}`);
await fault.remove();

// Instruction by instruction, until the one that faulted is to be executed again; calls are shown.
let steps = 0;
let depth = 0;
while (registers.eip !== eip) {
  const [instruction] = await disassemble(undefined, 1);
  const { text, address, length } = instruction!;
  steps += await machine.step(0);
  if (text.startsWith('ret')) depth--;
  if (text.startsWith('call')) {
    depth++;
    if (registers.eip !== address + length) console.log(`${hex(address)} ${'  '.repeat(Math.max(depth, 0))}call ${hex(registers.eip)}`);
  }
}
const page = translate(cr2)!;
console.log(`behind ${steps} instructions: page ${hex(page.physical & -page.pageSize)}, ${page.writable ? 'writable' : 'read only'}`);
machine.stop('seen enough');
await run;
