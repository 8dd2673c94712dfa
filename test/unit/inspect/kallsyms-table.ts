// Tables of names as scripts/kallsyms.c of Linux writes them, for tests: the layouts of its versions.
import type { RawSymbol } from '../../../src/inspect/kallsyms.ts';

export interface Layout {
  /** Since 6.4 addresses come last. */
  readonly addressesLast?: boolean;
  /** The order by name: in 6.2 and 6.3 before the tokens, since 6.4 behind all. */
  readonly sequences?: 'before tokens' | 'last';
  /** Without CONFIG_KALLSYMS_BASE_RELATIVE. */
  readonly absolute?: boolean;
}
/** By the version of Linux that has it. */
export const LAYOUTS: Readonly<Record<string, Layout>> = {
  'Linux 5.0 to 6.1': {},
  'Linux 6.1, absolute': { absolute: true },
  'Linux 6.2': { sequences: 'before tokens' },
  'Linux 6.4': { addressesLast: true, sequences: 'last' },
  'Linux 6.4, absolute': { addressesLast: true, sequences: 'last', absolute: true },
};

/** Texts of tokens beside those of one character. */
const LONG = ['sched_', 'Tdo_', 'irq', 'tdo_', '_the_', 'ing', 'page'];

function tokenTexts(): string[] {
  const texts = Array.from({ length: 256 }, (_, n) => (/\w/.test(String.fromCharCode(n)) ? String.fromCharCode(n) : ''));
  LONG.forEach((text, n) => (texts[n < 4 ? n : 0x80 + n] = text));
  return texts;
}

/** The tokens of a text, the longest first. */
function compress(text: string, tokens: readonly string[]): number[] {
  const codes: number[] = [];
  for (let at = 0; at < text.length; ) {
    const here = tokens.filter((token) => token !== '' && text.startsWith(token, at)).toSorted((a, b) => b.length - a.length)[0]!;
    codes.push(tokens.indexOf(here));
    at += here.length;
  }
  return codes;
}

const aligned = (parts: readonly Uint8Array[]): Buffer => Buffer.concat(parts.flatMap((part) => [part, Buffer.alloc(-part.length & 3)]));
const words = (...all: number[]) => Buffer.from(Uint32Array.from(all).buffer);

/** `symbols` in the order of their addresses; `base`: what addresses are relative to. */
export function kallsymsTable(symbols: readonly RawSymbol[], base: number, { addressesLast, sequences, absolute }: Layout): Buffer {
  const tokens = tokenTexts();
  const names: number[] = [];
  const markers: number[] = [];
  symbols.forEach(({ kind, name }, n) => {
    if (n % 256 === 0) markers.push(names.length);
    const codes = compress(kind + name, tokens);
    names.push(...(codes.length > 0x7f ? [0x80 | (codes.length & 0x7f), codes.length >> 7] : [codes.length]), ...codes);
  });
  const starts = tokens.map((_, n) => tokens.slice(0, n).join('').length + n);
  const named = [words(symbols.length), Buffer.from(names), words(...markers)];
  const tokenParts = [Buffer.from(`${tokens.join('\0')}\0`, 'latin1'), Buffer.from(Uint16Array.from(starts).buffer)];
  const order = sequences === undefined ? [] : [Buffer.alloc(symbols.length * 3, 'abcdefg')];
  const addresses = absolute
    ? [words(...symbols.map(({ address }) => address))]
    : [words(...symbols.map(({ address }) => address - base)), words(base)];
  if (addressesLast) return aligned([...named, ...tokenParts, ...addresses, ...order]);
  return aligned([...addresses, ...named, ...order, ...tokenParts]);
}
