// npm run demo -- [--port N]: builds the demo page and serves it on this machine, until Ctrl-C.
import { parseArgs } from 'node:util';
import { buildPage, PAGE, servePage } from './browser.ts';
import { build } from './build.ts';

const USAGE = 'usage: npm run demo -- [--port N]      (0 to 65535; default: 8080; 0: any free one)\n';

function portOf(): number {
  const { values } = parseArgs({ options: { port: { type: 'string', default: '8080' } } });
  if (!/^\d{1,5}$/.test(values.port) || Number(values.port) > 65535) throw new Error('--port takes a number up to 65535');
  return Number(values.port);
}

try {
  const port = portOf();
  await build({ wasmOnly: true });
  await buildPage({}, PAGE, 'fast');
  const { url } = await servePage(port);
  console.log(`Dragoman's demo page: ${url}`);
} catch (error) {
  process.stderr.write(`demo: ${(error as Error).message}\n${USAGE}`);
  process.exit(2);
}
