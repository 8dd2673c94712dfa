// The reference of the API, docs/api: what the types of the package say (dist/), as pages. It is part of what is packed, and not kept in the repository, where it would change with every comment.
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const TOOL = join(ROOT, 'tools/api-docs');
const REFERENCE = join(ROOT, 'docs/api');

/** Writes the pages; dist/ must have been built. Throws where something that is exported names what is not, or a link leads nowhere. */
export function writeReference(): void {
  rmSync(REFERENCE, { recursive: true, force: true });
  const typedoc = join(dirname(createRequire(join(TOOL, 'package.json')).resolve('typedoc/package.json')), 'bin/typedoc');
  const { status } = spawnSync(process.execPath, [typedoc, '--options', join(TOOL, 'typedoc.json'), '--out', REFERENCE], {
    cwd: TOOL,
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0) throw new Error('the reference of the API cannot be made');
}

if (import.meta.main) {
  try {
    writeReference();
  } catch (error) {
    process.stderr.write(`dragoman: ${(error as Error).message}\n`);
    process.exit(1);
  }
}
