// What an attached client has found by now, as plots and tables: of those that the page knows; of others the numbers of their reports.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { CrossingsReport, InscountReport, RacesReport, SharingReport } from '../../../src/api/exports/clients.ts';
import { type Attached, nameOfWord } from '../app/attached-clients.ts';
import { crossingRates, instructionRates } from '../app/client-rates.ts';
import { historyOf } from '../app/histories.ts';
import type { Session } from '../app/session.ts';
import './client-report.css';
import { download } from './download.ts';
import { type Fact, FactTable } from './fact-table.tsx';
import { FlameGraph } from './flame-graph.tsx';
import { LivePlot } from './live-plot.tsx';
import { short } from './numbers.ts';
import { SharingTable } from './sharing-table.tsx';
import { useAtTicks } from './watch-machine.ts';

interface Props {
  readonly session: Session;
  readonly attached: Attached;
}

function Inscount({ session, attached: { client } }: Props) {
  const points = historyOf(session, instructionRates).value?.points ?? [];
  const { kernel, user, cpus } = client.report() as InscountReport;
  const facts: Fact[] = cpus.map((cpu, n) => ({
    name: `CPU ${n}`,
    value: `${short(cpu.kernel)} of the kernel, ${short(cpu.user)} of programs`,
  }));
  return (
    <>
      <LivePlot title="Instructions a second" series={['kernel', 'programs']} points={points} />
      <FactTable caption={`Instructions: ${short(kernel)} of the kernel, ${short(user)} of programs`} facts={facts} />
    </>
  );
}

function Crossings({ session, attached: { client } }: Props) {
  const points = historyOf(session, crossingRates).value?.points ?? [];
  const { systemCalls, pageFaults, otherFaults, interrupts } = client.report() as CrossingsReport;
  return (
    <>
      <LivePlot
        title="Ways into the kernel a second"
        series={['system calls', 'page faults', 'other exceptions', 'interrupts']}
        points={points}
      />
      <FactTable
        caption="So far"
        facts={[
          { name: 'System calls', value: short(systemCalls) },
          { name: 'Page faults', value: short(pageFaults) },
          { name: 'Other exceptions', value: short(otherFaults) },
          { name: 'Interrupts', value: short(interrupts) },
        ]}
      />
    </>
  );
}

/** The profile is drawn so often: names are looked up for it. */
const FLAME_MS = 2000;

function Flame({ session, attached: { client } }: Props) {
  const folded = useSignal('');
  useEffect(() => {
    let gone = false;
    const look = async () => {
      const bytes = (await client.ask('folded')) as Uint8Array;
      if (!gone) folded.value = new TextDecoder().decode(bytes);
    };
    void look();
    const timer = setInterval(() => session.state.peek() === 'running' && void look(), FLAME_MS);
    return () => {
      gone = true;
      clearInterval(timer);
    };
  }, [client]);
  const save = async () => download('flame.speedscope.json', 'application/json', (await client.ask('speedscope')) as Uint8Array);
  const { samples, lost } = client.report() as { readonly samples: number; readonly lost: number };
  return (
    <>
      <p>
        {short(samples)} samples{lost > 0 && `, ${short(lost)} lost`}
      </p>
      <FlameGraph folded={folded.value} label="Where the guest’s time goes" />
      <button type="button" onClick={() => void save()}>
        Download for speedscope
      </button>
    </>
  );
}

function Races({ attached: { client } }: Props) {
  const { lines, windows } = client.report() as RacesReport;
  return (
    <>
      <p>
        {short(windows)} samples were watched; {lines.length === 0 ? 'no race was met' : `${lines.length} pairs raced`}.
      </p>
      {lines.length > 0 && <Lines text={lines.join('\n')} />}
    </>
  );
}

function Lines({ text }: { readonly text: string }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard.
    <pre class="client-lines" tabIndex={0}>
      {text}
    </pre>
  );
}

const MOST_LINES = 200;

function Trace({ session, attached: { client } }: Props) {
  const lines = useAtTicks<readonly string[]>(session, (_, before = []) =>
    [...before, ...(client.ask('take') as string).split('\n').filter(Boolean)].slice(-MOST_LINES),
  );
  return <Lines text={(lines ?? []).join('\n')} />;
}

/** Numbers of a report, with the way to each. */
function numbersIn(report: unknown, path = ''): Fact[] {
  if (typeof report === 'number') return [{ name: path, value: short(report) }];
  if (Array.isArray(report)) return [{ name: path, value: `${report.length}` }];
  if (typeof report !== 'object' || report === null) return [];
  return Object.entries(report).flatMap(([name, value]) => numbersIn(value, path === '' ? name : `${path} ${name}`));
}

function Other({ attached: { client } }: Props) {
  return <FactTable caption="Found so far" facts={numbersIn(client.report())} />;
}

function Coverage(props: Props) {
  return (
    <>
      <Other {...props} />
      <button type="button" onClick={() => download('coverage.txt', 'text/plain', props.attached.client.ask('text') as string)}>
        Download by function
      </button>
    </>
  );
}

const KNOWN: Readonly<Record<string, (props: Props) => preact.JSX.Element>> = {
  inscount: Inscount,
  crossings: Crossings,
  flame: Flame,
  races: Races,
  trace: Trace,
  coverage: Coverage,
  sharing: ({ attached }) => <SharingTable report={attached.client.report() as SharingReport} />,
};

export function ClientReport(props: Props) {
  const Known = KNOWN[nameOfWord(props.attached.word)] ?? Other;
  return (
    <div class="client-report">
      <Known {...props} />
    </div>
  );
}
