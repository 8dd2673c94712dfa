// `dragoman disasm`: finds the bytes at an address in a kernel and asks the translator to explain what it makes of them.
import { DragomanError } from '../api/errors.ts';
import { MiB } from '../api/options.ts';
import { contains } from '../machine/boot/bytes.ts';
import { checkSegments, isElf, readElf, toPhysical } from '../machine/boot/elf.ts';
import { loadKernel } from '../machine/boot/kernel.ts';
import type { DisasmArguments } from './arguments.ts';
import { readInput } from './inputs.ts';

/** Enough for every kernel's image; only what is written takes memory. */
const RAM_BYTES = 512 * MiB;

/** Code to explain: physical memory, and the EIP that its first instruction has. */
export interface CodeImage {
  readonly ram: Uint8Array;
  /** Guest physical address of the first instruction. */
  readonly physical: number;
  /** The same as the guest sees it: linear, with a flat CS. */
  readonly eip: number;
  readonly bits: 16 | 32;
}

/** The text for one region: x86, IR, Wasm. */
export type Explain = (image: CodeImage) => string | Promise<string>;

/** Memory as the loader leaves it, and the physical address that `address` means in this file. */
export function locate(kernel: Uint8Array, path: string, { address, bits }: DisasmArguments): CodeImage {
  const ram = new Uint8Array(RAM_BYTES);
  let physical: number | undefined = address;
  if (isElf(kernel)) {
    const { segments } = readElf(kernel);
    checkSegments(segments);
    for (const segment of segments) {
      if (segment.physical + segment.memoryBytes > ram.length)
        throw new DragomanError('OUT_OF_MEMORY', 'a segment lies above 512 MiB', path);
      ram.set(segment.data, segment.physical);
    }
    physical = toPhysical(segments, address);
  } else {
    const { image } = loadKernel(ram, { kernel, commandLine: '', ramBytes: RAM_BYTES });
    if (!image.some((range) => contains(range, address))) physical = undefined;
  }
  if (physical === undefined || physical >= ram.length) {
    throw new DragomanError('BAD_OPTION', `0x${address.toString(16)} lies outside the kernel's image`, 'ADDRESS');
  }
  return { ram, physical, eip: address, bits };
}

export async function disasm(args: DisasmArguments, explain: Explain): Promise<string> {
  const kernel = readInput(args.kernel, 'BAD_KERNEL');
  const text = await explain(locate(kernel, args.kernel, args));
  return text.endsWith('\n') ? text : `${text}\n`;
}
