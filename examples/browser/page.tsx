// The demo page: a machine and its serial console in a browser, and what can be seen of its translation. serai is the guest until somebody brings a kernel.
import { effect, signal } from '@preact/signals';
import { render } from 'preact';
import { readAddress, writeAddress } from './app/address.ts';
import { followFocus } from './app/focus.ts';
import { activity, historyOf } from './app/histories.ts';
import { isIsolated, isolate } from './app/isolation.ts';
import { PANELS } from './app/panels.ts';
import { followPreferences } from './app/preferences.ts';
import { followRegionKeys } from './app/regions.ts';
import { SerialTerminal } from './app/serial-terminal.ts';
import { type Report, reportOf, Session } from './app/session.ts';
import { defaultSettings } from './app/settings.ts';
import { followTour, goTo, isOpen, shownStep } from './app/tour-place.ts';
import { followViewport } from './app/viewport.ts';
import { App } from './components/app.tsx';
import './page.css';

/** The page is drawn by then. */
const DRAWN_MS = 150;

const defaults = defaultSettings(navigator.hardwareConcurrency);
const { settings, view, problems } = readAddress(
  new URL(location.href),
  defaults,
  PANELS.map(({ id }) => id),
);
const terminal = new SerialTerminal();
const session = new Session(terminal, settings, new URL('serai.elf', import.meta.url));
const firstPanel = PANELS[0]!.id;
const panel = signal(view.panel ?? firstPanel);
const notice = signal<Report | undefined>(undefined);
if (problems.length > 0)
  notice.value = {
    title: 'Parts of the address are not understood',
    text: ['In their place are the defaults; the rest holds.', ...problems].join('\n'),
  };

if (view.tour !== undefined) {
  goTo(view.tour);
  isOpen.value = true;
}

followPreferences(document.documentElement);
followTour();
// What the CPUs did while they booted is to be seen later as well.
historyOf(session, activity);
/** Begins where the page's threads share no memory yet: it is loaded once more, or goes on without. */
async function beginAlone(): Promise<void> {
  const why = await isolate((text) => (notice.value = { title: 'No threads yet', text }));
  session.threads = false;
  const text = `This page is not isolated from other origins (${why}), so the CPUs take turns on one thread, in lockstep. That is slower, and as right.`;
  notice.value = { title: 'Without threads', text, details: problems.length > 0 ? problems.join('\n') : undefined };
  await session.start();
}
for (const name of ['error', 'unhandledrejection'] as const)
  addEventListener(name, (event) => {
    const error: unknown = 'reason' in event ? event.reason : ((event as ErrorEvent).error ?? (event as ErrorEvent).message);
    session.error.value = reportOf('The page failed', error);
  });

// The machine first: its CPUs have threads of their own, and boot while the page is drawn. Where it lets wait the page says for what.
const made = isIsolated() ? session.start() : beginAlone();
await Promise.race([made, new Promise((drawn) => setTimeout(drawn, DRAWN_MS))]);
render(<App session={session} terminal={terminal} panel={panel} notice={notice} />, document.getElementById('app')!);
followFocus(session, terminal);
followRegionKeys();
followViewport(document.documentElement, () => document.getElementById('terminal'));

// A link to the page as it is. What the address says stays until something changes.
let isFirst = true;
effect(() => {
  const shown = { panel: panel.value === firstPanel ? undefined : panel.value, tour: shownStep.value };
  const address = writeAddress(new URL(location.href), session.settings.value, defaults, shown);
  if (!isFirst) history.replaceState(null, '', address);
  isFirst = false;
});
