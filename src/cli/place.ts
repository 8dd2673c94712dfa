// A place in the guest as its user writes it: an address, or a name of the kernel's.
import { parseInteger, refuse } from '../api/kind.ts';

/** One past the last linear address. */
const END = 2 ** 32;

/** An address, or a name that somebody knows or does not. Refuses what looks like hexadecimal digits without 0x: 'c0100000' is no name, and '100000' is decimal. */
export function parsePlace(text: string, option: string): number | string {
  const value = parseInteger(text);
  if (value !== undefined) return value < END ? value : refuse(option, `'${text}' is not a 32-bit address such as 0x100000`);
  if (/^[0-9a-f]*\d[0-9a-f]*$/i.test(text) && (/^\d/.test(text) || text.length >= 6))
    return refuse(option, `'${text}' is neither an address nor a name; is 0x${text} meant?`);
  if (text === '' || /^\d|\s/.test(text)) return refuse(option, `'${text}' is neither an address such as 0x100000 nor a name`);
  return text;
}
