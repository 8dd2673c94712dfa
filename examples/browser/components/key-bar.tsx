// Keys that soft keyboards have not. Pressing one leaves the focus, and with it the keyboard, where it is.
import type { BarKey } from '../app/keys.ts';
import type { SerialTerminal } from '../app/serial-terminal.ts';
import './key-bar.css';

const KEYS: readonly { readonly key: BarKey; readonly text: string; readonly name: string }[] = [
  { key: 'Esc', text: 'Esc', name: 'Esc' },
  { key: 'Tab', text: 'Tab', name: 'Tab' },
  { key: 'Left', text: '←', name: 'Left' },
  { key: 'Up', text: '↑', name: 'Up' },
  { key: 'Down', text: '↓', name: 'Down' },
  { key: 'Right', text: '→', name: 'Right' },
  { key: 'Ctrl-C', text: '^C', name: 'Control C' },
];

const keepFocus = (event: Event) => event.preventDefault();

export function KeyBar({ terminal }: { readonly terminal: SerialTerminal }) {
  const { ctrl } = terminal;
  return (
    <div class="key-bar" role="toolbar" aria-label="Keys for the terminal">
      <button
        type="button"
        aria-pressed={ctrl.value}
        onPointerDown={keepFocus}
        onMouseDown={keepFocus}
        onClick={() => (ctrl.value = !ctrl.value)}
      >
        Ctrl
      </button>
      {KEYS.map(({ key, text, name }) => (
        <button
          key={key}
          type="button"
          aria-label={name === text ? undefined : name}
          onPointerDown={keepFocus}
          onMouseDown={keepFocus}
          onClick={() => terminal.press(key)}
        >
          {text}
        </button>
      ))}
    </div>
  );
}
