// The translator's thread: takes hot code from the heat queue, makes modules of regions, publishes their bytes.
import { CodeKeeper } from '../../cache/code-keeper.ts';
import { type Asked, BATCH, takeRequests } from '../../cache/heat.ts';
import { Publisher } from '../../cache/publish.ts';
import type { Request } from '../../cache/request.ts';
import { noteTranslation } from '../../cache/tally.ts';
import type { TranslatedModule } from '../../cache/translator.ts';
import { instrumentsOf } from '../../clients/instruments.ts';
import { loadClient, loadedClient } from '../../clients/load.ts';
import { clientVersion, readClients } from '../../clients/table.ts';
import { attachMemory } from '../../cpu/state.ts';
import type { EncoderName } from '../../emit/module/builder.ts';
import type { KeptFiles } from '../../host/host.ts';
import { host } from '../../host/node.ts';
import { importOwn } from '../../host/node-clients.ts';
import { Control, controlWord, KEPT_PAGES } from '../../layout/memory.ts';
import { type CodeCacheData, machineTranslator, openCodeCache, takeEncoder } from '../translating.ts';
import type { TranslatorWorkerData } from './messages.ts';

const data = await host.workerData<TranslatorWorkerData>();
const shared = attachMemory(data.board.memory, data.board.plan);
const { i32 } = shared;
const translator = machineTranslator(shared, data.firstSlot, data.profile);
const publisher = new Publisher(shared);
translator.onError = (error, { eip }) => {
  i32[controlWord(Control.at.statFailedRegions)]!++;
  // Once: a guest could make many of one kind.
  if (translator.failed === 1)
    console.error(`dragoman: code at EIP 0x${eip.toString(16)} stays interpreted, by an error of the translator:`, error);
};

/**
 * Loading an encoder, and V8's work on its code, take as much as a boot's first seconds, in which hot loops would wait for it, and the guest share the cores with it: what is asked for first is encoded directly, and
 * the first pause of PAUSE_MS after that is the time to load, or when there are so many regions that a boot is over.
 */
let wanted: EncoderName | undefined = data.encoder;
const REGIONS_OF_BOOT = 2500;

/** Keeps regions from run to run. */
async function openKeeper(data: CodeCacheData, encoder: EncoderName): Promise<{ keeper: CodeKeeper; files: KeptFiles }> {
  const { files, codeCache } = await openCodeCache(data, encoder);
  const keeper = new CodeKeeper(shared, translator, codeCache);
  let unkept = false;
  keeper.onUnkept = (error) => {
    if (!unkept) console.error('dragoman: code is not kept, by an error of the translator:', error);
    unkept = true;
  };
  const pages = controlWord(Control.at.keptPages);
  codeCache.markPages(i32.subarray(pages, pages + KEPT_PAGES / 32));
  return { keeper, files };
}
const kept =
  data.codeCache &&
  (await openKeeper(data.codeCache, data.encoder).catch((error) => {
    console.error('dragoman: code is not kept:', error);
    return undefined;
  }));
const keeper = kept?.keeper;

/** Requests of a module at the most, where its regions are kept already. */
const MOST_RECALLED = BATCH;
/** Modules that CPUs may not have installed yet. */
const MOST_COMPILED = 64;
/** A pause of so many milliseconds is one to prove in what may move, and to write what is new, if it is so much of the whole. */
const PAUSE_MS = 2000;
const NEWS = 0.25;
/** Regions since the last time, in a pause behind which the thread's garbage is given back: a boot's are some 60 MiB of V8's heap, which nobody else would ask for while this thread sleeps. */
const MOST_UNCOLLECTED = 128;
/** Somebody may switch what code relies on all the time: all regions are dropped for it as often at the most, and the last word counts. */
const LEAST_DROP_MS = 1000;

/** Publishes a module that took so long; false where the machine stops meanwhile. */
function publish(module: TranslatedModule | undefined, start: number): boolean {
  const translated = performance.now();
  noteTranslation(shared, translator, module, (translated - start) * 1000);
  if (module === undefined) return true;
  if (!publisher.publish(module)) return false;
  i32[controlWord(Control.at.statPublishUs)]! += (performance.now() - translated) * 1000;
  return true;
}

/**
 * V8 knows the bytes of a module that still lives, so the CPUs, which wait for nothing else then, find it compiled (its functions but for their code, which is made
 * when they are first called).
 */
const compiled: WebAssembly.Module[] = [];
function compile({ bytes }: TranslatedModule): void {
  compiled.push(new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>));
  if (compiled.length > MOST_COMPILED) compiled.shift();
}

