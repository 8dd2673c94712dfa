// The guest's serial console, with its key bar.
import { useLayoutEffect, useRef } from 'preact/hooks';
import { isRegionKey } from '../app/regions.ts';
import type { SerialTerminal } from '../app/serial-terminal.ts';
import type { Session } from '../app/session.ts';
import { KeyBar } from './key-bar.tsx';
import './terminal.css';

const HINT = 'terminal-hint';

/** Where nobody takes keys, Tab leads on as it does elsewhere. */
const leadsOn = (session: Session, event: KeyboardEvent): boolean => {
  const state = session.state.peek();
  return isRegionKey(event) || (event.key === 'Tab' && state !== 'running' && state !== 'paused');
};

export function Terminal({ session, terminal }: { readonly session: Session; readonly terminal: SerialTerminal }) {
  const screen = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    terminal.open(screen.current!);
    terminal.explain('Serial console', HINT, (event) => leadsOn(session, event));
    terminal.listen(
      (text) => session.type(text),
      (bytes) => session.typeBytes(bytes),
    );
  }, [session, terminal]);
  return (
    <section class="serial-console" id="terminal" aria-labelledby="terminal-title" data-region=".xterm-helper-textarea">
      <header>
        <h2 id="terminal-title">Serial console</h2>
        <p class="hint" id={HINT}>
          {session.settings.value.kernel === undefined && (
            <>
              serai<span class="long">, a small kernel made to be read</span>: type <kbd>help</kbd>.{' '}
            </>
          )}
          <span class="keyboards">
            <kbd>F6</kbd> leaves the terminal.
          </span>
        </p>
      </header>
      <div class="screen" id="screen" ref={screen} />
      <KeyBar terminal={terminal} />
    </section>
  );
}
