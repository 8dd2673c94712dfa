// npm run bench -- code-map [--regions N] [--runs N]: how long a drawing of the demo page's code map takes in Chromium.
import { parseArgs } from 'node:util';
import { buildPage, servePage } from '../scripts/browser.ts';
import { build } from '../scripts/build.ts';
import { findChromium, launch } from '../test/browser/chromium.ts';
import type { MapTimes } from './code-map-frame.ts';
import { formatTable, median } from './figures.ts';

export async function codeMap(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: { regions: { type: 'string', default: '5000' }, runs: { type: 'string', default: '30' } },
  });
  const [regions, runs] = [Number(values.regions), Number(values.runs)];
  const executable = findChromium();
  if (executable === undefined) throw new Error('no Chromium (DRAGOMAN_CHROMIUM)');
  await build({ wasmOnly: true });
  const version = await buildPage({ 'code-map-frame': 'bench/code-map-frame.ts' });
  const { url, server } = await servePage(0);
  const browser = await launch(executable);
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    // A file beside the page, without the page's own machine.
    await page.goto(`${url}${version}/page.css`);
    const work = `import('./code-map-frame.js').then(({ timeMap }) => timeMap(${regions}, ${runs}))`;
    const { taken, drawn, pages } = (await page.evaluate(work)) as MapTimes;
    const cells = (times: readonly number[]) => [median(times).toFixed(1), Math.max(...times).toFixed(1)];
    process.stdout.write(
      formatTable({
        title: `The code map with ${regions} regions on ${pages} pages, ms (of ${runs})`,
        head: ['', 'script', 'most', 'whole', 'most'],
        rows: [
          ['taken in', ...cells(taken), '', ''],
          ...Object.entries(drawn).map(([name, { script, whole }]) => [`drawn: ${name}`, ...cells(script), ...cells(whole)]),
        ],
      }),
    );
  } finally {
    await browser.close();
    server.close();
  }
}
