// Counts the instructions of a system call: those that serai's kernel executes from SYSENTER to SYSEXIT, to the instruction, and the same each time as nothing else happens in between.
//
//     node scripts/with-node.mjs examples/api/count-a-system-call.ts
import { readFile } from 'node:fs/promises';
import { Machine, MiB } from '../../src/api/index.ts'; // with the package installed: from 'dragoman'

await using machine = await Machine.create({
  kernel: await readFile(new URL('../serai/serai.elf', import.meta.url)),
  memoryBytes: 16 * MiB,
  lockstep: { paced: false },
});
const run = machine.run();
await machine.console.until('serai> ');
// A process that does nothing but a system call, the one that does nothing (examples/serai/user/bench.c).
await machine.console.type('parallel call-sysenter 1000000\r');
await machine.console.until('\n');
await new Promise((resolve) => setTimeout(resolve, 200));
await machine.pause();

const { registers, disassemble } = machine.cpus[0]!;
for (let call = 0; call < 3; call++) {
  // To the instruction that calls. It says in EDX where the process goes on (examples/serai/user/abi.h).
  while ((await disassemble(undefined, 1))[0]!.text !== 'sysenter') await machine.step(0);
  const back = registers.edx;
  const counting = await machine.attach('inscount:exact=yes,level=kernel');
  const breakpoint = await machine.setBreakpoint(back);
  while (registers.eip !== back) await machine.step(0, 100_000);
  await breakpoint.remove();
  await counting.detach();
  const { kernel } = counting.report() as { kernel: number };
  console.log(`from SYSENTER to SYSEXIT: ${kernel} instructions of the kernel`);
}
machine.stop('counted');
await run;
