// The guided tour: a step of it above the terminal, with a button that does what it is about, and a line that says when it has happened.
import { useComputed, useSignal, useSignalEffect } from '@preact/signals';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { PANELS } from '../app/panels.ts';
import { type Report, reportOf, type Session } from '../app/session.ts';
import { done, goTo, isDone, isOpen, STEPS, step } from '../app/tour-place.ts';
import { ErrorBlock } from '../parts/error-block.tsx';
import { Icon } from '../parts/icon.tsx';
import { misfit, WatchedGuest } from './guest.ts';
import { TOUR } from './steps.ts';
import './tour.css';

const TITLE = 'tour-title';

/** Text with what is in backquotes as code. */
const Paragraph = ({ text }: { readonly text: string }) => (
  <p>{text.split('`').map((part, n) => (n % 2 === 1 ? <code key={part}>{part}</code> : part))}</p>
);

export interface TourProps {
  readonly session: Session;
  /** Opens a panel, by its id. */
  readonly onPanel: (id: string) => void;
}

export default function Tour({ session, onPanel }: TourProps) {
  const at = step.value;
  const { title, text, needs = {}, panels, action, act, hint } = TOUR[at - 1]!;
  const heading = useRef<HTMLHeadingElement>(null);
  const failed = useSignal<Report | undefined>(undefined);
  /** The step that is being done. */
  const busy = useSignal<number | undefined>(undefined);
  const running = useRef(Promise.resolve());
  /** Goes up when the guest has printed something. */
  const printed = useSignal(0);
  const guest = useMemo(() => new WatchedGuest(session, () => printed.value++), [session]);
  useSignalEffect(() => guest.follow(session.machine.value));
  useEffect(() => () => guest.end(), [guest]);
  useSignalEffect(() => {
    void [printed.value, session.tick.value, session.machine.value];
    const now = step.value;
    if (guest.step !== now) guest.begin(now);
    const happened = guest.isDone ? undefined : TOUR[now - 1]!.check(guest);
    if (happened === undefined) return;
    guest.isDone = true;
    isDone(now, happened);
  });
  // Who asks for a step comes to its heading, which is read out; not at first, where the terminal is about to have the focus.
  const shown = useRef(at);
  useEffect(() => {
    failed.value = undefined;
    if (shown.current !== at) heading.current?.focus();
    shown.current = at;
  }, [at]);
  const hinted = useComputed(() => {
    void printed.value;
    return hint?.(guest);
  });
  const panel = PANELS.find(({ id }) => id === panels.find((wanted) => PANELS.some((one) => one.id === wanted)));
  const unfit = misfit(session, needs);
  const doIt = async () => {
    if (busy.value === at) return;
    busy.value = at;
    failed.value = undefined;
    // One after the other, where somebody is quicker than the guest.
    const before = running.current;
    const ended = Promise.withResolvers<void>();
    running.current = ended.promise;
    await before;
    try {
      if (panel !== undefined) onPanel(panel.id);
      await guest.ready(needs);
      guest.follow(session.machine.value);
      guest.begin(at);
      await act(guest);
    } catch (error) {
      failed.value = reportOf('That did not work', error);
    } finally {
      if (busy.value === at) busy.value = undefined;
      ended.resolve();
    }
  };
  const sentence = done.value.get(at);
  return (
    <section class="tour" id="tour" aria-labelledby={TITLE} data-region="#tour-do">
      <header>
        <h2 id={TITLE} tabIndex={-1} ref={heading}>
          <span class="number">
            {at} of {STEPS}
          </span>{' '}
          {title}
        </h2>
        <button type="button" class="quiet" onClick={() => (isOpen.value = false)}>
          <Icon name="close" />
          Leave the tour
        </button>
      </header>
      {text.map((paragraph) => (
        <Paragraph key={paragraph} text={paragraph} />
      ))}
      {failed.value !== undefined && <ErrorBlock report={failed.value} onClose={() => (failed.value = undefined)} />}
      <div class="buttons">
        <button
          type="button"
          id="tour-do"
          class={sentence === undefined ? 'primary' : ''}
          aria-disabled={busy.value === at}
          onClick={() => void doIt()}
        >
          <Icon name="start" />
          {action}
        </button>
        {panel !== undefined && (
          <button type="button" onClick={() => onPanel(panel.id)}>
            Open {panel.title}
          </button>
        )}
        <span class="steps">
          <button type="button" id="tour-back" disabled={at === 1} onClick={() => goTo(at - 1)}>
            Back
          </button>
          {at < STEPS ? (
            <button type="button" id="tour-next" class={sentence === undefined ? '' : 'primary'} onClick={() => goTo(at + 1)}>
              Next: {TOUR[at]!.title}
            </button>
          ) : (
            <button type="button" id="tour-next" class={sentence === undefined ? '' : 'primary'} onClick={() => (isOpen.value = false)}>
              End of the tour
            </button>
          )}
        </span>
      </div>
      <p role="status" class={sentence === undefined ? 'waits' : 'happened'}>
        {sentence ??
          (busy.value === at
            ? 'It is being done.'
            : (hinted.value ?? (unfit === undefined ? '' : `${unfit} “${action}” makes one that does.`)))}
      </p>
    </section>
  );
}
