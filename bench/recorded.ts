// The regions that a boot of Debian's kernel asks for: recorded once from a lockstep run, which is the same on every machine, and kept in .cache/bench for each kernel.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Guest, READY } from '../guests/linux.ts';
import { Machine } from '../src/api/index.ts';
import type { Request } from '../src/cache/request.ts';
import { Translator } from '../src/cache/translator.ts';
import { PAGE, PAGE_SHIFT, RAM } from '../src/layout/memory.ts';

const CACHE = fileURLToPath(new URL('../.cache/bench', import.meta.url));
/** Only such code: the kernel's own, behind its decompressor. */
const KERNEL = 0xc0000000;

export interface RecordedRegion extends Request {
  readonly page: Uint8Array;
}

/** All that a boot to the shell asks for, in order, with the pages as they were. */
async function record({ kernel, initrd }: Guest): Promise<RecordedRegion[]> {
  const found: RecordedRegion[] = [];
  const { translate } = Translator.prototype;
  Translator.prototype.translate = function (requests, force) {
    const { u8 } = (this as unknown as { readonly shared: { readonly u8: Uint8Array } }).shared;
    const module = translate.call(this, requests, force);
    for (const { phys, eip, mode } of module?.entries ?? []) {
      const at = RAM + (phys >>> PAGE_SHIFT) * PAGE;
      if (eip >= KERNEL) found.push({ phys, eip, mode, page: u8.slice(at, at + PAGE) });
    }
    return module;
  };
  try {
    let text = '';
    const machine = await Machine.create({
      kernel: readFileSync(kernel),
      initrd: readFileSync(initrd),
      append: 'console=ttyS0',
      encoder: 'direct',
      lockstep: { paced: false },
      onConsole(bytes) {
        text = (text + Buffer.from(bytes).toString('latin1')).slice(-4000);
        if (text.includes(READY)) machine.stop('recorded');
      },
    });
    const end = await machine.run();
    if (end.kind !== 'stopped') throw new Error(`the boot that is recorded ended as ${end.kind}`);
    return found;
  } finally {
    Translator.prototype.translate = translate;
  }
}

/** `count` of the regions, evenly from first to last. */
export async function recordedRegions(guest: Guest, count: number): Promise<readonly RecordedRegion[]> {
  const hash = createHash('sha256').update(readFileSync(guest.kernel)).digest('hex').slice(0, 16);
  const path = join(CACHE, `translate-${hash}-${count}.json`);
  if (!existsSync(path)) {
    process.stderr.write('bench: translate: a boot in lockstep is recorded, once ...\n');
    const all = await record(guest);
    const some = Array.from({ length: count }, (_, k) => all[Math.floor((k * all.length) / count)]);
    mkdirSync(CACHE, { recursive: true });
    const rows = some.map(({ page, ...request }) => ({ ...request, page: Buffer.from(page).toString('base64') }));
    writeFileSync(`${path}.${process.pid}`, JSON.stringify(rows));
    renameSync(`${path}.${process.pid}`, path);
  }
  const rows: (Request & { page: string })[] = JSON.parse(readFileSync(path, 'utf8'));
  return rows.map(({ page, ...request }) => ({ ...request, page: new Uint8Array(Buffer.from(page, 'base64')) }));
}
