// The translator's thread: takes hot code from the heat queue, makes modules of regions, publishes their bytes.
import { takeRequests } from '../../cache/heat.ts';
import { Publisher } from '../../cache/publish.ts';
import { Translator } from '../../cache/translator.ts';
import { attachMemory } from '../../cpu/state.ts';
import { loadEncoder } from '../../emit/module/load.ts';
import { host } from '../../host/node.ts';
import { CONTROL, Control } from '../../layout/memory.ts';
import { nameRegions } from '../report/profile.ts';
import type { TranslatorWorkerData } from './messages.ts';

const data = await host.workerData<TranslatorWorkerData>();
const shared = attachMemory(data.board.memory, data.board.plan);
const { i32 } = shared;
const word = (offset: number) => (CONTROL + offset) >> 2;
const translator = new Translator(shared, data.firstSlot, await loadEncoder(data.encoder));
const publisher = new Publisher(shared);
if (data.profile !== undefined) nameRegions(translator, data.profile);
translator.onError = (error, { eip }) => {
  i32[word(Control.at.statFailedRegions)]!++;
  // Once: a guest could make many of one kind.
  if (translator.failed === 1)
    console.error(`dragoman: code at EIP 0x${eip.toString(16)} stays interpreted, by an error of the translator:`, error);
};

for (;;) {
  const signal = Atomics.load(i32, word(Control.at.heatSignal));
  const requests = takeRequests(shared);
  if (Atomics.load(i32, word(Control.at.stop)) !== 0) break;
  if (requests.length === 0) {
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
