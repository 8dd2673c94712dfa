// The BIOS data area at 0x400 and the extended one (EBDA), as a BIOS leaves them: where its serial port is, how much low memory there is,
// which screen (IBM PS/2 and Personal Computer BIOS Interface Technical Reference, section 3).
import { LOW_MEMORY_END } from '../boot/e820.ts';

/** Coprocessor; colour screen of 80 columns; one serial port. */
const EQUIPMENT = 0x0002 | 0x0020 | 0x0200;
const MODE_80X25 = 3;
const COLUMNS = 80;
const ROWS = 25;
const PAGE_BYTES = 0x1000;
const CRTC_PORT = 0x3d4;
const GLYPH_LINES = 16;

/** `ram` starts at guest physical 0. */
export function writeBiosData(ram: Uint8Array): void {
  const view = new DataView(ram.buffer, ram.byteOffset, ram.byteLength);
  const half = (at: number, value: number) => view.setUint16(at, value, true);
  ram.fill(0, 0x400, 0x500);
  half(0x400, 0x3f8);
  half(0x40e, LOW_MEMORY_END >> 4);
  half(0x410, EQUIPMENT);
  half(0x413, LOW_MEMORY_END >> 10);
  ram[0x449] = MODE_80X25;
  half(0x44a, COLUMNS);
  half(0x44c, PAGE_BYTES);
  half(0x463, CRTC_PORT);
  ram[0x484] = ROWS - 1;
  half(0x485, GLYPH_LINES);
  // The EBDA's size in KiB.
  ram[LOW_MEMORY_END] = 1;
}
