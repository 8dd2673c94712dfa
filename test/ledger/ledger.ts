// Makes the texts of test/ledger: what common instructions and small functions become, in a region and in their handler.
import { decode } from '../../src/decode/decoder.ts';
import { instructionText } from '../../src/decode/text.ts';
import { addHandler } from '../../src/emit/interpreter/handlers.ts';
import { Emitter } from '../../src/emit/module.ts';
import { emitRegion, type RegionDemands } from '../../src/emit/region/region.ts';
import { Mode } from '../../src/layout/cpu.ts';
import { DIRECT_START } from '../../src/layout/memory.ts';
import { growRegion } from '../../src/translate/grow.ts';
import { type CFunction, type Entry, FUNCTIONS, INSTRUCTIONS, KERNEL, LOCKED } from './forms.ts';
import { countOperations, printFunction } from './wat.ts';

const MODE = Mode.CODE32 | Mode.FLAT;
/** Where the code lies; an encoding that is not valid is all around. */
const ENTRY = 0x1100;
const INVALID = [0x0f, 0x04];
/** All that code of kernels may rely on, with the direct map where Linux has it. */
const RELAXED: RegionDemands = { directOrigin: 0xc0000000 + DIRECT_START, precise: false, stack: true };

function pageWith(hex: string): Uint8Array {
  const page = new Uint8Array(0x1000).map((_, i) => INVALID[i & 1]);
  const code = Buffer.from(hex, 'hex');
  page.set(code, ENTRY & 0xfff);
  page.set(INVALID, (ENTRY & 0xfff) + code.length);
  return page;
}

interface Emitted {
  operations: number;
  lines: string[];
}

function emitted(write: (e: Emitter) => void): Emitted {
  const e = new Emitter({ texts: true });
  write(e);
  const text = e.text('code');
  return { operations: countOperations(text), lines: printFunction(text) };
}

function region(hex: string, demands: RegionDemands = {}): Emitted {
  const grown = growRegion(pageWith(hex), ENTRY, ENTRY, MODE);
  if (grown === undefined) throw new Error(`${hex} cannot be translated`);
  return emitted((e) => emitRegion(e, 'code', grown, (_phys, eip) => eip, demands));
}

function handler(hex: string): Emitted {
  const x = decode(Buffer.from(hex.padEnd(30, '0'), 'hex'), ENTRY, MODE);
  return emitted((e) => addHandler(e, 'code', x.form, x.spec!));
}

/** `lines` without what every region begins and ends with. */
function withoutFrame(lines: readonly string[], frame: readonly string[]): string[] {
  let from = 0;
  while (from < lines.length && lines[from] === frame[from]) from++;
  let end = 0;
  while (end < lines.length - from && lines.at(-1 - end) === frame.at(-1 - end)) end++;
  return lines.slice(from, lines.length - end);
}

const indented = (lines: readonly string[]) => lines.map((line) => `  ${line}\n`).join('');

function instructions(entries: readonly Entry[], frame: Emitted, atomic = false): string {
  return entries
    .map(({ name, hex }) => {
      const r = region(hex, { atomic });
      const body = withoutFrame(r.lines, frame.lines);
      return `${name} (${hex}): handler ${handler(hex).operations}, region ${r.operations - frame.operations}\n${indented(body)}`;
    })
    .join('\n');
}

function cFunction({ name, source, hex, atomic = false }: CFunction, relaxed: RegionDemands = {}): string {
  const code = Buffer.from(hex, 'hex');
  const r = region(hex, { atomic, ...relaxed });
  let guest = 0;
  let listing = '';
  for (let at = 0; at < code.length; guest++) {
    const x = decode(Buffer.concat([code.subarray(at), Buffer.alloc(15)]), ENTRY + at, MODE);
    listing += `  ${(ENTRY + at).toString(16)}  ${instructionText(code.subarray(at), ENTRY + at, MODE)}\n`;
    at += x.length;
  }
  return `${name}: ${guest} instructions, region ${r.operations}${atomic ? ', for several CPUs' : ''}\n\n  ${source}\n\n${listing}\n${indented(r.lines)}`;
}

/** All files of the ledger: name and text. */
export function ledger(): Map<string, string> {
  const frame = region('90');
  const files = new Map<string, string>();
  const head = (of: string, where: string) =>
    `${of} (32-bit flat code), the operations of their handler, those that they add to a region${where}, and the region around one\nwithout the frame that every region has (frame.txt). See test/ledger/ledger.ts; \`npm run bless\` writes this file.\n\n`;
  for (const [family, entries] of Object.entries(INSTRUCTIONS))
    files.set(`${family}.txt`, head('Instructions', '') + instructions(entries, frame));
  files.set('locked.txt', head('Locked instructions', ' of a machine with several CPUs') + instructions(LOCKED, frame, true));
  files.set(
    'frame.txt',
    `The region of a NOP: what every region begins and ends with, ${frame.operations} operations.\n\n${indented(frame.lines)}`,
  );
  for (const f of FUNCTIONS) files.set(`function-${f.name}.txt`, cFunction(f));
  for (const f of KERNEL) files.set(`kernel-${f.name.replaceAll('_', '-')}.txt`, cFunction(f, RELAXED));
  return files;
}
