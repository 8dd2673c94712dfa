// Maps a ROM image as a PC's chip set does: its end at 4 GiB, its last 128 KiB also below 1 MiB. The CPU starts as RESET leaves it.
import { DragomanError } from '../../api/errors.ts';
import { CPUID_SIGNATURE } from '../../layout/features.ts';
import { LOW_ROM_BYTES, ROM_BYTES } from '../../layout/memory.ts';
import { hex } from './bytes.ts';
import { HIGH_MEMORY } from './e820.ts';
import { CR0_RESET, type EntryState, registers } from './entry.ts';

const GRAIN = 0x10000;
/** Bytes from the reset vector FFFFFFF0H to 4 GiB (SDM vol. 3, 10.1.4). */
const VECTOR_BYTES = 16;

/** Throws BAD_ROM where the image cannot be a ROM. */
export function checkRom(image: Uint8Array): void {
  const bad = (message: string): never => {
    throw new DragomanError('BAD_ROM', message, 'ROM image');
  };
  if (image.length === 0) bad('the file is empty');
  if (image.length > ROM_BYTES) bad(`${image.length} bytes; a ROM has at most ${ROM_BYTES} (1 MiB)`);
  if (image.length % GRAIN !== 0) bad(`${image.length} bytes; a ROM's size is a multiple of ${GRAIN} (64 KiB): truncated?`);
  const vector = image.subarray(image.length - VECTOR_BYTES);
  if (vector.every((byte) => byte === vector[0]) && (vector[0] === 0 || vector[0] === 0xff)) {
    bad(`no code at the reset vector: the last ${VECTOR_BYTES} bytes are all ${hex(vector[0])}`);
  }
}

/**
 * Copies the image to the end of `rom` (the machine maps the last byte of `rom` at FFFFFFFFH) and its last 128 KiB to the end of
 * the first megabyte of `ram`. Returns the reset state.
 */
export function loadRom(ram: Uint8Array, rom: Uint8Array, image: Uint8Array): EntryState {
  checkRom(image);
  if (image.length > rom.length) throw new DragomanError('BAD_ROM', `${image.length} bytes do not fit in ${rom.length}`, 'ROM image');
  rom.fill(0xff);
  rom.set(image, rom.length - image.length);
  const low = image.subarray(Math.max(0, image.length - LOW_ROM_BYTES));
  ram.set(low, HIGH_MEMORY - low.length);
  return {
    kind: 'rom',
    segments: 'reset',
    codeSelector: 0xf000,
    dataSelector: 0,
    eip: 0xfff0,
    image: [{ start: HIGH_MEMORY - low.length, end: HIGH_MEMORY }],
    eflags: 2,
    cr0: CR0_RESET,
    gpr: registers({ edx: CPUID_SIGNATURE }),
    gdt: undefined,
  };
}
