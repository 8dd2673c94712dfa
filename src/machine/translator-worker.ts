// The translator's thread: takes hot code from the heat queue, makes modules of regions, publishes their bytes.
import { workerData } from 'node:worker_threads';
import { Publisher } from '../cache/publish.ts';
import { type Request, Translator } from '../cache/translator.ts';
import { attachMemory } from '../cpu/state.ts';
import { CONTROL, Control, HEAT_QUEUE, HEAT_QUEUE_ENTRIES } from '../layout/memory.ts';
import type { TranslatorWorkerData } from './threads.ts';

/** Regions in a module at the most: large enough that V8's cost a module is spread, small enough that hot code does not wait. */
const BATCH = 32;

const data = workerData as TranslatorWorkerData;
const shared = attachMemory(data.board.memory, data.board.plan);
const { i32 } = shared;
const word = (offset: number) => (CONTROL + offset) >> 2;
const translator = new Translator(shared, data.firstSlot);
const publisher = new Publisher(shared);

function take(): Request[] {
  const requests: Request[] = [];
  let head = Atomics.load(i32, word(Control.at.heatHead));
  while (requests.length < BATCH && head !== Atomics.load(i32, word(Control.at.heatTail))) {
    const at = (HEAT_QUEUE + head * 16) >> 2;
    requests.push({ phys: i32[at]! >>> 0, eip: i32[at + 1]! >>> 0, mode: i32[at + 2]! });
    head = (head + 1) % HEAT_QUEUE_ENTRIES;
  }
  Atomics.store(i32, word(Control.at.heatHead), head);
  return requests;
}

for (;;) {
  const signal = Atomics.load(i32, word(Control.at.heatSignal));
  const requests = take();
  if (Atomics.load(i32, word(Control.at.stop)) !== 0) break;
  if (requests.length === 0) {
    Atomics.wait(i32, word(Control.at.heatSignal), signal);
    continue;
  }
  // Every region may need slots for where it leads to; without room, hot code stays in the interpreter.
  if (translator.slotsLeft < 4096) continue;
  const start = performance.now();
  const module = translator.translate(requests);
  i32[word(Control.at.statTranslateUs)]! += (performance.now() - start) * 1000;
  i32[word(Control.at.statRegions)] = translator.regions;
  if (module === undefined) continue;
  i32[word(Control.at.statModules)]!++;
  i32[word(Control.at.statModuleBytes)]! += module.bytes.length;
  if (!publisher.publish(module)) break;
}
