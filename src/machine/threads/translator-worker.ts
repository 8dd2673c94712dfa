// The translator's thread: takes hot code from the heat queue, makes modules of regions, publishes their bytes.
import { takeRequests } from '../../cache/heat.ts';
import { Publisher } from '../../cache/publish.ts';
import { noteTranslation } from '../../cache/tally.ts';
import { attachMemory } from '../../cpu/state.ts';
import type { EncoderName } from '../../emit/module/builder.ts';
import { host } from '../../host/node.ts';
import { CONTROL, Control } from '../../layout/memory.ts';
import { machineTranslator, takeEncoder } from '../translating.ts';
import type { TranslatorWorkerData } from './messages.ts';

const data = await host.workerData<TranslatorWorkerData>();
const shared = attachMemory(data.board.memory, data.board.plan);
const { i32 } = shared;
const word = (offset: number) => (CONTROL + offset) >> 2;
const translator = machineTranslator(shared, data.firstSlot, data.profile);
const publisher = new Publisher(shared);
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

for (;;) {
  const signal = Atomics.load(i32, word(Control.at.heatSignal));
  const requests = takeRequests(shared);
  if (Atomics.load(i32, word(Control.at.stop)) !== 0) break;
  if (requests.length === 0) {
    if (wanted !== undefined && translator.regions > 0) {
      await takeEncoder(translator, shared, wanted);
      wanted = undefined;
      continue;
    }
    Atomics.wait(i32, word(Control.at.heatSignal), signal);
    continue;
  }
  if (!translator.hasRoom) continue;
  const start = performance.now();
  const module = translator.translate(requests);
  const translated = performance.now();
  noteTranslation(shared, translator, module, (translated - start) * 1000);
  if (module === undefined) continue;
  if (!publisher.publish(module)) break;
  i32[word(Control.at.statPublishUs)]! += (performance.now() - translated) * 1000;
}
host.workerEnds();
