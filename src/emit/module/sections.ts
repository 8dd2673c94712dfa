// The sections of a binary that name what it imports and exports.
import type { CodeReader } from './code-reader.ts';

export const Section = { CUSTOM: 0, IMPORT: 2, EXPORT: 7 } as const;
const FUNCTION = 0;
const TABLE = 1;
const MEMORY = 2;

/** 'module.name' of the functions that are imported. */
export function importsAt(reader: CodeReader): string[] {
  const found: string[] = [];
  for (let left = reader.unsigned(); left > 0; left--) {
    const module = reader.text();
    const name = reader.text();
    const kind = reader.byte();
    if (kind === FUNCTION) {
      reader.unsigned();
      found.push(`${module}.${name}`);
    } else if (kind === TABLE) {
      reader.byte();
      if (reader.byte() & 1) reader.unsigned();
      reader.unsigned();
    } else if (kind === MEMORY) {
      if (reader.byte() & 1) reader.unsigned();
      reader.unsigned();
    } else throw new Error(`no import of kind ${kind} is expected`);
  }
  return found;
}

/** Exported functions: their names by their indices. */
export function exportsAt(reader: CodeReader): Map<number, string> {
  const found = new Map<number, string>();
  for (let left = reader.unsigned(); left > 0; left--) {
    const name = reader.text();
    const kind = reader.byte();
    const index = reader.unsigned();
    if (kind === FUNCTION) found.set(index, name);
  }
  return found;
}
