// Light or dark: what the system says, until the reader presses the button; who draws is told.

const KEY = 'dragoman-report-theme';
type Theme = 'light' | 'dark';

const root = document.documentElement;
const system = matchMedia('(prefers-color-scheme: dark)');
const theme = (): Theme => (root.dataset.theme as Theme | undefined) ?? (system.matches ? 'dark' : 'light');

/** Shows the button, and calls `onChange` whenever colours are others; on paper they are light. */
export function watchTheme(button: HTMLButtonElement, onChange: () => void): void {
  const show = () => {
    const other = theme() === 'dark' ? 'Light' : 'Dark';
    button.textContent = other;
    button.setAttribute('aria-label', `${other} colours`);
  };
  const change = () => {
    show();
    onChange();
  };
  button.hidden = false;
  button.addEventListener('click', () => {
    root.dataset.theme = theme() === 'dark' ? 'light' : 'dark';
    try {
      localStorage.setItem(KEY, root.dataset.theme);
    } catch {
      // A browser that keeps nothing for files: it is the system's again next time.
    }
    change();
  });
  system.addEventListener('change', change);
  let before: string | undefined;
  addEventListener('beforeprint', () => {
    before = root.dataset.theme;
    root.dataset.theme = 'light';
    change();
  });
  addEventListener('afterprint', () => {
    if (before === undefined) delete root.dataset.theme;
    else root.dataset.theme = before;
    change();
  });
  show();
}
