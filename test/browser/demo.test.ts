// The demo page in a real browser: serai and Linux boot on two CPUs and answer at their prompts; what cannot work says why.
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { guestOrSkip, READY } from '../../guests/linux.ts';
import { EXIT, image, RIGHT, WRITES_AND_READS, written } from '../unit/machine/disk-guest.ts';
import { describePage } from './describe-page.ts';
import { PATIENCE_MS } from './open-page.ts';

const { guest, reason } = await guestOrSkip();

const LONG = process.env.DRAGOMAN_LONG_TESTS === '1';

/** In the page: when code was kept the last time, 0: never. `damage`: some of its bytes are then others. */
async function keptAt(damage: boolean): Promise<number> {
  const root = await navigator.storage.getDirectory();
  let last = 0;
  try {
    const folder = await (await root.getDirectoryHandle('dragoman')).getDirectoryHandle('page');
    for await (const entry of folder.values()) {
      if (entry.kind !== 'file') continue;
      const file = await entry.getFile();
      last = Math.max(last, file.lastModified);
      if (!damage) continue;
      const bytes = new Uint8Array(await file.arrayBuffer());
      for (let at = 200; at < bytes.length; at += 40) bytes[at]! ^= 1;
      const writable = await entry.createWritable();
      await writable.write(bytes);
      await writable.close();
    }
  } catch (error) {
    if ((error as Error).name !== 'NotFoundError') throw error;
  }
  return last;
}

describePage('demo page', { more: { disks: 'test/browser/disks.ts' } }, (suite) => {
  it('boots serai on all CPUs, which answers and powers off', async () => {
    const { page, errors, type, screen, state } = await suite.open();
    await screen.toMatch(/serai: 2 CPUs(?:.|\n)*\nserai> /);
    await type('primes 100000');
    await screen.toMatch(/\n9592 primes up to 100000, on 2 CPUs/);
    await type('halt');
    await state.toMatch(/^the guest powered off/);
    expect(await page.locator('#stats').textContent()).toMatch(/^[1-9]\d* regions in [1-9]\d* modules$/);
    expect(errors).toEqual([]);
  });

  it('starts hot what ran before, whatever became of the file', async () => {
    const { page, errors, type, screen, state, stats } = await suite.open();
    /** Runs serai until `done`, and ends it. */
    const run = async (done: () => Promise<void>) => {
      await screen.toMatch(/serai: 2 CPUs(?:.|\n)*\nserai> /);
      await type('primes 1000000');
      await screen.toMatch(/\n78498 primes up to 1000000, on 2 CPUs/);
      await done();
      await type('halt');
      await state.toMatch(/^the guest powered off/);
    };
    const again = () => page.locator('#start').click();
    /** In a pause, after a time in milliseconds. */
    const isKept = (since: number) =>
      expect.poll(() => page.evaluate(keptAt, false), { timeout: PATIENCE_MS, interval: 200 }).toBeGreaterThan(since);
    const isHot = () => stats.toMatch(/, [1-9]\d* of runs before$/);
    await run(() => isKept(0));
    await again();
    await run(isHot);
    await page.evaluate(keptAt, true);
    const damaged = await page.evaluate(keptAt, false);
    await again();
    await run(async () => {
      expect(await page.locator('#stats').textContent()).not.toContain('before');
      await isKept(damaged);
    });
    await again();
    await run(isHot);
    expect(errors).toEqual([]);
  });

  it('has disks that are bytes, Blobs and objects', async () => {
    const { page } = await suite.open();
    const guest = { kernel: [...WRITES_AND_READS], exit: EXIT, disk: [...image()] };
    // As text: what runs in the page is no module of this test's.
    const tried = await page.evaluate(`import('./${suite.version}/disks.js').then(({ tryDisks }) => tryDisks(${JSON.stringify(guest)}))`);
    const all = ['bytes', 'snapshot', 'blob', 'object'].map((name) => [
      name,
      RIGHT,
      name === 'bytes' || name === 'object' ? [...written()] : [...image()],
    ]);
    expect(tried).toEqual([...all, ['path', 'NOT_SUPPORTED'], ['share', 'NOT_SUPPORTED']]);
  });

  it('stops a guest, and starts the next one', async () => {
    const { page, errors, screen, state } = await suite.open();
    await screen.toContain('serai> ');
    await page.locator('#stop').click();
    await state.toMatch(/^stopped/);
    await page.locator('#cpus').fill('1');
    await page.locator('#start').click();
    await screen.toMatch(/serai: 1 CPUs(?:.|\n)*\nserai> /);
    expect(errors).toEqual([]);
  });

  it.skipIf(!guest || process.env.DRAGOMAN_LONG_TESTS !== '1')(
    `boots a kernel that is brought along: Linux on both CPUs (with DRAGOMAN_LONG_TESTS=1) ${reason}`,
    async () => {
      const { kernel, initrd } = guest!;
      const { page, errors, type, screen, state } = await suite.open();
      await screen.toContain('serai> ');
      await page.locator('#stop').click();
      await state.toMatch(/^stopped/);
      const file = (path: string) => ({ name: 'file', mimeType: 'application/octet-stream', buffer: readFileSync(path) });
      await page.locator('#kernel').setInputFiles(file(kernel));
      await page.locator('#initrd').setInputFiles(file(initrd));
      await page.locator('#append').fill('console=ttyS0');
      await page.locator('#start').click();
      await screen.toContain(READY);
      await type('grep -c ^processor /proc/cpuinfo; echo $((6*7))');
      await screen.toMatch(/\n2\n42\n/);
      await type('poweroff -f');
      await state.toMatch(/^the guest powered off/);
      expect(errors).toEqual([]);
    },
  );

  it.skipIf(!LONG)('says what is wrong with a kernel', async () => {
    const { page, screen, messages } = await suite.open();
    await screen.toContain('serai> ');
    await page.locator('#stop').click();
    await page.locator('#kernel').setInputFiles({ name: 'text', mimeType: 'text/plain', buffer: Buffer.from('no kernel at all') });
    await page.locator('#start').click();
    await messages.toMatch(/kernel: /);
  });
});
