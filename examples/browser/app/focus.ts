// Where the focus goes when the machine's state changes: into the terminal when it runs, to the button that starts the next one when it has ended.
import { effect } from '@preact/signals';
import { coarsePointer } from './preferences.ts';
import type { SerialTerminal } from './serial-terminal.ts';
import type { Session, SessionState } from './session.ts';

const START = 'start';

/** Where nobody has the focus, or who asked for the machine: its form, the button that starts it. */
export const askedForMachine = (): boolean => document.activeElement?.closest(`#${START}, form`) != null;
const nobodyHasFocus = (): boolean => document.activeElement === null || document.activeElement === document.body;

export function followFocus(session: Session, terminal: SerialTerminal): void {
  // It may run before the page is drawn.
  let before: SessionState = 'starting';
  effect(() => {
    const now = session.state.value;
    if (now === 'running' && before === 'starting') {
      // A soft keyboard would cover what is to be seen.
      if ((askedForMachine() || nobodyHasFocus()) && !coarsePointer.peek()) terminal.focus();
    } else if (now === 'ended') {
      // These take no keys any more.
      const idle = terminal.hasFocus || document.activeElement?.closest('#stop, #pause') != null;
      if (idle) document.getElementById(START)?.focus({ preventScroll: true });
    }
    before = now;
  });
}
