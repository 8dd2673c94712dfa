// What `dragoman disasm` shows: the region of code at an address as x86, as IR, and as the WebAssembly that it becomes.

import { instructionText, instructionTexts } from '../decode/text.ts';
import { Emitter } from '../emit/module.ts';
import { emitRegion } from '../emit/region/region.ts';
import { print } from '../ir/print.ts';
import { Mode } from '../layout/cpu.ts';
import { PAGE } from '../layout/memory.ts';
import { growRegion, type Region } from '../translate/grow.ts';
import { translate } from '../translate/pipeline.ts';
import type { CodeImage, NameOf } from './disasm.ts';

const hex = (n: number) => (n >>> 0).toString(16).padStart(8, '0');
const bytesText = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
const indent = (text: string, by: string) => text.replace(/^(?=.)/gm, by);

/** Blocks in the order of their addresses, with the bytes of an instruction. */
class Listing {
  readonly blocks;
  private readonly region: Region;
  private readonly page: Uint8Array;
  constructor(region: Region, page: Uint8Array) {
    this.region = region;
    this.page = page;
    this.blocks = [...region.blocks.values()].sort((a, b) => (a.eip >>> 0) - (b.eip >>> 0));
  }

  private bytes(eip: number, length: number): Uint8Array {
    const at = (this.region.phys & (PAGE - 1)) + ((eip - this.region.entry) | 0);
    return this.page.subarray(at, at + length);
  }

  text(eip: number, length: number): string {
    return instructionText(this.bytes(eip, length), eip, this.region.mode);
  }

  x86(): string {
    return this.blocks
      .map((block) => {
        const lines = block.instructions.map((x) => `  ${bytesText(this.bytes(x.eip, x.length)).padEnd(30)} ${this.text(x.eip, x.length)}`);
        return [`${hex(block.eip)}:`, ...lines].join('\n');
      })
      .join('\n');
  }

  ir(): string {
    const { blocks } = translate(this.region, { copies: false }).ir;
    return this.blocks
      .map((block) => {
        const ops = blocks.get(block.id)!.ops.map((op) => (op.kind === 'insn' ? { ...op, text: this.text(op.eip, op.next - op.eip) } : op));
        return `${hex(block.eip)}:\n${indent(print({ ops }), '  ')}`;
      })
      .join('\n');
  }
}

/** x86, IR and WebAssembly of the region that starts at `eip`. */
export function explain({ ram, physical, eip, bits }: CodeImage): string {
  const mode = bits === 32 ? Mode.CODE32 | Mode.FLAT : 0;
  const page = ram.subarray(physical & ~(PAGE - 1), (physical & ~(PAGE - 1)) + PAGE);
  const region = growRegion(page, eip, physical, mode);
  if (region === undefined) {
    const text = instructionText(page.subarray(physical & (PAGE - 1)), eip, mode);
    return `${hex(eip)}: ${text}\nno region can start here: the interpreter runs this instruction\n`;
  }
  const listing = new Listing(region, page);
  const e = new Emitter({ texts: true });
  const slots = new Map<number, number>();
  emitRegion(e, 'region', region, (_phys, to) => {
    if (!slots.has(to)) slots.set(to, slots.size + 1);
    return slots.get(to)!;
  });
  const code = e.text('region');
  const { length } = e.finish();
  const exits = [...slots].map(([to, slot]) => `;; table slot ${slot}: ${hex(to)}\n`).join('');
  return [
    `region at ${hex(eip)} (physical ${hex(physical)}), ${bits}-bit: ${region.instructionCount} instructions, ${region.blocks.size} blocks`,
    `x86\n\n${listing.x86()}`,
    `IR\n\n${listing.ir()}`,
    `WebAssembly (a module of ${length} bytes)\n\n${exits}${code}`,
  ].join('\n\n');
}

/** Where a direct jump or call leads. */
const TARGET = /^(?:j\w+|call|loop\w*)\b.* 0x([0-9a-f]{8})$/;

/** The instructions of so many bytes, with the names of the code that they are in and lead to. */
export function listing({ ram, physical, eip, bits }: CodeImage, bytes: number, nameOf: NameOf): string {
  const code = ram.subarray(physical, physical + bytes);
  const lines: string[] = [];
  let at = 0;
  for (const { length, text } of instructionTexts(code, eip, bits, bytes)) {
    const name = nameOf(eip + at);
    if (name !== undefined && !name.includes('+0x')) lines.push(`${hex(eip + at)} <${name}>:`);
    const target = TARGET.exec(text)?.[1];
    const to = target === undefined ? undefined : nameOf(Number.parseInt(target, 16));
    const here = `  ${hex(eip + at)}  ${bytesText(code.subarray(at, at + length)).padEnd(30)} ${text}`;
    lines.push(to === undefined ? here : `${here} <${to}>`);
    at += length;
  }
  return lines.join('\n');
}
