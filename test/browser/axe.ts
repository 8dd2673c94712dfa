// What axe, the checker of accessibility, finds in a page that is open.
import axe from 'axe-core';
import type { Page } from 'playwright-core';

/** A selector of what axe looks at, or selectors of what it leaves out. */
type Where = string | { exclude: string[][] };

/** What axe finds, a line each. */
export async function violations(page: Page, where: Where = 'html'): Promise<string[]> {
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.addScriptTag({ content: axe.source });
  return page.evaluate(async (context) => {
    const { violations: all } = await (globalThis as unknown as { axe: typeof axe }).axe.run(context);
    return all.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id}: ${target.join(' ')}: ${failureSummary}`));
  }, where);
}

/** The same in dark and in light. */
export async function violationsInBoth(page: Page, where?: Where): Promise<string[]> {
  const found: string[] = [];
  for (const colorScheme of ['dark', 'light'] as const) {
    await page.emulateMedia({ colorScheme });
    found.push(...(await violations(page, where)).map((line) => `${colorScheme}: ${line}`));
  }
  return found;
}