let droppedAt = -LEAST_DROP_MS;
/** Drops all regions, on every CPU; false where the machine stops meanwhile. */
function dropAll(): boolean {
  // What is kept names slots, so it is kept while they mean what they did.
  while (keeper?.keepOne());
  if (!publisher.flush()) return false;
  translator.giveBack();
  droppedAt = performance.now();
  return true;
}

/** Goes by the list of clients as it is now; false where the machine stops meanwhile. What is published from here on is for CPUs that go by it as well. */
async function takeClients(): Promise<boolean> {
  const { list, version } = readClients(shared);
  for (const { module } of list) await loadClient(module, importOwn);
  translator.clients = instrumentsOf(shared, list, loadedClient);
  translator.clientVersion = version;
  publisher.clients = version;
  return dropAll();
}

/** There is room for another module's regions: where there was none, all are dropped first. False where the machine stops meanwhile. */
const makeRoom = (): boolean => translator.hasRoom || dropAll();

/** In how many milliseconds all regions are to be dropped because what they rely on has changed; undefined: they are not. */
const untilDrop = (): number | undefined => (translator.isMixed ? Math.max(droppedAt + LEAST_DROP_MS - performance.now(), 0) : undefined);

/** Publishes what is kept of `requests`, all of one owner; the others, or undefined where the machine stops meanwhile. */
function recall(requests: readonly Asked[]): readonly Request[] | undefined {
  if (keeper === undefined) return requests;
  if (translator.clients.length > 0) return requests.filter(({ whole }) => !whole);
  const hot: Request[] = [];
  const all = requests.flatMap((request) => (request.whole ? keeper.onPage(request) : [request]));
  const wanted = new Set<Request>(requests.filter(({ whole }) => !whole));
  for (let k = 0; k < all.length; k += MOST_RECALLED) {
    if (!makeRoom()) return undefined;
    const start = performance.now();
    const { module, rest } = keeper.recall(all.slice(k, k + MOST_RECALLED));
    for (const request of rest) if (wanted.has(request)) hot.push(request);
    if (module === undefined) continue;
    compile(module);
    if (!publish(module, start)) return undefined;
  }
  i32[controlWord(Control.at.statCacheHits)] = keeper.recalled;
  return hot;
}

/** Makes what is asked for, of one owner; false where the machine stops meanwhile. */
function make(requests: readonly Asked[]): boolean {
  const hot = recall(requests);
  if (hot === undefined) return false;
  if (hot.length === 0) return true;
  if (!makeRoom()) return false;
  const start = performance.now();
  const regions = translator.regions;
  if (!publish(translator.translate(hot), start)) return false;
  if (keeper !== undefined) i32[controlWord(Control.at.statCacheMisses)]! += translator.regions - regions;
  return true;
}

async function save(): Promise<void> {
  if (kept === undefined) return;
  await kept.files.look();
  kept.keeper.codeCache.save();
  await kept.files.settle();
}

async function keepAll(): Promise<void> {
  while (keeper?.keepOne());
  await save();
}

let paused = false;
let collected = 0;
for (;;) {
  const signal = Atomics.load(i32, controlWord(Control.at.heatSignal));
  const requests = takeRequests(shared);
  if (Atomics.load(i32, controlWord(Control.at.stop)) !== 0) break;
  if (clientVersion(shared) !== translator.clientVersion && !(await takeClients())) break;
  const drop = untilDrop();
  if (drop === 0 && !dropAll()) break;
  if (requests.length === 0) {
    const holds = wanted !== undefined && !paused && translator.regions < REGIONS_OF_BOOT;
    if (wanted !== undefined && translator.regions > 0 && !holds) {
      await takeEncoder(translator, shared, wanted);
      wanted = undefined;
      continue;
    }
    if (keeper?.keepOne() || (paused && keeper?.proveOne())) continue;
    if (paused && keeper !== undefined && keeper.codeCache.news >= NEWS) await save();
    if (paused && translator.regions - collected >= MOST_UNCOLLECTED) {
      host.collectGarbage();
      collected = translator.regions;
      continue;
    }
    // What is to be done in a longer pause is done when this one is over.
    const pause: number | undefined =
      paused || (keeper === undefined && !holds && translator.regions - collected < MOST_UNCOLLECTED) ? undefined : PAUSE_MS;
    const waited: string = Atomics.wait(i32, controlWord(Control.at.heatSignal), signal, drop || pause);
    paused = waited === 'timed-out' && !drop;
    continue;
  }
  paused = false;
  if (!translator.byOwner(requests).every(make)) break;
}
await keepAll();
host.workerEnds();
