// What profilers are told of the engine's code (MachineOptions.perfMap): the names of its functions, and of the guest's code that they are.
import type { Request } from '../../cache/request.ts';
import type { Translator } from '../../cache/translator.ts';
import { floats } from '../../layout/cpu.ts';
import { codeName, type SymbolTable } from './symbols.ts';

/** May be sent to Workers. */
export interface Profile {
  readonly symbols: SymbolTable | undefined;
}

/** From now on a translator's regions have names. */
export function nameRegions(translator: Translator, { symbols }: Profile): void {
  translator.nameOf = ({ eip, phys, mode }: Request) => (floats(mode) ? `x86:phys:0x${phys.toString(16)}` : codeName(eip, symbols));
}
