// What stands in an operation beside its values: registers, widths, places in the CPU's state and the like. Each kind of immediate says
// how it is printed, and how its text is found and read again.
import { Cpu, Exit, GPR_STRIDE, Gpr } from '../layout/cpu.ts';
import type { Effects, Place } from './types.ts';

export interface Immediate<T> {
  /** What its text looks like: the source of a regular expression without groups. */
  readonly pattern: string;
  /** `op`: the operation that it stands in. */
  print(v: T, op: object): string;
  read(text: string): T;
  /** It may be left out of the operation. */
  readonly optional?: boolean;
}

export const optional = <T>(of: Immediate<T>): Immediate<T> & { readonly optional: true } => ({ ...of, optional: true });

const REGISTERS = Object.keys(Gpr).map((name) => name.toLowerCase());
const FIELDS = Object.entries(Cpu.at as Record<string, number>).sort((a, b) => a[1] - b[1]);

/** Name of a place in the CPU's state: "eflags", "gpr.eax", "seg+32". */
export function stateName(offset: number): string {
  const gpr = (offset - Cpu.at.gpr) / GPR_STRIDE;
  if (offset >= Cpu.at.gpr && gpr < REGISTERS.length) return `gpr.${REGISTERS[Math.floor(gpr)]}${gpr % 1 === 0 ? '' : '+1'}`;
  const field = FIELDS.findLast(([, at]) => at <= offset);
  if (field === undefined) return `+${offset}`;
  return offset === field[1] ? field[0] : `${field[0]}+${offset - field[1]}`;
}

/** The place of that name, or of that number. */
export function stateOffset(name: string): number {
  const [, base = '', by = '0'] = /^([^+]*)(?:\+(\d+))?$/.exec(name) ?? [];
  if (/^\d+$/.test(base)) return Number(base);
  const at = base.startsWith('gpr.') ? Cpu.at.gpr + registerNumber(base.slice(4)) * GPR_STRIDE : (Cpu.at as Record<string, number>)[base];
  if (at === undefined) throw new Error(`no place ${name} in the CPU's state`);
  return at + Number(by);
}

function registerNumber(name: string): number {
  const at = REGISTERS.indexOf(name);
  if (at < 0) throw new Error(`no register ${name}`);
  return at;
}

export const hex = (n: number): string => `0x${(n >>> 0).toString(16)}`;

export const number: Immediate<number> = { pattern: '-?\\d+', print: String, read: Number };
export const word: Immediate<string> = { pattern: '[\\w.]+', print: (v) => v, read: (text) => text };
export const oneOf = <T extends string>(words: readonly T[]): Immediate<T> => ({
  pattern: words.join('|'),
  print: (v) => v,
  read: (text) => text as T,
});
/** A boolean that shows as `text`, or not at all. */
export const flag = (text: string): Immediate<boolean> => ({
  pattern: `(?:${text})?`,
  print: (v) => (v ? text : ''),
  read: (found) => found !== '',
});
export const either = (yes: string, no: string): Immediate<boolean> => ({
  pattern: `${yes}|${no}`,
  print: (v) => (v ? yes : no),
  read: (text) => text === yes,
});
/** Bytes, shown as bits. */
export const width: Immediate<number> = { pattern: '\\d+', print: (bytes) => String(bytes * 8), read: (text) => Number(text) / 8 };
export const register: Immediate<number> = { pattern: 'e\\w\\w', print: (reg) => REGISTERS[reg]!, read: registerNumber };
/** An xmm register. */
export const vector: Immediate<number> = { pattern: 'xmm\\d', print: (n) => `xmm${n}`, read: (text) => Number(text.slice(3)) };
/** EIP of an instruction. */
export const eip: Immediate<number> = { pattern: '0x[0-9a-f]+', print: hex, read: (text) => Number(text) | 0 };
const EXITS = Object.entries(Exit).map(([name, code]) => [name.toLowerCase(), code] as const);
/** An exit of the run loop, by name. */
export const exit: Immediate<number> = {
  pattern: EXITS.map(([name]) => name).join('|'),
  print: (code) => EXITS.find((x) => x[1] === code)![0],
  read: (text) => EXITS.find(([name]) => name === text)![1],
};
/** For people: all that is left of the line. */
export const note: Immediate<string> = { pattern: '.+', print: (v) => v, read: (text) => text };
/** Offset in the CPU's state; from an address of the operation's own, a plain number. */
export const state: Immediate<number> = {
  pattern: '[\\w.+]+',
  print: (offset, op: { readonly address?: unknown }) => (op.address === undefined ? stateName(offset) : String(offset)),
  read: stateOffset,
};
/** A lane, or the bytes of a shuffle. */
export const lanes: Immediate<number | readonly number[]> = {
  pattern: '\\{[\\d,]+\\}',
  print: (v) => `{${v}}`,
  read(text) {
    const list = text.slice(1, -1).split(',').map(Number);
    return list.length === 1 ? list[0]! : list;
  },
};

const printPlaces = (list: readonly Place[]) => list.map(({ at, end }) => `${stateName(at)}:${end - at}`).join(',');
const readPlaces = (text: string): Place[] =>
  text.split(',').map((place) => {
    const [name, bytes] = place.split(':') as [string, string];
    const at = stateOffset(name);
    return { at, end: at + Number(bytes) };
  });
/** Places in the CPU's state, with their bytes: "fsw:4,ftop:4". */
export const places: Immediate<readonly Place[]> = { pattern: '[\\w.+]+:\\d+(?:,[\\w.+]+:\\d+)*', print: printPlaces, read: readPlaces };

const printRegisters = (list: readonly number[] | 'all') => (list === 'all' ? 'all' : list.map((reg) => REGISTERS[reg]).join(','));
const readRegisters = (text: string) => (text === 'all' ? 'all' : text.split(',').filter(Boolean).map(registerNumber));

/** What a helper does, in brackets; nothing where that is nothing. */
export const effects: Immediate<Effects> = {
  pattern: '(?: \\[[^\\]]*\\])?',
  print(e) {
    const parts: string[] = [];
    if (e.mayFault) parts.push('faults');
    if (e.stores) parts.push('stores');
    if (e.eip) parts.push('eip');
    if (e.forgets) parts.push('forgets');
    if (e.vectors) parts.push('vectors');
    if (e.reads) parts.push(`reads ${printRegisters(e.reads)}`);
    if (e.writes) parts.push(`writes ${printRegisters(e.writes)}`);
    if (e.flags) parts.push(`flags ${e.flags}`);
    if (e.changes) parts.push(`changes ${printPlaces(e.changes)}`);
    return parts.length === 0 ? '' : ` [${parts.join('; ')}]`;
  },
  read(text) {
    const e: { -readonly [K in keyof Effects]: Effects[K] } = {};
    for (const part of text.slice(2, -1).split('; ')) {
      const [name, rest = ''] = part.split(' ');
      if (name === 'faults') e.mayFault = true;
      else if (name === 'stores' || name === 'eip' || name === 'forgets' || name === 'vectors') e[name] = true;
      else if (name === 'reads' || name === 'writes') e[name] = readRegisters(rest);
      else if (name === 'flags') e.flags = rest as 'r' | 'w' | 'rw';
      else if (name === 'changes') e.changes = rest === '' ? [] : readPlaces(rest);
      else if (name !== '') throw new Error(`no effect ${part}`);
    }
    return e;
  },
};
