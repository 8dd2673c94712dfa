// Fuzzes a system call of a tiny kernel, guided by coverage: what an input does to the map of edges says whether it is worth keeping. A snapshot brings the machine back where the call has killed it, and in lockstep
// what it found happens again.
//
//     node scripts/with-node.mjs examples/api/fuzz-a-system-call.ts [SEED]
import { Machine, type MachineHandle, MiB } from '../../src/api/index.ts'; // with the package installed: from 'dragoman'

/** Where the host puts the call's arguments, and where the kernel waits for them. */
const ARGUMENTS = 0x300000;
const LOAD = 0x100000;
const READY = LOAD + 0x25;
const bytesOf = (hex: string): Uint8Array => Uint8Array.from(hex.match(/[0-9a-f]{2}/g)!, (byte) => Number.parseInt(byte, 16));
/** The kernel, with a multiboot header that says where it is loaded. Of its call three arguments together are a mistake: UD2, for which it has no handler. */
const kernel = bytesOf(
  `
  02b0ad1b 00000100 fe4f51e4 00001000 00001000 00000000 00000000 20001000
  bc00002000                    mov esp, 200000H
  90                     ready: nop
  be00003000                    mov esi, ARGUMENTS
  e802000000                    call system_call
  ebf3                          jmp ready
  ac 240f 3c03 7510 system_call: the first argument's low bits are not 3: out
  ac 240f 3c09 7509             the second one's not 9: out
  ac 240f 3c0e 7502             the third one's not 14: out
  0f0b                          ud2
  c3                       out: ret
`.replace(/^( *)((?:[0-9a-f]+ ?)+).*$/gm, '$2'),
);

/** Numbers that a seed decides (Marsaglia's xorshift). */
let state = Math.imul(Number(process.argv[2] ?? 1), 0x9e3779b1) || 1;
function random(below: number): number {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) % below;
}

/** A machine that waits at READY, and what calls its system call: the map of edges of that call, or undefined where the kernel died of it. */
async function waiting(machine: MachineHandle) {
  const run = machine.run();
  await machine.pause();
  await machine.setBreakpoint(READY);
  if (machine.cpus[0]!.registers.eip !== READY) await machine.step(0, 1000);
  const coverage = await machine.attach('coverage:format=map');
  const call = async (input: Uint8Array): Promise<Uint8Array | undefined> => {
    machine.memory.physical.write(ARGUMENTS, input);
    coverage.ask('clear');
    try {
      await machine.step(0, 1000);
      return coverage.ask('map') as Uint8Array;
    } catch {
      return undefined;
    }
  };
  const close = async () => {
    machine.stop('fuzzed');
    await run;
    await machine.close();
  };
  return { machine, call, close };
}

let guest = await waiting(await Machine.create({ kernel, memoryBytes: 8 * MiB, lockstep: { paced: false }, paused: true }));
const snapshot = await guest.machine.snapshot();
const again = async () => {
  await guest.close();
  guest = await waiting(await Machine.restore(snapshot, { paused: true }));
};

/** How often an edge was run, as fuzzers tell it apart: 1, 2, 3, 4 to 7, 8 to 15 ... */
const bucket = (hits: number): number => (hits < 4 ? hits : 32 - Math.clz32(hits) + 1);
const known = new Set<number>();
/** Whether a map has something that none had before. */
function isNew(map: Uint8Array): boolean {
  const before = known.size;
  map.forEach((hits, place) => hits !== 0 && known.add(place * 16 + bucket(hits)));
  return known.size > before;
}

const corpus: Uint8Array[] = [new Uint8Array(4)];
isNew((await guest.call(corpus[0]!))!);
for (let runs = 1; runs < 20_000; runs++) {
  const input = corpus[random(corpus.length)]!.slice();
  for (let changes = 1 + random(2); changes > 0; changes--) input[random(input.length)] = random(256);
  const map = await guest.call(input);
  if (map !== undefined) {
    if (!isNew(map)) continue;
    corpus.push(input);
    console.log(`run ${runs}: [${input}] goes a new way, ${known.size} in all`);
    continue;
  }
  console.log(`run ${runs}: [${input}] kills the kernel`);
  await again();
  console.log(`again from the snapshot: ${(await guest.call(input)) === undefined ? 'killed' : 'it lives'}`);
  break;
}
await guest.close();
