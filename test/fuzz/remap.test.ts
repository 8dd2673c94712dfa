// Found by the fuzzer as differences in an Accessed bit, shown here for what they were: a block whose last instruction runs into
// the next page is that block only as long as the next page is mapped where it was, however it is reached; and where a block
// ends with its page, what follows is what is mapped there now.
import { expect, test } from 'vitest';
import { engineNames, openEngine } from '../harness/engine.ts';

const HLT = 0xf4;
const le = (v: number): number[] => [0, 8, 16, 24].map((shift) => (v >>> shift) & 0xff);
const ENTRY = 0x10f00;
const RESULTS = 0x30000;

/** `cut`: bytes of MOV EAX, 0x44??2211 that are in the first page. */
async function remap(name: (typeof engineNames)[number], cut: number): Promise<string[]> {
  const engine = await openEngine(name);
  engine.reset();
  const directory = Uint32Array.of(0x2007);
  const table = Uint32Array.from({ length: 64 }, (_, page) => (page << 12) | 7);
  engine.writeMemory(0x1000, new Uint8Array(directory.buffer));
  engine.writeMemory(0x2000, new Uint8Array(table.buffer));
  const page = new Uint8Array(0x1000).fill(HLT);
  // xor edx, edx; jmp +: a jump to the crossing instruction, in a block of its own
  page.set([0x31, 0xd2, 0xe9, ...le(0x1000 - (cut || 1) - 0xf07)], 0xf00);
  // xor dword [PTE of page 0x11], 0x3000; mov eax, cr3; mov cr3, eax; dec ecx; jz end; jmp ENTRY
  page.set([0x81, 0x35, ...le(0x2000 + 4 * 0x11), ...le(0x3000), 0x0f, 0x20, 0xd8, 0x0f, 0x22, 0xd8, 0x49, 0x74, 0x02, 0xeb, 0xab], 0xf40);
  // Where the instruction is not cut, a NOP ends the page.
  const move = (byte: number) => [0xb8, 0x11, 0x22, byte, 0x44];
  page.set(cut === 0 ? [0x90] : move(0).slice(0, cut), 0x1000 - (cut || 1));
  engine.writeMemory(0x10000, page);
  for (const [at, byte] of [
    [0x11000, 0x33],
    [0x12000, 0x77],
  ]) {
    // ... mov [ecx*4 + RESULTS], eax; jmp 0x10f40
    const second = new Uint8Array(0x1000).fill(HLT);
    const rest = move(byte!).slice(cut);
    second.set([...rest, 0x89, 0x04, 0x8d, ...le(RESULTS), 0xe9, ...le(0xf40 - 0x100c - rest.length)]);
    engine.writeMemory(at!, second);
  }
  engine.setState({ cr3: 0x1000, cr0: 0x80000011, eip: ENTRY, gpr: Uint32Array.of(0, 6, 0, 0, 0x20000, 0, 0, 0) });
  expect(engine.run({ faults: 'stop' }).reason).toBe('halted');
  const seen = [...new Uint32Array(engine.readMemory(RESULTS + 4, 24).slice().buffer)].reverse();
  return seen.map((v) => v.toString(16));
}

const ALTERNATING = ['44332211', '44772211', '44332211', '44772211', '44332211', '44772211'];

test.each(engineNames)('%s: a page-crossing instruction sees the page that is mapped now', async (name) => {
  expect(await remap(name, 3)).toEqual(ALTERNATING);
});

test.each(engineNames)('%s: behind the last instruction of a page comes the page that is mapped now', async (name) => {
  expect(await remap(name, 0)).toEqual(ALTERNATING);
});
