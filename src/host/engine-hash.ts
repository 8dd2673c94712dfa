// What code an engine makes of a guest's, as one number: a hash over all that decides about it, as it lies beside this file.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';

/** Beside this file's folder, in the sources and in what is built from them. */
const FOLDERS = ['cache', 'cpu', 'decode', 'emit', 'instrument', 'ir', 'layout', 'lift', 'passes', 'runtime', 'translate'];
const BUILT = [
  'packages.json',
  'handlers.json',
  'patterns.txt',
  'handlers.wasm',
  'handlers-strict.wasm',
  'runtime.wasm',
  'runtime-strict.wasm',
];

let known: string | undefined;

/** Hexadecimal. Throws where files of the engine cannot be read. */
export function engineHash(): string {
  if (known !== undefined) return known;
  const hash = createHash('sha256');
  const add = (name: string, file: URL | string) => {
    const bytes = readFileSync(file);
    hash.update(`${name} ${bytes.length}\n`).update(bytes);
  };
  for (const name of BUILT) add(name, new URL(`../../build/${name}`, import.meta.url));
  for (const folder of FOLDERS)
    for (const name of readdirSync(new URL(`../${folder}/`, import.meta.url), { recursive: true, encoding: 'utf8' }).sort())
      if (/(?<!\.d)\.[tj]s$/.test(name)) add(`${folder}/${name}`, new URL(`../${folder}/${name.replaceAll('\\', '/')}`, import.meta.url));
  return (known = hash.digest('hex'));
}
