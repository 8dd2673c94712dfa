// Names of the frames of a profile. Symbols come from outside: whoever knows the guest's names gives them.
import { DragomanError } from '../../api/errors.ts';
import type { Profile, Special, Stack } from './profile.ts';

/** Who knows names of code; MachineSymbols does. */
export interface CodeNames {
  /** The function that an address is in; undefined: of none that is known. */
  functionAt(address: number): string | undefined;
}

/** Names that somebody gave, or else those that `find` makes known: of the guest's memory, where there are any and the machine stands still. */
export function knownNames<T extends { readonly areKnown: boolean }>(names: T, find: () => void): T {
  if (names.areKnown) return names;
  try {
    find();
  } catch (error) {
    if (!(error instanceof DragomanError) || !['NO_SYMBOLS', 'BAD_STATE'].includes(error.code)) throw error;
  }
  return names;
}

/** A frame as it is shown. */
export interface Frame {
  readonly name: string;
  /** Linear address of the first sample that was in it; undefined: it is no code. */
  readonly address: number | undefined;
}

/** A profile with names: frames by their numbers, and of each stack of the profile the frames, the outermost first. */
export interface NamedProfile {
  readonly frames: readonly Frame[];
  readonly stacks: readonly (readonly number[])[];
}

const SPECIAL: Readonly<Record<Special, string>> = { idle: '[idle]', lost: '[lost samples]', other: '[other stacks]' };
const CUT = '[more callers]';
const hex = (n: number) => `0x${n.toString(16).padStart(8, '0')}`;

export function named(profile: Profile, names: CodeNames): NamedProfile {
  const frames: Frame[] = [];
  const numbers = new Map<string, number>();
  const numberOf = (name: string, address: number | undefined) => {
    const known = numbers.get(name);
    if (known !== undefined) return known;
    const number = frames.push({ name, address }) - 1;
    numbers.set(name, number);
    return number;
  };
  const looked = new Map<number, string>();
  const functionOf = (address: number) => {
    let name = looked.get(address);
    if (name === undefined) looked.set(address, (name = names.functionAt(address) ?? hex(address)));
    return name;
  };
  const code = (address: number, process: number | undefined, isCaller: boolean) => {
    // A call that never comes back may be a function's last instruction.
    const inside = isCaller ? (address - 1) >>> 0 : address;
    return numberOf(process === undefined ? functionOf(inside) : hex(address), address);
  };
  const stackOf = ({ frames: addresses, process, cut, special }: Stack): number[] => {
    if (special !== undefined) return [numberOf(SPECIAL[special], undefined)];
    const above = [
      ...(process === undefined ? [] : [numberOf(`[process ${hex(process)}]`, undefined)]),
      ...(cut ? [numberOf(CUT, undefined)] : []),
    ];
    return [...above, ...addresses.map((address, n) => code(address, process, n > 0)).reverse()];
  };
  return { frames, stacks: profile.stacks.map(stackOf) };
}
