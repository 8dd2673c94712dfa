// How somebody wants to see the page: colours, size of text, the terminal for screen readers. Kept in the browser.
import { computed, effect, type Signal, signal } from '@preact/signals';

export const SCHEMES = ['auto', 'light', 'dark'] as const;
export const SIZES = ['normal', 'large', 'largest'] as const;
type Scheme = (typeof SCHEMES)[number];
type Size = (typeof SIZES)[number];

/** A signal whose value is kept as text; one of `values`, the first of them by default. */
function kept<T extends string>(name: string, values: readonly [T, ...T[]]): Signal<T> {
  const key = `dragoman.${name}`;
  const read = (): string | null => {
    try {
      return localStorage.getItem(key);
    } catch {
      // A browser may refuse its storage.
      return null;
    }
  };
  const before = read();
  const value = signal<T>(values.find((one) => one === before) ?? values[0]);
  effect(() => {
    try {
      if (value.value !== (read() ?? values[0])) localStorage.setItem(key, value.value);
    } catch {}
  });
  return value;
}

function matches(query: string): Signal<boolean> {
  const list = matchMedia(query);
  const value = signal(list.matches);
  list.addEventListener('change', () => (value.value = list.matches));
  return value;
}

export const scheme: Signal<Scheme> = kept('colours', SCHEMES);
export const textSize: Signal<Size> = kept('text', SIZES);
/** Whether the terminal's text is there for screen readers, and what comes is read out. */
export const screenReader: Signal<'off' | 'on'> = kept('screen-reader', ['off', 'on']);
/** Whether the panels have the larger part of a wide window, or the terminal. */
export const panelsWide: Signal<'off' | 'on'> = kept('panels-wide', ['off', 'on']);
const systemIsDark = matches('(prefers-color-scheme: dark)');
export const reducedMotion = matches('(prefers-reduced-motion: reduce)');
/** Fingers, and no keyboard at hand. */
export const coarsePointer = matches('(pointer: coarse)');
/** What is seen: whoever draws by himself draws anew when it changes. */
export const isDark = computed(() => (scheme.value === 'auto' ? systemIsDark.value : scheme.value === 'dark'));

const largeWindow = matches('(min-width: 64rem) and (min-height: 60rem)');
/** Whether there is room for the form to stand open. */
export const roomy = computed(() => largeWindow.value && textSize.value === 'normal');

/** The document's root follows them. */
export function followPreferences({ dataset }: HTMLElement): void {
  effect(() => {
    dataset.scheme = scheme.value;
    dataset.text = textSize.value;
    dataset.panelsWide = panelsWide.value;
  });
}

/** A colour of page.css ('--accent') as it is now, for canvases. Read isDark beside it. */
export function colourOf(name: `--${string}`): string {
  const probe = document.createElement('i');
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
