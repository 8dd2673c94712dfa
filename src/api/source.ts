// Where the bytes of kernels, disks of RAM, modules and ROMs come from: reads what is given as a place.
import { host } from '../host/node.ts';
import { isBlob } from './bytes.ts';
import { tagOf } from './kind.ts';
import type { MachineOptions, ModuleOptions } from './options.ts';

const isUrl = (value: unknown): value is URL => tagOf(value) === '[object URL]';

/** What is no source is left as it is: whoever knows what is allowed refuses it. Throws NO_FILE. */
export async function readSource(source: unknown): Promise<unknown> {
  if (isBlob(source)) return new Uint8Array(await source.arrayBuffer());
  return typeof source === 'string' || isUrl(source) ? host.readBytes(source) : source;
}

const NAMES = ['kernel', 'initrd', 'bios'] as const;

/** `options` with bytes in the place of where they are; anything else is as it was given. Throws NO_FILE. */
export async function readSources(options: MachineOptions): Promise<MachineOptions> {
  if (typeof options !== 'object' || options === null) return options;
  const modules: unknown = options.modules;
  const [kernel, initrd, bios] = await Promise.all(NAMES.map((name) => readSource(options[name])));
  const readModule = async (one: ModuleOptions) =>
    typeof one === 'object' && one !== null ? { ...one, data: await readSource(one.data) } : one;
  const list = Array.isArray(modules) ? await Promise.all((modules as ModuleOptions[]).map(readModule)) : modules;
  const have = { kernel, initrd, bios, modules: list };
  return { ...options, ...Object.fromEntries(Object.entries(have).filter(([, value]) => value !== undefined)) };
}
