// Finds the very instruction of a kernel's boot behind which something holds for the first time, by halving: in lockstep a snapshot goes on to the bit as the machine did, so each half can be run again.
//
//     node scripts/with-node.mjs examples/api/bisect-a-boot.ts [paging|interrupts|page-faults]
import { readFile } from 'node:fs/promises';
import { type CpuHandle, Machine, type MachineHandle, MiB } from '../../src/api/index.ts'; // with the package installed: from 'dragoman'

/** What may be asked for, of the first CPU. */
const QUESTIONS: Readonly<Record<string, (cpu: CpuHandle) => boolean>> = {
  paging: ({ registers }) => registers.cr0 >>> 31 === 1,
  interrupts: ({ registers }) => ((registers.eflags >> 9) & 1) === 1,
  // Gate 14 of the interrupt descriptor table is present.
  'page-faults': ({ registers, memory, translate }) => {
    const gate = registers.idtr.base + 14 * 8;
    return registers.idtr.limit >= 14 * 8 + 7 && translate(gate) !== undefined && memory.read(gate + 5, 1)[0]! >= 0x80;
  },
};
const name = process.argv[2] ?? 'paging';
const holds = QUESTIONS[name];
if (holds === undefined) {
  console.error(`'${name}' is none of ${Object.keys(QUESTIONS).join(', ')}`);
  process.exit(2);
}

const lockstep = { paced: false };
const STRIDE = 1 << 20;
/** A machine that is paused before it goes on, for as long as `use` takes. */
async function paused<T>(machine: MachineHandle, use: (machine: MachineHandle) => Promise<T>): Promise<T> {
  try {
    const run = machine.run();
    await machine.pause();
    const result = await use(machine);
    machine.stop('looked at');
    await run;
    return result;
  } finally {
    await machine.close();
  }
}
const again = (snapshot: Uint8Array) => Machine.restore(snapshot, { paused: true });

const kernel = await readFile(new URL('../serai/serai.elf', import.meta.url));
let at = 0;
// In strides first, to a snapshot before which it does not hold, and one stride behind which it does.
let before = await paused(await Machine.create({ kernel, memoryBytes: 16 * MiB, lockstep, paused: true }), async (machine) => {
  for (;;) {
    const snapshot = await machine.snapshot();
    const steps = await machine.step(0, STRIDE);
    if (holds(machine.cpus[0]!)) return snapshot;
    if (steps < STRIDE) throw new Error(`the boot ends and '${name}' never held`);
    at += steps;
  }
});
// Then in halves of it.
for (let half = STRIDE / 2; half >= 1; half /= 2) {
  const later = await paused(await again(before), async (machine) => {
    await machine.step(0, half);
    return holds(machine.cpus[0]!) ? undefined : machine.snapshot();
  });
  if (later === undefined) continue;
  before = later;
  at += half;
}
await paused(await again(before), async ({ cpus }) => {
  const [cpu] = cpus;
  const [instruction] = await cpu!.disassemble(undefined, 1);
  console.log(`${name}: behind instruction ${at + 1}, at ${instruction!.address.toString(16)}: ${instruction!.text}`);
});
