// Compressed files beside those of a folder, for servers that hand them out as they are: NAME.br and NAME.gz. What was compressed once is kept.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';

const KEPT = fileURLToPath(new URL('../.cache/compressed/', import.meta.url));
/** Smaller files are not worth another. */
const SMALLEST = 1024;
const COMPRESSES = /\.(css|elf|html|js|json|names|svg|wasm)$/;

/** `best`: a tenth smaller, and thirty times as long. */
export type Effort = 'fast' | 'best';

const HOW = {
  br: {
    fast: (bytes: Buffer) => promisify(brotliCompress)(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }),
    best: (bytes: Buffer) => promisify(brotliCompress)(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }),
  },
  gz: {
    fast: (bytes: Buffer) => promisify(gzip)(bytes, { level: 6 }),
    best: (bytes: Buffer) => promisify(gzip)(bytes, { level: 9 }),
  },
} as const;

function put(path: string, bytes: Uint8Array): void {
  writeFileSync(`${path}.${process.pid}`, bytes);
  renameSync(`${path}.${process.pid}`, path);
}

async function compressed(bytes: Buffer, hash: string, format: keyof typeof HOW, effort: Effort): Promise<Uint8Array> {
  const kept = join(KEPT, `${hash}-${effort}.${format}`);
  if (existsSync(kept)) return readFileSync(kept);
  const small = await HOW[format][effort](bytes);
  put(kept, small);
  return small;
}

/** All files of `folder`, with those in its folders. */
export async function compressFolder(folder: string, effort: Effort): Promise<void> {
  mkdirSync(KEPT, { recursive: true });
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const files = names.map((name) => join(folder, name)).filter((path) => COMPRESSES.test(path) && statSync(path).size >= SMALLEST);
  await Promise.all(
    files.map(async (path) => {
      const bytes = readFileSync(path);
      const hash = createHash('sha256').update(bytes).digest('hex');
      for (const format of ['br', 'gz'] as const) put(`${path}.${format}`, await compressed(bytes, hash, format, effort));
    }),
  );
}
