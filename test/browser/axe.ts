// What axe, the checker of accessibility, finds in a page that is open.
import axe from 'axe-core';
import type { Page } from 'playwright-core';

/** What axe finds, a line each. `where`: in what it looks. */
export async function violations(page: Page, where = 'html'): Promise<string[]> {
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.addScriptTag({ content: axe.source });
  return page.evaluate(async (selector) => {
    const { violations: all } = await (globalThis as unknown as { axe: typeof axe }).axe.run(selector);
    return all.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id}: ${target.join(' ')}: ${failureSummary}`));
  }, where);
}

/** The same in dark and in light. */
export async function violationsInBoth(page: Page, where?: string): Promise<string[]> {
  const found: string[] = [];
  for (const colorScheme of ['dark', 'light'] as const) {
    await page.emulateMedia({ colorScheme });
    found.push(...(await violations(page, where)).map((line) => `${colorScheme}: ${line}`));
  }
  return found;
}
