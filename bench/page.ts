// npm run bench -- page [--runs N] [--mbit N]: how long the demo page takes to serai's prompt, and what it fetches for it.
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Browser, BrowserContext } from 'playwright-core';
import { buildPage, PAGE, servePage } from '../scripts/browser.ts';
import { build } from '../scripts/build.ts';
import { findChromium, launchIn } from '../test/browser/chromium.ts';
import { formatTable, median } from './figures.ts';

/** Of the slow network. */
const LATENCY_MS = 40;
/** Chromium loads parts of its own window behind the first page that is shown in it. */
const SETTLE_MS = 4000;
/** Behind so many visits Chromium has kept what V8 has compiled. */
const WARMED = 3;

interface Visit {
  /** Milliseconds from the navigation's start. */
  readonly script: number;
  readonly running: number;
  readonly prompt: number;
  /** Processor time of all processes of the browser. */
  readonly cpu: number;
}

/** What was answered, by path; bytes as they were sent. */
interface Answer {
  readonly path: string;
  readonly bytes: number;
  /** Milliseconds since the visit began. */
  readonly at: number;
}

/** In the page, before anything else: notes when the state line says what it says, and when the terminal shows the prompt. It asks for no frame that the page does not draw anyway. */
function watch(): void {
  const times: Record<string, number> = {};
  Object.assign(globalThis, { times });
  const look = () => {
    const state = document.getElementById('state')?.textContent ?? '';
    if (state !== '' && state !== 'loading') times.script ??= performance.now();
    if (state.startsWith('running')) times.running ??= performance.now();
    if (document.querySelector('.xterm-rows')?.textContent?.includes('serai>')) times.prompt ??= performance.now();
    if (times.prompt !== undefined) seen.disconnect();
  };
  const seen = new MutationObserver(look);
  seen.observe(document, { childList: true, characterData: true, subtree: true });
}

/** Milliseconds of processor time of the browser, since it began. */
async function cpuOf(browser: Browser): Promise<number> {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  await session.detach();
  return processInfo.reduce((sum, { cpuTime }) => sum + 1000 * cpuTime, 0);
}

/** A browser with a folder of its own, where it keeps more than one without would: what V8 has compiled. */
async function withProfile<T>(executable: string, work: (context: BrowserContext) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'dragoman-profile-'));
  const context = await launchIn(folder, executable);
  try {
    return await work(context);
  } finally {
    await context.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** `begin`: is called when it does. */
async function visit(context: BrowserContext, url: string, mbit: number | undefined, begin: () => void): Promise<Visit> {
  const page = await context.newPage();
  try {
    if (mbit !== undefined) {
      const session = await context.newCDPSession(page);
      await session.send('Network.emulateNetworkConditions', {
        offline: false,
        latency: LATENCY_MS,
        downloadThroughput: (mbit * 1e6) / 8,
        uploadThroughput: (mbit * 1e6) / 8,
      });
    }
    // A new window has work of its own.
    await page.goto(`${url}nothing`);
    await page.waitForTimeout(SETTLE_MS);
    await page.addInitScript(watch);
    const browser = context.browser()!;
    const before = await cpuOf(browser);
    begin();
    await page.goto(url);
    await page.waitForFunction(() => (globalThis as unknown as { times: Record<string, number> }).times.prompt !== undefined, undefined, {
      timeout: 120_000,
      polling: 200,
    });
    const cpu = (await cpuOf(browser)) - before;
    return { ...(await page.evaluate(() => (globalThis as unknown as { times: Visit }).times)), cpu };
  } finally {
    await page.close();
  }
}

export async function page(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: { runs: { type: 'string', default: '5' }, mbit: { type: 'string', default: '10' } },
  });
  const [runs, mbit] = [Number(values.runs), Number(values.mbit)];
  const executable = findChromium();
  if (executable === undefined) throw new Error('no Chromium (DRAGOMAN_CHROMIUM)');
  await build({ wasmOnly: true });
  await buildPage({}, PAGE, 'best');
  const { server } = await servePage(0);
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  let began = 0;
  let answers: Answer[] = [];
  server.on('request', (request, response) => {
    response.once('finish', () => {
      answers.push({ path: request.url!, bytes: Number(response.getHeader('content-length') ?? 0), at: performance.now() - began });
    });
  });
  try {
    const kinds: [string, Visit[]][] = [];
    const begin = () => {
      began = performance.now();
      answers = [];
    };
    const one = (context: BrowserContext, slow = false) => visit(context, url, slow ? mbit : undefined, begin);
    const cold = async (slow: boolean): Promise<Visit[]> => {
      const visits: Visit[] = [];
      for (let n = 0; n < runs; n++) visits.push(await withProfile(executable, (context) => one(context, slow)));
      return visits;
    };
    const warm = await withProfile(executable, async (context) => {
      for (let n = 0; n < WARMED; n++) await one(context);
      const visits: Visit[] = [];
      for (let n = 0; n < runs; n++) visits.push(await one(context));
      return visits;
    });
    kinds.push(['warm cache', warm], ['cold cache', await cold(false)]);
    const files = answers.filter(({ path }) => !path.endsWith('binaryen.wasm'));
    kinds.push([`cold cache, ${mbit} Mbit/s, ${LATENCY_MS} ms`, await cold(true)]);
    const cells = (visits: Visit[]) =>
      (['script', 'running', 'prompt', 'cpu'] as const).map((key) => median(visits.map((one) => one[key])).toFixed(0));
    process.stdout.write(
      formatTable({
        title: `The demo page, ms from its address to serai's prompt (median of ${runs})`,
        head: ['', 'script', 'running', 'prompt', 'processor', 'each'],
        rows: kinds.map(([name, visits]) => [name, ...cells(visits), visits.map(({ prompt }) => prompt.toFixed(0)).join(' ')]),
      }),
    );
    const sum = files.reduce((all, { bytes }) => all + bytes, 0);
    process.stdout.write(
      formatTable({
        title: `What is fetched before it: ${sum} bytes, brotli`,
        head: ['file', 'bytes', 'ms'],
        rows: files.map(({ path, bytes, at }) => [path, `${bytes}`, at.toFixed(0)]),
      }),
    );
  } finally {
    server.close();
  }
}
