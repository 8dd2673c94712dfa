// The IR of every region that the JIT would make of a case, through the verifier behind each pass.
import { growRegion } from '../../src/translate/grow.ts';
import { translate } from '../../src/translate/pipeline.ts';
import { assemble, type Case, modeBits } from './case.ts';
import { firstEip } from './world.ts';

export function irProblems(c: Case): string[] {
  const eip = firstEip(c);
  const code = assemble(c, eip);
  if (code === undefined) return [];
  const found: string[] = [];
  const page = new Uint8Array(0x2000).fill(0xf4);
  page.set(code.bytes, c.start);
  for (const at of code.at) {
    const offset = c.start + at;
    const region = growRegion(page.subarray(offset & ~0xfff, (offset & ~0xfff) + 0x1000), eip + at, 0x200000 + offset, modeBits(c.mode));
    if (region === undefined) continue;
    try {
      translate(region, { verify: true });
    } catch (error) {
      found.push((error as Error).message);
    }
    if (at === 0 && found.length > 0) break;
  }
  return [...new Set(found)];
}
