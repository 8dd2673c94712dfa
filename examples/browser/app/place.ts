// A place in the guest's memory as somebody types it: an address, a name of the kernel's, a register; and so much behind it.
import { type CpuRegisters, DragomanError } from '../../../src/api/index.ts';

const REGISTERS = ['eax', 'ebx', 'ecx', 'edx', 'esi', 'edi', 'ebp', 'esp', 'eip', 'cr2', 'cr3'] as const;
type RegisterName = (typeof REGISTERS)[number];

/** What names stand for. */
export interface Names {
  /** Throws where nobody can read registers now. */
  register(name: RegisterName): CpuRegisters[RegisterName];
  /** Undefined where there is no such one. */
  symbol(name: string): number | undefined;
}

const isRegister = (text: string): text is RegisterName => REGISTERS.some((name) => name === text);

/** 'c0101000', '0xc0101000', 'kernel_main', 'kernel_main+0x10', 'esp-8'. A linear address. Throws BAD_OPTION with what is wrong. */
export function placeOf(text: string, names: Names): number {
  const [, what = '', sign = '', more = ''] = /^\s*(.*?)\s*(?:([+-])\s*(0x[0-9a-f]+|\d+))?\s*$/i.exec(text) ?? [];
  const offset = Number(more || 0) * (sign === '-' ? -1 : 1);
  const lower = what.toLowerCase();
  const named = isRegister(lower) ? names.register(lower) : names.symbol(what);
  const address = named ?? (/^(?:0x)?[0-9a-f]{1,8}$/.test(lower) ? Number.parseInt(lower.replace(/^0x/, ''), 16) : undefined);
  if (address === undefined)
    throw new DragomanError('BAD_OPTION', `'${text.trim()}' is no address (in hexadecimal), no register, and no name that the kernel has`);
  return (address + offset) >>> 0;
}
