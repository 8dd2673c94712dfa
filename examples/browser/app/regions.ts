// F6 and Shift+F6 lead round the regions of the page, as they do in browsers: out of the terminal, too, which takes all other keys.

/** Elements with this attribute are the stations. Its value selects what gets the focus there; where that is empty, what had it last, or the first that takes it. */
const REGION = 'data-region';
const FOCUSABLE = 'a[href], button, input, select, textarea, summary, [tabindex]:not([tabindex="-1"])';
const last = new WeakMap<Element, HTMLElement>();

const canFocus = (element: HTMLElement): boolean =>
  element.isConnected && element.tabIndex >= 0 && !element.matches(':disabled') && element.checkVisibility({ visibilityProperty: true });

/** Whether something in the region has taken the focus. */
export function enterRegion(region: Element): boolean {
  const chosen = region.getAttribute(REGION) ?? '';
  const before = last.get(region);
  const first = chosen === '' && before !== undefined ? [before] : [];
  const all = [...first, ...region.querySelectorAll<HTMLElement>(chosen || FOCUSABLE)];
  const target = all.find(canFocus);
  target?.focus();
  return target !== undefined;
}

function goRound(step: 1 | -1): void {
  const regions = [...document.querySelectorAll(`[${REGION}]`)];
  const here = regions.findIndex((region) => region.contains(document.activeElement));
  const from = here < 0 && step < 0 ? 0 : here;
  for (let n = 1; n <= regions.length; n++) {
    const at = (from + step * n + regions.length * n) % regions.length;
    if (enterRegion(regions[at]!)) return;
  }
}

export const isRegionKey = ({ key, ctrlKey, altKey, metaKey }: KeyboardEvent): boolean => key === 'F6' && !ctrlKey && !altKey && !metaKey;

/** From now on the keys do that. */
export function followRegionKeys(): void {
  document.addEventListener('focusin', ({ target }) => {
    const region = (target as Element).closest(`[${REGION}]`);
    if (region !== null) last.set(region, target as HTMLElement);
  });
  document.addEventListener('keydown', (event) => {
    if (!isRegionKey(event)) return;
    event.preventDefault();
    goRound(event.shiftKey ? -1 : 1);
  });
}
