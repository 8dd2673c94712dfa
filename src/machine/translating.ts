// The translator as both executors have it.
import { CodeCache, packOf } from '../cache/code-cache.ts';
import { noteEncoder, noteFailedEncoder } from '../cache/tally.ts';
import { Translator } from '../cache/translator.ts';
import type { SharedMemory } from '../cpu/state.ts';
import type { EncoderName } from '../emit/module/builder.ts';
import { directBuilders, loadEncoder } from '../emit/module/load.ts';
import type { KeptFiles } from '../host/host.ts';
import { host } from '../host/node.ts';
import { nameRegions, type Profile } from './report/profile.ts';

/** Where regions are kept from run to run. */
export interface CodeCacheData {
  readonly folder: string;
  /** Hexadecimal, another one for each guest. */
  readonly guest: string;
}

/** A code cache, and where it is kept. */
export interface Kept {
  readonly files: KeptFiles;
  readonly codeCache: CodeCache;
}

/** What is kept of this guest's code, for an engine with this encoder. Standard error is told once why nothing can be kept. */
export async function openCodeCache({ folder, guest }: CodeCacheData, encoder: EncoderName): Promise<Kept> {
  let said = false;
  const key = host.sha256(new TextEncoder().encode(`${await host.engineHash()} ${encoder} ${guest}`));
  const files = host.keptFiles(folder, packOf(key), (error) => {
    if (!said) console.error(`dragoman: code cannot be kept in ${folder}: ${(error as Error).message}`);
    said = true;
  });
  await files.look();
  return { files, codeCache: new CodeCache(files, key) };
}

/** It encodes directly until takeEncoder is done. `atomic`: see Translator. */
export function machineTranslator(shared: SharedMemory, firstSlot: number, profile: Profile | undefined, atomic?: boolean): Translator {
  const translator = new Translator(shared, firstSlot, directBuilders, atomic);
  translator.verify = host.verifies;
  if (profile !== undefined) nameRegions(translator, profile);
  noteEncoder(shared, 'direct');
  return translator;
}

/** Loads the encoder for the modules to come. Where that fails, they go on to be encoded directly, and standard error says why. */
export async function takeEncoder(translator: Translator, shared: SharedMemory, name: EncoderName): Promise<void> {
  try {
    translator.makeBuilder = await loadEncoder(name);
    noteEncoder(shared, name);
  } catch (error) {
    noteFailedEncoder(shared);
    console.error(`dragoman: the encoder ${name} cannot be loaded, regions go on to be encoded directly:`, error);
  }
}
