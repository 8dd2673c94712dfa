// Encoders by name. Binaryen is loaded by who asks for it, and by nobody else.
import { importBinaryen } from '../../host/node-binaryen.ts';
import type { Binaryen } from './binaryen-api.ts';
import type { EncoderName, MakeBuilder } from './builder.ts';
import { DirectBuilder } from './direct.ts';

export const directBuilders: MakeBuilder = () => new DirectBuilder();

/** Once for a thread: what an encoder's modules share is made here. */
export async function loadEncoder(name: EncoderName): Promise<MakeBuilder> {
  if (name === 'direct') return directBuilders;
  const { binaryenBuilders } = await import('./binaryen.ts');
  return binaryenBuilders((await importBinaryen()) as Binaryen);
}
