// What the stress program leaves on its disk (files.c): each worker's area, with a pattern that is computed here again.
export const SECTOR = 512;
const AREA = 201 * SECTOR;
const MAGIC = 0x73657274;

/** Bytes that a disk for so many CPUs has. */
export const diskBytes = (cpus: number) => (cpus + 2) * AREA;

/** As in files.c. */
function pattern(worker: number, generation: number, position: number): number {
  let h = Math.imul(worker + 1, 0x9e3779b1) + Math.imul(generation, 0x85ebca6b) + Math.imul(position >>> 2, 0xc2b2ae35);
  h ^= h >>> 15;
  return (h >>> (8 * (position & 3))) & 0xff;
}

/** What is wrong with a disk after a run of the stress on `cpus` CPUs; empty if nothing is. */
export function diskErrors(disk: Uint8Array, cpus: number): string[] {
  const errors: string[] = [];
  const view = new DataView(disk.buffer, disk.byteOffset, disk.byteLength);
  for (let worker = 0; worker < cpus; worker++) {
    const area = (worker + 1) * AREA;
    const [magic, number, generation, bytes] = [0, 4, 8, 12].map((at) => view.getUint32(area + at, true));
    if (magic !== MAGIC || number !== worker || bytes !== AREA - SECTOR) {
      errors.push(`worker ${worker}: no header at ${area}`);
      continue;
    }
    for (let at = SECTOR; at < AREA; at++) {
      const wanted = pattern(worker, generation, at);
      if (disk[area + at] === wanted) continue;
      errors.push(`worker ${worker}: ${disk[area + at]} at ${area + at}, not ${wanted}`);
      break;
    }
  }
  if (disk.subarray(0, AREA).some((byte) => byte !== 0)) errors.push('the first area was written to');
  if (disk.subarray((cpus + 1) * AREA).some((byte) => byte !== 0)) errors.push('the last area was written to');
  return errors;
}
