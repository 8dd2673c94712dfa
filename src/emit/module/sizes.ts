// How many bytes the functions of a binary have, by the names that it exports them by.
import { CODE_SECTION, CodeReader, PREAMBLE_BYTES } from './code-reader.ts';
import { exportsAt, importsAt, Section } from './sections.ts';

/** Bytes of the bodies of exported functions, by name: locals and instructions. */
export function functionSizes(module: Uint8Array): Map<string, number> {
  let exported = new Map<number, string>();
  const bodies: number[] = [];
  let imported = 0;
  const reader = new CodeReader(module, PREAMBLE_BYTES);
  while (reader.at < module.length) {
    const section = reader.byte();
    const size = reader.unsigned();
    const end = reader.at + size;
    if (section === Section.IMPORT) imported = importsAt(reader).length;
    else if (section === Section.EXPORT) exported = exportsAt(reader);
    else if (section === CODE_SECTION)
      for (let left = reader.unsigned(); left > 0; left--) {
        const bytes = reader.unsigned();
        bodies.push(bytes);
        reader.at += bytes;
      }
    reader.at = end;
  }
  return new Map([...exported].map(([index, name]) => [name, bodies[index - imported]!]));
}
