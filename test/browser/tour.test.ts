// The guided tour in a real browser: all eight steps by the keyboard, each of which sees that it happened; it is left, and gone on with.
import { expect, it } from 'vitest';
import { violationsInBoth } from './axe.ts';
import { describePage } from './describe-page.ts';
import { poll } from './open-page.ts';

const LONG = process.env.DRAGOMAN_LONG_TESTS === '1';

/** What each step says that was seen. */
const SEEN = [
  /serai has started 2 CPUs, and waits at its prompt/,
  /78,498 primes in .*\. There are \d+ regions now/,
  /\d+ of \d+ regions know where they go on: \d+ chains/,
  /A system call takes [\d.,]+ nanoseconds/,
  /\d+ interrupts? came since this step began/,
  /Of 6,000,000 additions [\d,]+ counted, and [\d,]+ were lost; with atomic ones, none/,
  /A page fault took [\d.,]+ nanoseconds before the switch, and [\d.,]+ behind it/,
  /inscount counts since then/,
];

describePage('guided tour', {}, ({ open }) => {
  it('leads through eight steps by the keyboard', async () => {
    const { page, screen, focus, errors } = await open('?cpus=2&tour=1');
    const press = (key: string) => page.keyboard.press(key);
    const said = () => page.locator('.tour [role="status"]').innerText();
    const status = poll(said);
    const heading = poll(() => page.locator('#tour-title').innerText());
    await screen.toMatch(/\nserai> /);
    await heading.toMatch(/^1 of 8/);
    for (const [n, seen] of SEEN.entries()) {
      await heading.toMatch(new RegExp(`^${n + 1} of 8`));
      expect(new URL(page.url()).searchParams.get('tour')).toBe(`${n + 1}`);
      // Nothing is claimed that nobody has done; the first boot was.
      if (n > 0) expect(await page.locator('.tour .happened').count()).toBe(0);
      await page.locator('#tour-do').focus();
      // A race is not won each time.
      for (let tries = 0; ; tries++) {
        await press('Enter');
        // A poll of its own: `not` stays with it.
        await poll(said).not.toMatch(/^$|It is being done/);
        if (!/race is not won/.test(await said()) || tries === 5) break;
      }
      await status.toMatch(seen);
      if (LONG) expect((await violationsInBoth(page)).map((line) => `step ${n + 1}: ${line}`)).toEqual([]);
      if (n === 3) {
        // Left, and gone on with.
        await page.getByRole('button', { name: 'Leave the tour' }).click();
        expect(new URL(page.url()).searchParams.get('tour')).toBe(null);
        await page.locator('#tour-open').click();
        await status.toMatch(seen);
      }
      if (n === SEEN.length - 1) break;
      await page.locator('#tour-next').focus();
      await press('Enter');
      await focus.toBe('tour-title');
    }
    expect(await page.locator('#panels').innerText()).toMatch(/inscount/);
    expect(errors).toEqual([]);
    // In the next visit it is where it was.
    await page.reload();
    await screen.toMatch(/\nserai> /);
    expect(await page.locator('#tour').count()).toBe(1);
    await heading.toMatch(/^8 of 8/);
  });
});
