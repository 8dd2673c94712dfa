// What is done with the machine: start, pause, stop, and a link to one that is made alike.

import type { Session } from '../app/session.ts';
import { CopyButton } from '../parts/copy-button.tsx';
import { Icon } from '../parts/icon.tsx';
import { MACHINE_FORM } from './machine-form.tsx';
import './toolbar.css';

export function Toolbar({ session }: { readonly session: Session }) {
  const state = session.state.value;
  const runs = state === 'running' || state === 'paused';
  const paused = state === 'paused';
  return (
    <div class="toolbar">
      {/* Not disabled while a machine is made: it would lose the focus. */}
      <button type="submit" form={MACHINE_FORM} id="start" class={runs ? '' : 'primary'} aria-disabled={state === 'starting'}>
        <Icon name={runs ? 'restart' : 'start'} />
        {runs ? 'Restart' : 'Start'}
      </button>
      <button type="button" id="pause" disabled={!runs} onClick={() => void (paused ? session.resume() : session.pause())}>
        <Icon name={paused ? 'start' : 'pause'} />
        {paused ? 'Resume' : 'Pause'}
      </button>
      <button type="button" id="stop" disabled={!runs} onClick={() => session.stop()}>
        <Icon name="stop" />
        Stop
      </button>
      <CopyButton label="Copy link" icon="link" text={() => location.href} />
    </div>
  );
}
