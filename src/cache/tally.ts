// What a translator has made, and by which encoder: words of the control block, which whoever asks for the machine's statistics reads (machine/report/stats.ts).
import type { SharedMemory } from '../cpu/state.ts';
import { ENCODERS, type EncoderName } from '../emit/module/builder.ts';
import { Control, controlWord } from '../layout/memory.ts';
import type { TranslatedModule, Translator } from './translator.ts';

/** The modules to come are encoded by `name`. */
export function noteEncoder({ i32 }: SharedMemory, name: EncoderName): void {
  i32[controlWord(Control.at.encoder)] = ENCODERS.indexOf(name);
}

/** The encoder that was asked for cannot be loaded. */
export function noteFailedEncoder({ i32 }: SharedMemory): void {
  i32[controlWord(Control.at.encoderFailed)] = 1;
}

/** A translation is done, which took so many microseconds; `module`: what came of it. */
export function noteTranslation({ i32 }: SharedMemory, { regions }: Translator, module: TranslatedModule | undefined, us: number): void {
  i32[controlWord(Control.at.statTranslateUs)]! += us;
  i32[controlWord(Control.at.statRegions)] = regions;
  if (module === undefined) return;
  i32[controlWord(Control.at.statModules) + i32[controlWord(Control.at.encoder)]!]!++;
  i32[controlWord(Control.at.statModuleBytes)]! += module.bytes.length;
}
