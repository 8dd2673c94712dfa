// The kernel and initial RAM disk that the examples boot: the two files on the command line, or those that `npm run linux` fetched.
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const fetched = (name: string) => fileURLToPath(new URL(`../.cache/guest/${name}`, import.meta.url));

/** The prompt of the shell in the initial RAM disk of `npm run linux`. */
export const PROMPT = '~ # ';

export function readGuest(files: readonly string[] = process.argv.slice(2)): { kernel: Uint8Array; initrd: Uint8Array } {
  const [kernel = fetched('vmlinuz'), initrd = fetched('initrd.gz')] = files;
  for (const path of [kernel, initrd]) {
    if (existsSync(path)) continue;
    console.error(`${path}: no such file. Name a KERNEL and an INITRD, or run 'npm run linux' once: it fetches both.`);
    process.exit(2);
  }
  return { kernel: readFileSync(kernel), initrd: readFileSync(initrd) };
}
