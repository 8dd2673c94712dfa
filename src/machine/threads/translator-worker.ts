// The translator's thread: takes hot code from the heat queue, makes modules of regions, publishes their bytes.
import { takeRequests } from '../../cache/heat.ts';
import { Publisher } from '../../cache/publish.ts';
import { Translator } from '../../cache/translator.ts';
import { attachMemory } from '../../cpu/state.ts';
import type { EncoderName } from '../../emit/module/builder.ts';
import { loadEncoder } from '../../emit/module/load.ts';
import { host } from '../../host/node.ts';
import { CONTROL, Control } from '../../layout/memory.ts';
import { nameRegions } from '../report/profile.ts';
import type { TranslatorWorkerData } from './messages.ts';

const data = await host.workerData<TranslatorWorkerData>();
const shared = attachMemory(data.board.memory, data.board.plan);
const { i32 } = shared;
const word = (offset: number) => (CONTROL + offset) >> 2;
const translator = new Translator(shared, data.firstSlot);
const publisher = new Publisher(shared);
if (data.profile !== undefined) nameRegions(translator, data.profile);
translator.onError = (error, { eip }) => {
  i32[word(Control.at.statFailedRegions)]!++;
  // Once: a guest could make many of one kind.
  if (translator.failed === 1)
    console.error(`dragoman: code at EIP 0x${eip.toString(16)} stays interpreted, by an error of the translator:`, error);
};

/**
 * Loading an encoder may take as long as a boot takes to its first lines, in which its hottest loops would wait for it: what is asked for first is encoded directly, and the first
 * pause after that is the time to load.
 */
let wanted: EncoderName | undefined = data.encoder;
async function load(name: EncoderName): Promise<void> {
  wanted = undefined;
  try {
    translator.makeBuilder = await loadEncoder(name);
  } catch (error) {
    console.error(`dragoman: the encoder ${name} cannot be loaded, regions go on to be encoded directly:`, error);
  }
}

for (;;) {
  const signal = Atomics.load(i32, word(Control.at.heatSignal));
  const requests = takeRequests(shared);
  if (Atomics.load(i32, word(Control.at.stop)) !== 0) break;
  if (requests.length === 0) {
    if (wanted !== undefined && translator.regions > 0) {
      await load(wanted);
      continue;
    }
    Atomics.wait(i32, word(Control.at.heatSignal), signal);
    continue;
  }
  if (!translator.hasRoom) continue;
  const start = performance.now();
  const module = translator.translate(requests);
  const translated = performance.now();
  i32[word(Control.at.statTranslateUs)]! += (translated - start) * 1000;
  i32[word(Control.at.statRegions)] = translator.regions;
  if (module === undefined) continue;
  i32[word(Control.at.statModules)]!++;
  i32[word(Control.at.statModuleBytes)]! += module.bytes.length;
  if (!publisher.publish(module)) break;
  i32[word(Control.at.statPublishUs)]! += (performance.now() - translated) * 1000;
}
host.workerEnds();
