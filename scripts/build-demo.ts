// npm run build:demo: the demo page as a static site, in dist/demo/, for any web server (examples/browser/README.md).
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildPage } from './browser.ts';
import { build, DEMO } from './build.ts';

const folder = fileURLToPath(new URL(`../${DEMO}`, import.meta.url));
try {
  await build({ wasmOnly: true });
  const version = await buildPage({}, folder, 'best');
  const files = readdirSync(join(folder, version)).filter((name) => !/\.(br|gz|map)$/.test(name));
  const bytes = files.reduce((sum, name) => sum + statSync(join(folder, version, name)).size, 0);
  console.log(`${DEMO}: version ${version}, ${files.length} files, ${(bytes / 1e6).toFixed(1)} MB before they are compressed`);
} catch (error) {
  process.stderr.write(`build:demo: ${(error as Error).message}\n`);
  process.exit(1);
}
