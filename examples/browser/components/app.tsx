// The page: the machine with its terminal, and the panels beside it.
import type { Signal } from '@preact/signals';
import { useCallback } from 'preact/hooks';
import { bringFiles } from '../app/bring.ts';
import { askedForMachine } from '../app/focus.ts';
import { enterRegion } from '../app/regions.ts';
import type { SerialTerminal } from '../app/serial-terminal.ts';
import { type Report, reportOf, type Session } from '../app/session.ts';
import { ErrorBlock } from '../parts/error-block.tsx';
import './app.css';
import { DropTarget } from './drop-target.tsx';
import { MachineForm } from './machine-form.tsx';
import { PageHeader } from './page-header.tsx';
import { Panels } from './panels.tsx';
import { StatusLine } from './status-line.tsx';
import { Terminal } from './terminal.tsx';
import { Toolbar } from './toolbar.tsx';
import { TourPlace } from './tour-place.tsx';

interface Props {
  readonly session: Session;
  readonly terminal: SerialTerminal;
  /** The panel that is open, by its id. */
  readonly panel: Signal<string>;
  /** Something to know that is no failure. */
  readonly notice: Signal<Report | undefined>;
}

function Skip({ to, children }: { readonly to: string; readonly children: string }) {
  return (
    <a
      class="skip"
      href={`#${to}`}
      onClick={(event) => {
        event.preventDefault();
        enterRegion(document.getElementById(to)!);
      }}
    >
      {children}
    </a>
  );
}

function Messages({ session: { error }, notice }: Pick<Props, 'session' | 'notice'>) {
  return (
    <>
      {error.value !== undefined && (
        <ErrorBlock report={error.value} takesFocus={askedForMachine} onClose={() => (error.value = undefined)} />
      )}
      {notice.value !== undefined && <ErrorBlock report={notice.value} kind="notice" onClose={() => (notice.value = undefined)} />}
    </>
  );
}

export function App({ session, terminal, panel, notice }: Props) {
  const take = useCallback(
    async (files: readonly File[]) => {
      const became = await bringFiles(session, files).catch((error: unknown) => reportOf('The files cannot be read', error));
      if (typeof became !== 'string') session.error.value = became;
      else {
        notice.value = { title: 'Ready to start', text: became };
        document.getElementById('start')?.focus();
      }
    },
    [session, notice],
  );
  const openPanel = useCallback((id: string) => (panel.value = id), [panel]);
  return (
    <div class="page">
      <Skip to="terminal">Skip to the terminal</Skip>
      <Skip to="panels">Skip to the panels</Skip>
      <PageHeader />
      <main>
        <div class="machine-side">
          <div class="machine-part" data-region="">
            <Toolbar session={session} />
            <MachineForm session={session} />
          </div>
          <Messages session={session} notice={notice} />
          <TourPlace session={session} onPanel={openPanel} />
          <Terminal session={session} terminal={terminal} />
          <StatusLine session={session} />
        </div>
        <Panels session={session} open={panel} />
      </main>
      <DropTarget onFiles={take} />
    </div>
  );
}
