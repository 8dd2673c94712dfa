// What profilers are told of the engine's code (MachineOptions.perfMap): the names of its functions, and of the guest's code that they are.
import type { Request, Translator } from '../../cache/translator.ts';
import { codeName, Symbols } from './symbols.ts';

/** May be sent to Workers. */
export interface Profile {
  /** The text of a System.map. */
  readonly symbols: string | undefined;
}

/** From now on a translator's regions have names. */
export function nameRegions(translator: Translator, { symbols: text }: Profile): void {
  const symbols = text === undefined ? undefined : new Symbols(text, 'symbols');
  translator.nameOf = ({ eip }: Request) => codeName(eip, symbols);
}
