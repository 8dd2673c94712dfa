// ELF files with a dynamic section and nothing that runs, for the tests of who reads them.
const BASE = 0x400000;

/** Its texts are loaded elsewhere than where they are in the file. */
export function elf({ needed = [], interpreter }: { needed?: readonly string[]; interpreter?: string }): Buffer {
  const [header, segment] = [52, 32];
  const kinds = [1, ...(needed.length === 0 ? [] : [2]), ...(interpreter === undefined ? [] : [3])];
  const interpAt = header + segment * kinds.length;
  const dynamicAt = interpAt + (interpreter === undefined ? 0 : interpreter.length + 1);
  const dynamicBytes = 8 * (needed.length + 2);
  const stringsAt = dynamicAt + dynamicBytes;
  const strings = Buffer.from(['', ...needed].map((name) => `${name}\0`).join(''), 'latin1');
  const file = Buffer.alloc(stringsAt + strings.length);
  file.write('\x7fELF\x01\x01\x01', 'latin1');
  file.writeUInt16LE(3, 18);
  file.writeUInt32LE(header, 28);
  file.writeUInt16LE(segment, 42);
  file.writeUInt16LE(kinds.length, 44);
  for (const [k, kind] of kinds.entries()) {
    const [offset, bytes] = [
      [0, file.length],
      [dynamicAt, dynamicBytes],
      [interpAt, (interpreter ?? '').length + 1],
    ][kind - 1]!;
    for (const [at, value] of [kind, offset!, BASE + offset!, 0, bytes!].entries())
      file.writeUInt32LE(value, header + k * segment + 4 * at);
  }
  if (interpreter !== undefined) file.write(interpreter, interpAt, 'latin1');
  let at = dynamicAt;
  const entry = (tag: number, value: number) => {
    file.writeUInt32LE(tag, at);
    file.writeUInt32LE(value, at + 4);
    at += 8;
  };
  for (const name of needed) entry(1, strings.indexOf(`\0${name}\0`, 0, 'latin1') + 1);
  if (needed.length > 0) entry(5, BASE + stringsAt);
  strings.copy(file, stringsAt);
  return file;
}
