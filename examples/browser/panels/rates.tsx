// The panel "Rates": how often a second things happen that cost a kernel, and a translator of it, its time: plots of the last minute. System calls are counted by a client, which is attached on demand.
import { useId } from 'preact/hooks';
import type { ActivityShares } from '../../../src/api/index.ts';
import { clientsOf } from '../app/attached-clients.ts';
import { CROSSINGS, crossingRates } from '../app/client-rates.ts';
import { activity, historyOf } from '../app/histories.ts';
import type { Session } from '../app/session.ts';
import { ClientSwitch } from '../parts/client-switch.tsx';
import { ErrorBlock } from '../parts/error-block.tsx';
import { FactTable } from '../parts/fact-table.tsx';
import { LivePlot } from '../parts/live-plot.tsx';
import { short } from '../parts/numbers.ts';
import './rates.css';

interface Rate {
  readonly title: string;
  readonly of: (shares: ActivityShares) => number;
}

const sum = (shares: ActivityShares, name: 'interrupts' | 'faults' | 'tlbMisses' | 'addressSpaces') =>
  shares.cpus.reduce((all, cpu) => all + cpu[name], 0);

/** Of all CPUs together; counted anyway. */
const RATES: readonly Rate[] = [
  { title: 'Exceptions, page faults too', of: (shares) => sum(shares, 'faults') },
  { title: 'Interrupts', of: (shares) => sum(shares, 'interrupts') },
  { title: 'Loads of CR3 (switches of processes)', of: (shares) => sum(shares, 'addressSpaces') },
  { title: 'Misses of the TLB', of: (shares) => sum(shares, 'tlbMisses') },
  { title: 'Regions made, or taken from the cache', of: ({ regions }) => regions },
];

const CROSSING_TITLES: Readonly<Record<(typeof CROSSINGS)[number], string>> = {
  systemCalls: 'System calls',
  pageFaults: 'Page faults of programs',
  otherFaults: 'Other exceptions of programs',
  interrupts: 'Interrupts of programs',
};

function CrossingRates({ session }: { readonly session: Session }) {
  const clients = clientsOf(session);
  const crossed = historyOf(session, crossingRates).value;
  const note = useId();
  const isAttached = clients.of('crossings') !== undefined;
  return (
    <section class="rates-crossings" aria-label="From programs into the kernel">
      <h3>From programs into the kernel</h3>
      <p id={note}>
        System calls are counted by a client, <code>crossings</code>. It can be attached while the guest runs: that stands still for a
        moment, code is made anew, and each way into the kernel costs some 0.1 microseconds more.
      </p>
      <ClientSwitch
        clients={clients}
        word="crossings"
        canAttach={session.state.value === 'running' || session.state.value === 'paused'}
        attach="Count system calls"
        detach="Count them no more"
        describedBy={note}
      />
      {clients.error.value && <ErrorBlock report={clients.error.value} takesFocus={() => true} onClose={() => clients.forgetError()} />}
      {isAttached && (
        <div class="rates-plots">
          {CROSSINGS.map((kind, n) => (
            <LivePlot
              key={kind}
              title={CROSSING_TITLES[kind]}
              series={['a second']}
              points={(crossed?.points ?? []).map(({ at, values }) => ({ at, values: [values[n]!] }))}
            />
          ))}
        </div>
      )}
    </section>
  );
}

export default function Rates({ session }: { readonly session: Session }) {
  const watched = historyOf(session, activity).value;
  if (watched === undefined) return <p>Here are the rates of what a machine does when one runs.</p>;
  const { now, looks } = watched;
  const totals = (name: 'interrupts' | 'faults' | 'tlbMisses' | 'addressSpaces') =>
    short(now.cpus.reduce((all, cpu) => all + cpu[name], 0));
  return (
    <div class="rates">
      <p class="rates-about">Numbers a second of the guest's clock, of all CPUs together.</p>
      <div class="rates-plots">
        {RATES.map(({ title, of }) => (
          <LivePlot
            key={title}
            title={title}
            series={['a second']}
            points={looks.map(({ at, shares }) => ({ at, values: [of(shares)] }))}
          />
        ))}
      </div>
      <CrossingRates session={session} />
      <FactTable
        caption="So far"
        facts={[
          { name: 'Exceptions', value: totals('faults') },
          { name: 'Interrupts', value: totals('interrupts') },
          { name: 'Loads of CR3', value: totals('addressSpaces') },
          { name: 'Misses of the TLB', value: totals('tlbMisses') },
          { name: 'Regions', value: short(now.regions) },
        ]}
      />
    </div>
  );
}
