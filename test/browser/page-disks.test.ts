// Disks that a browser keeps and the network between tabs, in a real browser: by the API with guests of a few instructions, and by the page's form and panels.
import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { LISTENS, SENDS, SENT } from '../unit/devices/net-guests.ts';
import { EXIT, image, READS_AND_WRITES, RIGHT, WRITES_AND_READS, written } from '../unit/machine/disk-guest.ts';
import { describePage } from './describe-page.ts';
import { poll } from './open-page.ts';

const guest = (kernel: Uint8Array) => ({ kernel: [...kernel], exit: EXIT });

describePage('disks and network of the page', { more: { guests: 'test/browser/page-guests.ts' } }, (suite) => {
  /** A function of page-guests.ts in a page. As text: what runs there is no module of this test's. */
  const call = (page: Page, what: string, ...args: readonly unknown[]): Promise<unknown> =>
    page.evaluate(`import('./${suite.version}/guests.js').then((guests) => guests.${what}(...${JSON.stringify(args)}))`);

  it('keeps what guests write, for one machine at a time, also when a tab is closed while its machine runs', async () => {
    const { page, context, errors } = await suite.open('?cpus=1', {}, { cores: 1 });
    const other = await context.newPage();
    await other.goto(`${suite.url}?cpus=1`);
    expect(await call(page, 'make', 'disk', [...image()])).toBe(undefined);
    expect(await call(page, 'runOn', 'disk', guest(WRITES_AND_READS))).toEqual(RIGHT);
    expect(await call(other, 'bytesOf', 'disk')).toEqual([...written()]);
    // Again, in the other tab.
    expect(await call(other, 'runOn', 'disk', guest(WRITES_AND_READS))).toEqual(RIGHT);
    // One that has it no longer than a moment is waited for.
    await page.evaluate("void navigator.locks.request('dragoman disk disk', () => new Promise((free) => setTimeout(free, 300)))");
    expect(await call(other, 'bytesOf', 'disk')).toEqual([...written()]);
    // Two tabs at once: one that is closed without a word has written.
    expect(await call(page, 'make', 'held', [...image()])).toBe(undefined);
    await call(other, 'begin', guest(READS_AND_WRITES), { disk: 'held' });
    const inUse = /^BAD_DISK disk 'held': the disk is in use: a machine has it, perhaps in another tab/;
    expect(await call(page, 'runOn', 'held', guest(WRITES_AND_READS))).toMatch(inUse);
    const [looked, taken, removed] = (await call(page, 'tries', 'held')) as string[];
    expect(looked).toBe('done');
    expect(taken).toMatch(inUse);
    expect(removed).toMatch(inUse);
    await other.close();
    await poll(() => call(page, 'bytesOf', 'held').catch(String)).toEqual([...written()]);
    expect(await call(page, 'runOn', 'held', guest(WRITES_AND_READS))).toEqual(RIGHT);
    // What cannot be.
    expect(await call(page, 'make', 'held', 512)).toMatch(/^BAD_DISK disk 'held': there is a disk of this name already/);
    expect(await call(page, 'make', 'odd', 513)).toMatch(/^BAD_DISK disk 'odd': 513 bytes/);
    expect(await call(page, 'make', 'a/b', 512)).toMatch(/^BAD_OPTION a\/b: a disk's name/);
    expect(await call(page, 'make', 'huge', 2 ** 50)).toMatch(
      /^HOST_LIMIT disk 'huge': the browser has no room for 1125899906842624 bytes/,
    );
    expect(await call(page, 'tries', 'huge')).toEqual(Array(3).fill(expect.stringMatching(/^NO_FILE disk 'huge': there is no such disk/)));
    expect(errors).toEqual([]);
  });

  it.skipIf(process.env.DRAGOMAN_LONG_TESTS !== '1')('has both in its form and panels', async () => {
    const { page, context, screen, messages, errors } = await suite.open('?cpus=1&panel=disks', {}, { cores: 1 });
    await screen.toMatch(/\nserai> /);
    const panel = poll(() => page.locator('[role="tabpanel"]').innerText());
    await panel.toMatch(/Used: .* of .*There are none yet\./s);
    await page.locator('#disk-name').fill('empty');
    await page.locator('#disk-size').fill('2');
    await page.locator('#disk-make').click();
    await panel.toMatch(/empty\s+2 MiB/);
    await page
      .locator('#disk-image')
      .setInputFiles({ name: 'mine.img', mimeType: 'application/octet-stream', buffer: Buffer.from(image()) });
    expect(await page.locator('#disk-name').inputValue()).toBe('mine.img');
    await page.locator('#disk-make').click();
    await panel.toMatch(/mine\.img\s+4 KiB/);
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Export mine.img' }).click()]);
    expect(download.suggestedFilename()).toBe('mine.img');
    expect(new Uint8Array(await readFile(await download.path()))).toEqual(image());
    // A disk of each kind, and a network, for a machine; they are in the address but for the file.
    await page.getByRole('button', { name: 'Give mine.img to the machine' }).click();
    await page.locator('#disk').setInputFiles({ name: 'scratch.img', mimeType: 'application/octet-stream', buffer: Buffer.from(image()) });
    await page.locator('#network').fill('lab');
    await poll(() => page.locator('.disk-list').innerText()).toMatch(/vda mine\.img, kept.*vdb scratch\.img, in memory/s);
    expect(new URL(page.url()).search).toBe('?cpus=1&disks=mine.img&network=lab&panel=disks'.replace('cpus=1&', ''));
    await page.locator('#start').click();
    await screen.toMatch(/\nserai> /);
    await panel.toMatch(/mine\.img\s+4 KiB, in use/);
    // The same address in another tab: the disk has a writer, the network has room.
    const other = await context.newPage();
    await other.goto(page.url());
    await poll(async () => (await other.locator('.error-block').allTextContents()).join()).toMatch(/disk 'mine\.img': the disk is in use/);
    await other.getByRole('button', { name: 'Give mine.img to the machine' }).click();
    await other.locator('#start').click();
    await page.getByRole('tab', { name: 'Network' }).click();
    await panel.toMatch(/1 other machine is on the network lab/);
    await other.close();
    await panel.toMatch(/Nobody else is on the network lab/);
    // No machine has it any more: it can be deleted, if one means it.
    await page.getByRole('tab', { name: 'Disks' }).click();
    await page.locator('#stop').click();
    await panel.not.toMatch(/in use/);
    await page.getByRole('button', { name: 'Delete mine.img' }).click();
    await page.getByRole('button', { name: 'Delete mine.img for good' }).click();
    await panel.not.toMatch(/mine\.img/);
    // An address with a disk that is not there.
    await page.locator('#disk-name').fill('empty');
    await page.locator('#disk-make').click();
    await messages.toMatch(/That did not work.*disk 'empty': there is a disk of this name already/);
    expect(errors).toEqual([]);
  });

  it.skipIf(process.env.DRAGOMAN_LONG_TESTS !== '1')('leads from a machine in one tab to a machine in another', async () => {
    const { page, context } = await suite.open('?cpus=1', {}, { cores: 1 });
    const other = await context.newPage();
    await other.goto(`${suite.url}?cpus=1`);
    await call(page, 'begin', guest(LISTENS), { network: 'wire' });
    await call(other, 'runOnNetwork', guest(SENDS), 'wire');
    await poll(() => call(page, 'shown')).toEqual([1, ...SENT]);
  });
});
