// What one does on the demo page: switches are thrown while the guest runs, it is stopped and looked at, goes back in time, and goes on from a file. serai is the guest.
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { violationsInBoth } from './axe.ts';
import { describePage } from './describe-page.ts';
import { poll } from './open-page.ts';

describePage('what one does on the demo page', {}, ({ open }) => {
  const panel = (page: Page) => poll(() => page.getByRole('tabpanel').innerText());
  const button = (page: Page, text: string | RegExp) => page.getByRole('tabpanel').getByRole('button', { name: text });
  const said = (page: Page) => poll(() => page.locator('[role="tabpanel"] [role="status"]').first().innerText());
  const tab = (page: Page, id: string) => page.locator(`#tab-${id}`).click();

  it('stops a guest at a name, looks at it, steps it', async () => {
    const { page, screen, state, type, messages, errors } = await open('?memory=32&panel=debug');
    await screen.toMatch(/\nserai> /);
    // A name, which a command comes to.
    await page.locator('#break-at').fill('serial_nowhere');
    await page.keyboard.press('Enter');
    await messages.toMatch(/There is no breakpoint.*'serial_nowhere' is no address/);
    await page.locator('#break-at').fill('command_cpus');
    await page.keyboard.press('Enter');
    await panel(page).toMatch(/command_cpus is executed, met 0 times/);
    await type('cpus');
    await state.toBe('paused');
    await said(page).toMatch(/^CPU \d stopped at 0x[0-9a-f]{8} command_cpus$/);
    const next = page.locator('.code-listing [aria-current="step"]');
    await poll(() => next.innerText()).toMatch(/command_cpus/);
    expect(await next.getByRole('button').getAttribute('aria-pressed')).toBe('true');
    expect(await page.locator('.calls li').first().innerText()).toMatch(/command_cpus$/);
    // A step: the instruction pointer has changed.
    await button(page, /^Step CPU/).click();
    await said(page).toMatch(/did 1 instruction: next is 0x[0-9a-f]{8} command_cpus\+0x/);
    expect(await page.locator('.registers .changed').allInnerTexts()).toEqual(expect.arrayContaining([expect.stringMatching(/^eip/)]));
    await page.locator('#memory-at').fill('command_cpus');
    await page.keyboard.press('Enter');
    const first = (await page.locator('.code-listing tbody tr').first().locator('th').innerText()).slice(0, 6);
    await poll(() => page.locator('.memory-rows').innerText()).toContain(first);
    await page.locator('#memory-at').fill('4');
    await page.keyboard.press('Enter');
    await panel(page).toMatch(/4: .*not mapped|not mapped/);
    expect(await violationsInBoth(page)).toEqual([]);
    await button(page, /^Remove/).click();
    await button(page, 'Go on').click();
    await screen.toMatch(/serai> cpus\n(?:.|\n)*online\nserai> /);
    expect(errors).toEqual([]);
  });

  it('throws switches while the guest runs, saves it to a file, and goes on from there', async () => {
    const { page, screen, state, type, messages, errors } = await open('?memory=32&panel=switches');
    await screen.toMatch(/\nserai> /);
    // Switches, and what of them is in the address.
    await page.getByRole('checkbox', { name: /^stack/ }).uncheck();
    await poll(async () => new URL(page.url()).searchParams.get('relax')).toBe('-stack');
    await page.getByRole('radio', { name: /^transparent/ }).check();
    expect(await page.getByRole('checkbox', { name: /^precision/ }).isChecked()).toBe(false);
    expect(await page.getByRole('checkbox', { name: /^stack/ }).isChecked()).toBe(true);
    expect([new URL(page.url()).searchParams.get('relax'), new URL(page.url()).searchParams.get('mode')]).toEqual([null, 'transparent']);
    expect(await page.getByText('Restart makes a machine of this.').isVisible()).toBe(false);
    await button(page, 'Count instructions').click();
    await type('primes 300000');
    await panel(page).toMatch(/Instructions a second\s+[\d.]+[KMB]?/);
    await page.getByRole('checkbox', { name: /^returns/ }).uncheck();
    await poll(() => page.locator('.effects').innerText()).toMatch(/returns off/);
    expect(await violationsInBoth(page)).toEqual([]);
    await button(page, 'Do not count').click();
    // To a file, and back by a page that was made otherwise.
    await tab(page, 'snapshot');
    const downloading = page.waitForEvent('download');
    await button(page, 'Save a snapshot').click();
    const file = await (await downloading).path();
    expect(await violationsInBoth(page)).toEqual([]);
    await page.locator('#stop').click();
    await page.locator('#mode').selectOption('classic');
    await page.locator('#cpus').fill('1');
    await page.locator('#restore-snapshot').setInputFiles({ name: 'text', mimeType: 'text/plain', buffer: Buffer.from('no snapshot') });
    await messages.toMatch(/text is no snapshot to go on from.*this is no snapshot/);
    await page.locator('#restore-snapshot').setInputFiles(file);
    await state.toBe('running');
    await type('cpus');
    // The prompt that it is typed at was printed before the snapshot.
    await screen.toMatch(/^cpus\n(?:.|\n)*online\nserai> /m);
    expect([await page.locator('#cpus').inputValue(), await page.locator('#mode').inputValue()]).toEqual(['2', 'transparent']);
    // With the names of its kernel.
    await tab(page, 'debug');
    await page.locator('#pause').click();
    await poll(() => page.locator('.cpus').innerText()).toMatch(/cpu_|idle|sched/);
    expect(errors).toEqual([]);
  });

  it('goes back in time, and on again, once it is in lockstep', async () => {
    const { page, screen, state, type, errors } = await open('?memory=16&panel=time');
    await screen.toMatch(/\nserai> /);
    await panel(page).toMatch(/The CPUs of this machine are threads/);
    await page.locator('#start-lockstep').click();
    await panel(page).toMatch(/Place in the run/);
    await screen.toMatch(/\nserai> /);
    expect(new URL(page.url()).searchParams.get('reverse')).toBe('yes');
    await type('cpus');
    await screen.toMatch(/serai> cpus\n(?:.|\n)*online\nserai> /);
    const shown = await page.locator('.xterm-rows').innerText();
    await button(page, 'Pause').click();
    await state.toBe('paused');
    const at = async () => Number(await page.locator('#time-at').inputValue());
    const last = await at();
    expect(last).toBeGreaterThan(100_000);
    const where = poll(() => page.locator('.time .where').innerText());
    await page.locator('#step-back').click();
    await said(page).toMatch(/went back by/);
    // By the slider, as somebody would by keyboard.
    await page.locator('#time-at').focus();
    await page.keyboard.press('Home');
    await poll(at).toBe(0);
    await where.toMatch(/^In the past/);
    await page.keyboard.press('ArrowRight');
    await poll(at).toBeGreaterThan(0);
    await poll(() => page.locator('.time caption', { hasText: 'Next instructions' }).count()).toBe(1);
    expect(await violationsInBoth(page)).toEqual([]);
    await button(page, 'To the present').click();
    await where.toMatch(/^In the present/);
    expect(await at()).toBe(last);
    // From the past it comes through the same, and prints it no second time.
    await button(page, 'To the start').click();
    await poll(at).toBe(0);
    await button(page, 'Run on from here').click();
    await where.toMatch(/^In the present/);
    expect(await page.locator('.xterm-rows').innerText()).toBe(shown);
    await type('primes 1000');
    await screen.toMatch(/168 primes up to 1000/);
    expect(errors).toEqual([]);
  });
});
