// Prints how much more memory V8 holds for this thread, in MiB, once a module is loaded: heap, and buffers outside of it. `node --expose-gc held.mjs MODULE [FUNCTION ARGUMENT]`
import v8 from 'node:v8';

const [module, name, argument] = process.argv.slice(2);
async function held() {
  // What is let go of in one turn may hold something else until the next.
  for (let turn = 0; turn < 3; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    globalThis.gc();
  }
  const { used_heap_size: heap, external_memory: outside } = v8.getHeapStatistics();
  return (heap + outside) / 2 ** 20;
}

const before = await held();
const loaded = await import(module);
globalThis.kept = name === undefined ? loaded : await loaded[name](argument);
process.stdout.write(String((await held()) - before));
