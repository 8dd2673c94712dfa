// What a VGA in text mode would show: characters and attributes in turn from B8000H on, in code page 437.
import { TEXT_MEMORY } from '../../layout/memory.ts';

const TEXT_BYTES = 0x8000;
const ROWS = 25;
const LOW = ' ☺☻♥♦♣♠•◘○◙♂♀♪♫☼►◄↕‼¶§▬↨↑↓→←∟↔▲▼';
const HIGH =
  '⌂ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■ ';

const character = (code: number): string => (code < 0x20 ? LOW[code] : code < 0x7f ? String.fromCharCode(code) : HIGH[code - 0x7f]);

/** The lines from byte `start` of text memory on, without spaces at their ends and without empty lines at the end. */
export function screenText(ram: Uint8Array, { columns, start }: { readonly columns: number; readonly start: number }): string {
  const line = (row: number) =>
    Array.from({ length: columns }, (_, column) =>
      character(ram[TEXT_MEMORY + ((start + 2 * (row * columns + column)) & (TEXT_BYTES - 1))]),
    );
  return Array.from({ length: ROWS }, (_, row) => line(row).join('').trimEnd())
    .join('\n')
    .trimEnd();
}
