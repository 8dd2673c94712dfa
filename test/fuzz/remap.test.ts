// Found by the fuzzer as a difference in an Accessed bit, shown here for what it was: a block whose last instruction runs into
// the next page is that block only as long as the next page is mapped where it was, however it is reached.
import { expect, test } from 'vitest';
import { engineNames, openEngine } from '../harness/engine.ts';

const HLT = 0xf4;
const le = (v: number): number[] => [0, 8, 16, 24].map((shift) => (v >>> shift) & 0xff);
const ENTRY = 0x10f00;
const RESULTS = 0x30000;

test.each(engineNames)('%s: a page-crossing instruction sees the page that is mapped now', async (name) => {
  const engine = await openEngine(name);
  engine.reset();
  const directory = Uint32Array.of(0x2007);
  const table = Uint32Array.from({ length: 64 }, (_, page) => (page << 12) | 7);
  engine.writeMemory(0x1000, new Uint8Array(directory.buffer));
  engine.writeMemory(0x2000, new Uint8Array(table.buffer));
  const page = new Uint8Array(0x1000).fill(HLT);
  // xor edx, edx; jmp +: a jump to the crossing instruction, in a block of its own
  page.set([0x31, 0xd2, 0xe9, ...le(0xffd - 0xf07)], 0xf00);
  // xor dword [PTE of page 0x11], 0x3000; mov eax, cr3; mov cr3, eax; dec ecx; jz end; jmp ENTRY
  page.set([0x81, 0x35, ...le(0x2000 + 4 * 0x11), ...le(0x3000), 0x0f, 0x20, 0xd8, 0x0f, 0x22, 0xd8, 0x49, 0x74, 0x02, 0xeb, 0xab], 0xf40);
  // mov eax, 0x44??2211, cut after two bytes of the immediate
  page.set([0xb8, 0x11, 0x22], 0xffd);
  engine.writeMemory(0x10000, page);
  for (const [at, byte] of [
    [0x11000, 0x33],
    [0x12000, 0x77],
  ]) {
    // ... mov [ecx*4 + RESULTS], eax; jmp 0x10f40
    const second = new Uint8Array(0x1000).fill(HLT);
    second.set([byte, 0x44, 0x89, 0x04, 0x8d, ...le(RESULTS), 0xe9, ...le(0xf40 - 0x100e)]);
    engine.writeMemory(at, second);
  }
  engine.setState({ cr3: 0x1000, cr0: 0x80000011, eip: ENTRY, gpr: Uint32Array.of(0, 6, 0, 0, 0x20000, 0, 0, 0) });
  expect(engine.run({ faults: 'stop' }).reason).toBe('halted');
  const seen = [...new Uint32Array(engine.readMemory(RESULTS + 4, 24).slice().buffer)].reverse();
  expect(seen.map((v) => v.toString(16))).toEqual(['44332211', '44772211', '44332211', '44772211', '44332211', '44772211']);
});
