// The ways into the demo page: by keyboard alone, by screen reader, on a phone, by address, with files of one's own, and what it says when something is wrong. axe looks at it in each dress.
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { violations, violationsInBoth } from './axe.ts';
import { describePage } from './describe-page.ts';
import { poll } from './open-page.ts';

const LONG = process.env.DRAGOMAN_LONG_TESTS === '1';
/** Binaryen need not be loaded. */
const QUICK = '?encoder=direct&panel=numbers';
const DESKTOP = { viewport: { width: 1280, height: 1000 }, permissions: ['clipboard-read', 'clipboard-write'] };
const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

/** Drops a file onto the page: one with this text, or, where there is none, serai. */
const drop = (page: Page, fileName: string, text?: string) =>
  page.evaluate(
    async ([called, content]) => {
      const transfer = new DataTransfer();
      const bytes = content ?? (await (await fetch('serai.elf')).arrayBuffer());
      transfer.items.add(new File([bytes], called!));
      for (const type of ['dragenter', 'drop'])
        document.body.dispatchEvent(new DragEvent(type, { dataTransfer: transfer, bubbles: true, cancelable: true }));
    },
    [fileName, text] as const,
  );

describePage('ways into the demo page', {}, ({ open }) => {
  it('is worked by keyboard alone, and axe finds nothing; files are dropped, errors are copied', async () => {
    const { page, enter, screen, state, focus, messages, errors } = await open(QUICK, DESKTOP);
    const press = (key: string) => page.keyboard.press(key);
    await screen.toMatch(/\nserai> /);
    await focus.toBe('terminal');
    await enter('primes 100000');
    await screen.toMatch(/\n9592 primes up to 100000/);
    // Out of the terminal, which has Tab.
    await press('Tab');
    await focus.toBe('terminal');
    await press('F6');
    await focus.toBe('tab-numbers');
    await poll(() => page.locator('#panel-numbers').innerText()).toContain('Regions');
    expect(await violationsInBoth(page)).toEqual([]);
    // From panel to panel, once round.
    const tabs = await page.locator('[role="tab"]').evaluateAll((all) => all.map(({ id }) => id));
    const from = tabs.indexOf('tab-numbers');
    for (let n = 1; n <= tabs.length; n++) {
      await press('ArrowRight');
      const tab = tabs[(from + n) % tabs.length]!;
      await focus.toBe(tab);
      await poll(() => page.locator('[role="tabpanel"]').innerText()).not.toMatch(/^Loading$/);
      // The tests of the panels let it look at most of them as well.
      if (LONG) expect((await violationsInBoth(page, '#panels')).map((line) => `${tab}: ${line}`)).toEqual([]);
    }
    await press('Shift+F6');
    await focus.toBe('terminal');
    await press('Shift+F6');
    await focus.toBe('start');
    await press('Tab');
    await press('Enter');
    await state.toBe('paused');
    await focus.toBe('pause');
    await press('Enter');
    await state.toBe('running');
    // Nothing is read out while nothing happens.
    await page.evaluate(() => {
      const count = () => (document.title = `${Number(document.title) + 1}`);
      document.title = '0';
      for (const live of document.querySelectorAll('output, [role="status"], [role="alert"], [aria-live]:not([aria-live="off"])'))
        new MutationObserver(count).observe(live, { childList: true, characterData: true, subtree: true });
    });
    await page.waitForTimeout(600);
    expect(await page.title()).toBe('0');
    await press('Tab');
    await press('Enter');
    await state.toMatch(/^stopped/);
    await focus.toBe('start');
    await press('Enter');
    await screen.toMatch(/\nserai> /);
    await focus.toBe('terminal');
    await enter('halt');
    await state.toMatch(/^the guest powered off/);
    await focus.toBe('start');
    // Nobody takes Tab any more.
    await press('F6');
    await focus.toBe('terminal');
    await press('Tab');
    await focus.toBe('tab-numbers');
    await page.locator('.skip').first().focus();
    await press('Enter');
    await focus.toBe('terminal');
    // Dropped files.
    await drop(page, 'letter.txt', 'Dear kernel');
    await messages.toMatch(/letter\.txt is neither a kernel .* nor an initrd/);
    await page.getByRole('button', { name: 'Copy', exact: true }).click();
    await poll(() => page.evaluate(() => navigator.clipboard.readText())).toMatch(/^A file that no machine starts from\n\nletter\.txt is/);
    await page.getByRole('button', { name: 'Close' }).click();
    await drop(page, 'mine.elf');
    await messages.toMatch(/kernel: mine\.elf/);
    await focus.toBe('start');
    expect(await page.locator('#kernel').evaluate((input: HTMLInputElement) => input.files![0]!.name)).toBe('mine.elf');
    expect(await page.locator('summary .what').textContent()).toMatch(/^mine\.elf · 2 CPUs · 256 MiB/);
    await press('Enter');
    await screen.toMatch(/\nserai> /);
    // A machine that cannot be made: who asked for it comes to why.
    await page.locator('#kernel').setInputFiles({ name: 'text', mimeType: 'text/plain', buffer: Buffer.from('no kernel at all') });
    await page.locator('#start').focus();
    await press('Enter');
    await messages.toMatch(/The machine could not be made.*kernel: /);
    await focus.toBe('alert');
    expect(await violationsInBoth(page)).toEqual([]);
    expect(errors).toEqual([]);
  });

  it('is worked on a phone, whose keyboard covers nothing', async () => {
    const { page, enter, screen, focus, errors } = await open(QUICK, PHONE);
    const tap = (key: string) => page.getByRole('toolbar').getByRole('button', { name: key, exact: true }).tap();
    await screen.toMatch(/\nserai> /);
    // The form is folded, and nobody asked for a keyboard.
    expect(await page.locator('#cpus').isVisible()).toBe(false);
    await focus.toBe('BODY');
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(PHONE.viewport.width);
    expect(await violationsInBoth(page)).toEqual([]);
    await page.locator('#screen').tap();
    await focus.toBe('terminal');
    await page.keyboard.type('prim');
    await tap('Tab');
    await enter('1000');
    await screen.toMatch(/serai> primes 1000\n168 primes/);
    await tap('Up');
    await screen.toMatch(/serai> primes 1000 *\n*$/);
    await tap('Ctrl');
    await page.keyboard.type('u');
    await screen.toMatch(/serai> *\n*$/);
    await page.keyboard.type('cpus');
    await tap('Control C');
    await screen.toMatch(/serai> cpus\^C *\nserai>\s*$/);
    await focus.toBe('terminal');
    // A keyboard comes.
    await page.setViewportSize({ width: 390, height: 430 });
    const bottom = () => page.evaluate(() => document.querySelector('.key-bar')!.getBoundingClientRect().bottom);
    await poll(bottom).toBeLessThanOrEqual(430);
    const top = await page.evaluate(() => document.querySelector('#screen')!.getBoundingClientRect().top);
    expect(top).toBeGreaterThanOrEqual(0);
    expect(errors).toEqual([]);
  });

  it('is what its address says, and says what it cannot be', async () => {
    const { page, screen, messages, errors } = await open(
      '?encoder=direct&cpus=3&memory=64&append=run%3Dcpus&mode=transparent&cpsu=1&seed=x&panel=nowhere',
      DESKTOP,
    );
    await screen.toMatch(/serai> cpus\n(?:.|\n)*\n3 CPUs online/);
    await messages.toMatch(
      /cpsu: there is no such parameter; is 'cpus' meant\?.*seed: 'x' is not a seed \(0 to 4294967295\).*panel: there is no panel 'nowhere'/s,
    );
    expect(await page.locator('#memory').inputValue()).toBe('64');
    expect(await page.locator('#mode').inputValue()).toBe('transparent');
    // What is changed is in the address.
    await page.locator('#cpus').fill('2');
    await page.locator('#seed').fill('7');
    await poll(() => page.evaluate(() => location.search)).toBe('?append=run%3Dcpus&memory=64&encoder=direct&mode=transparent&seed=7');
    await page.getByText('Restart makes a machine of this.').waitFor();
    await page.locator('#start').click();
    await screen.toMatch(/serai> cpus\n(?:.|\n)*\n2 CPUs online/);
    // More room for the panels.
    const widths = () => page.locator('#terminal, #panels').evaluateAll((all) => all.map(({ clientWidth }) => clientWidth));
    const [terminal, panels] = await widths();
    expect(terminal!).toBeGreaterThan(panels!);
    await page.getByRole('button', { name: 'Wide panels' }).click();
    await poll(async () => Math.sign((await widths()).reduce((left, right) => right - left))).toBe(1);
    // Larger, for readers, and in the other colours: kept for the next time.
    await page.getByRole('button', { name: 'View' }).click();
    await page.getByLabel('For a projector').check();
    await page.getByLabel('Dark').check();
    await page.getByLabel('Terminal for screen readers').check();
    expect(await violations(page)).toEqual([]);
    await page.reload();
    await poll(() => page.locator('.xterm-accessibility-tree').innerText()).toMatch(/2 CPUs online/);
    const look = await page.evaluate(() => [
      getComputedStyle(document.documentElement).fontSize,
      getComputedStyle(document.documentElement).colorScheme,
    ]);
    expect(look).toEqual(['23px', 'dark']);
    expect(errors).toEqual([]);
  });

  it('says that it wants JavaScript, where there is none', async () => {
    const { page } = await open('', { javaScriptEnabled: false });
    expect(await page.locator('body').innerText()).toMatch(/takes JavaScript/);
  });
});
