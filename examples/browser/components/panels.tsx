// The panels beside the terminal, by ARIA's pattern for tabs: arrows, Home and End lead from tab to tab, and open what they come to.
import { type Signal, useSignal, useSignalEffect } from '@preact/signals';
import { useErrorBoundary, useRef } from 'preact/hooks';
import { PANELS, type Panel, type PanelEntry } from '../app/panels.ts';
import { panelsWide } from '../app/preferences.ts';
import { reportOf, type Session } from '../app/session.ts';
import { ErrorBlock } from '../parts/error-block.tsx';
import { Icon } from '../parts/icon.tsx';
import './panels.css';

/** A guest that says nothing for so long is not waited for. */
const SILENT_MS = 3000;
/** So long at the most: where a guest keeps all cores busy no thread is ever idle. */
const IDLE_MS = 200;
const whenIdle = (then: () => void): void => {
  if (typeof requestIdleCallback === 'function') requestIdleCallback(then, { timeout: IDLE_MS });
  else setTimeout(then, IDLE_MS);
};

const tabOf = (id: string) => `tab-${id}`;
const panelOf = (id: string) => `panel-${id}`;

/** The panel that is open, loaded once the guest has said something (or does not): what boots has the cores for itself. */
function Loaded({ session, entry }: { readonly session: Session; readonly entry: PanelEntry }) {
  const loaded = useSignal<Panel | undefined>(undefined);
  const failed = useSignal<unknown>(undefined);
  const asked = useSignal(false);
  const [broken, mend] = useErrorBoundary();
  const load = () => {
    asked.value = true;
    failed.value = undefined;
    entry.load().then(
      (module) => (loaded.value = module.default),
      (error: unknown) => (failed.value = error),
    );
  };
  const waited = useRef(false);
  useSignalEffect(() => {
    if (asked.value) return;
    const state = session.state.value;
    const boots = state === 'starting' || (state === 'none' && session.error.value === undefined);
    const isSilent = state === 'running' && !session.hasSpoken.value;
    if (!boots && !isSilent) {
      if (waited.current) whenIdle(() => asked.peek() || load());
      else load();
      return;
    }
    waited.current = true;
    if (boots) return;
    const timer = setTimeout(load, SILENT_MS);
    return () => clearTimeout(timer);
  });
  const error: unknown = broken ?? failed.value;
  if (error !== undefined) {
    const again = () => {
      mend();
      load();
    };
    return (
      <>
        <ErrorBlock report={reportOf(`The panel "${entry.title}" failed`, error)} />
        <button type="button" onClick={again}>
          Try again
        </button>
      </>
    );
  }
  const Shown = loaded.value;
  return Shown === undefined ? <p class="muted">Loading</p> : <Shown session={session} />;
}

export function Panels({ session, open }: { readonly session: Session; readonly open: Signal<string> }) {
  const at = Math.max(
    0,
    PANELS.findIndex(({ id }) => id === open.value),
  );
  const entry = PANELS[at]!;
  const onKeyDown = (event: KeyboardEvent) => {
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1 + PANELS.length, Home: 0, End: PANELS.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    open.value = PANELS[to % PANELS.length]!.id;
    document.getElementById(tabOf(open.value))?.focus();
  };
  return (
    <section class="panels" id="panels" aria-labelledby="panels-title" data-region='[role="tab"][aria-selected="true"]'>
      <h2 id="panels-title" class="for-readers">
        Panels
      </h2>
      <div class="head">
        <div role="tablist" aria-labelledby="panels-title" onKeyDown={onKeyDown}>
          {PANELS.map(({ id, title }) => (
            <button
              key={id}
              type="button"
              role="tab"
              id={tabOf(id)}
              aria-selected={id === entry.id}
              aria-controls={panelOf(id)}
              tabIndex={id === entry.id ? 0 : -1}
              onClick={() => (open.value = id)}
            >
              {title}
            </button>
          ))}
        </div>
        <button
          type="button"
          class="quiet widen"
          aria-pressed={panelsWide.value === 'on'}
          onClick={() => (panelsWide.value = panelsWide.value === 'on' ? 'off' : 'on')}
        >
          <Icon name="widen" />
          <span class="for-readers">Wide panels</span>
        </button>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: ARIA's pattern has it so; what scrolls must be reached by keyboard. */}
      <div role="tabpanel" id={panelOf(entry.id)} aria-labelledby={tabOf(entry.id)} tabIndex={0} key={entry.id}>
        <Loaded session={session} entry={entry} />
      </div>
    </section>
  );
}
