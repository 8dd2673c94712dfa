// The terminal on the guest's first serial port: xterm.js with the page's colours, flow control, and a sticky Ctrl for keyboards that have none.
import { effect, type Signal, signal } from '@preact/signals';
import { FitAddon } from '@xterm/addon-fit';
import { type ITheme, Terminal } from '@xterm/xterm';
import { type BarKey, sent, withCtrl } from './keys.ts';
import { isDark, reducedMotion, screenReader, textSize } from './preferences.ts';
import type { Output } from './session.ts';

/** So much may wait for the terminal, which drops what is far more, before the guest waits for it. */
const SHOWN_LATER = 64 * 1024;
/** WCAG's for text; xterm.js moves colours that guests choose until they have it. */
const CONTRAST = 4.5;

const DARK: ITheme = {
  background: '#0b0e13',
  foreground: '#e4e8ee',
  cursor: '#7cc0ff',
  cursorAccent: '#0b0e13',
  selectionBackground: '#2f4a68',
  black: '#39424e',
  red: '#ff8a80',
  green: '#8ddb8c',
  yellow: '#f0c674',
  blue: '#7cc0ff',
  magenta: '#d6a5ff',
  cyan: '#76d9d9',
  white: '#d7dce3',
  brightBlack: '#8b96a5',
  brightRed: '#ffb0a8',
  brightGreen: '#b3ebb0',
  brightYellow: '#ffe09a',
  brightBlue: '#aad7ff',
  brightMagenta: '#e7c9ff',
  brightCyan: '#a8eeee',
  brightWhite: '#ffffff',
};
const LIGHT: ITheme = {
  background: '#ffffff',
  foreground: '#1b2129',
  cursor: '#0b5cad',
  cursorAccent: '#ffffff',
  selectionBackground: '#bcd9f7',
  black: '#1b2129',
  red: '#b3261e',
  green: '#1d6f2b',
  yellow: '#7a5a00',
  blue: '#0b5cad',
  magenta: '#7b2fb0',
  cyan: '#006b73',
  white: '#5a6472',
  brightBlack: '#4b5563',
  brightRed: '#c5352b',
  brightGreen: '#1f7a31',
  brightYellow: '#856300',
  brightBlue: '#1468bd',
  brightMagenta: '#8a3cc2',
  brightCyan: '#00757e',
  brightWhite: '#333c48',
};

export class SerialTerminal implements Output {
  /** Whether Ctrl is held for the next key. */
  readonly ctrl: Signal<boolean> = signal(false);
  private readonly terminal = new Terminal({
    scrollback: 10_000,
    lineHeight: 1.15,
    fontFamily: 'ui-monospace, "Cascadia Mono", "SF Mono", Menlo, "DejaVu Sans Mono", Consolas, monospace',
    minimumContrastRatio: CONTRAST,
  });
  private readonly fit = new FitAddon();
  private waiting = 0;

  constructor() {
    this.terminal.loadAddon(this.fit);
  }

  /** Puts it into an element whose size it follows, with text as large as the element's. */
  open(element: HTMLElement): void {
    const { terminal } = this;
    terminal.open(element);
    effect(() => {
      terminal.options.theme = isDark.value ? DARK : LIGHT;
      terminal.options.cursorBlink = !reducedMotion.value;
      terminal.options.screenReaderMode = screenReader.value === 'on';
    });
    const resize = () => {
      terminal.options.fontSize = Number.parseFloat(getComputedStyle(element).fontSize);
      this.fit.fit();
    };
    effect(() => {
      void textSize.value;
      resize();
    });
    new ResizeObserver(resize).observe(element);
  }

  /** What its text area is called and described by, and which keys it leaves to the page. `leaves`: of key events. */
  explain(label: string, describedBy: string, leaves: (event: KeyboardEvent) => boolean): void {
    this.terminal.textarea?.setAttribute('aria-label', label);
    this.terminal.textarea?.setAttribute('aria-describedby', describedBy);
    this.terminal.attachCustomKeyEventHandler((event) => !leaves(event));
  }

  /** What is typed: text, and bytes as characters. */
  listen(onText: (text: string) => void, onBytes: (text: string) => void): void {
    this.terminal.onData((text) => {
      const held = this.ctrl.value;
      this.ctrl.value = false;
      onText(held ? withCtrl(text) : text);
    });
    this.terminal.onBinary(onBytes);
  }

  press(key: BarKey): void {
    const held = this.ctrl.value;
    this.ctrl.value = false;
    this.terminal.input(sent(key, held, this.terminal.modes.applicationCursorKeysMode));
  }

  show(bytes: Uint8Array): Promise<void> | undefined {
    this.waiting += bytes.length;
    const shown = new Promise<void>((resolve) => {
      this.terminal.write(bytes, () => {
        this.waiting -= bytes.length;
        resolve();
      });
    });
    return this.waiting > SHOWN_LATER ? shown : undefined;
  }

  reset(): void {
    this.terminal.reset();
  }

  focus(): void {
    this.terminal.focus();
  }

  get hasFocus(): boolean {
    return document.activeElement === this.terminal.textarea;
  }
}
