// The panel "CPUs": what each CPU did in the last minute (kernel, user, waiting in HLT), a lane for each, and what it is at now.
import type { CpuActivity, CpuShares, Machine } from '../../../src/api/index.ts';
import { activity, historyOf, type ActivityLook as Look, MOST_LOOKS } from '../app/histories.ts';
import type { Session } from '../app/session.ts';
import { DataTable } from '../parts/data-table.tsx';
import { asAddress, asPercent, short } from '../parts/numbers.ts';
import './activity.css';

const LEVELS = ['kernel', 'user'] as const;
const LEGEND = [
  ['kernel', 'kernel'],
  ['user', 'programs'],
  ['idle', 'waits in HLT'],
  ['off', 'not started'],
] as const;
const STATES: Readonly<Record<CpuActivity['state'], string>> = {
  kernel: 'in the kernel',
  user: 'in a program',
  idle: 'waits in HLT',
  off: 'not started',
  stopped: 'stands still',
};
/** Looks that the numbers of the table are of: a second. */
const RECENT = 4;

/** The outline of what is below a part of each look, from the right edge to the left. */
function area(looks: readonly Look[], from: (cpu: CpuShares) => number, to: (cpu: CpuShares) => number, cpu: number): string {
  const first = MOST_LOOKS - looks.length;
  const edge = (height: (cpu: CpuShares) => number) => looks.map(({ shares }) => (1 - height(shares.cpus[cpu]!)).toFixed(3));
  const upper = edge(to).map((y, n) => `L${first + n} ${y}H${first + n + 1}`);
  const lower = edge(from)
    .map((y, n) => `L${first + n + 1} ${y}H${first + n}`)
    .reverse();
  return looks.length === 0 ? '' : `M${first} 1${upper.join('')}${lower.join('')}Z`;
}

/** How many interrupts there were at each look, as a line by the most of all. */
function line(looks: readonly Look[], most: number, cpu: number): string {
  const first = MOST_LOOKS - looks.length + 0.5;
  return looks
    .map(({ shares }, n) => `${n === 0 ? 'M' : 'L'}${first + n} ${(1 - shares.cpus[cpu]!.interrupts / most).toFixed(3)}`)
    .join('');
}

function Lane({ cpu, looks, most }: { readonly cpu: number; readonly looks: readonly Look[]; readonly most: number }) {
  return (
    <svg class="activity-lane" viewBox={`0 0 ${MOST_LOOKS} 1`} preserveAspectRatio="none" aria-hidden="true" focusable="false">
      <path
        class="off"
        d={area(
          looks,
          () => 0,
          ({ off }) => off,
          cpu,
        )}
      />
      <path
        class="kernel"
        d={area(
          looks,
          () => 0,
          ({ kernel }) => kernel,
          cpu,
        )}
      />
      <path
        class="user"
        d={area(
          looks,
          ({ kernel }) => kernel,
          ({ kernel, user }) => kernel + user,
          cpu,
        )}
      />
      <path class="interrupts" d={line(looks, most, cpu)} />
    </svg>
  );
}

/** Of the last second. */
function recent(looks: readonly Look[], cpu: number, of: (shares: CpuShares) => number): number {
  const last = looks.slice(-RECENT);
  const ms = last.reduce((sum, { shares }) => sum + shares.ms, 0);
  return ms === 0 ? 0 : last.reduce((sum, { shares }) => sum + of(shares.cpus[cpu]!) * shares.ms, 0) / ms;
}

/** A row of the table. */
function cellsOf(machine: Machine, { state, eip }: CpuActivity, index: number, looks: readonly Look[]) {
  const symbol = state === 'user' || state === 'off' ? undefined : machine.symbolAt(eip);
  return [
    `CPU ${index}`,
    <>
      {STATES[state]}
      {state !== 'off' && <span class="place">{symbol ?? asAddress(eip)}</span>}
    </>,
    ...LEVELS.map((level) => asPercent(recent(looks, index, (shares) => shares[level]))),
    short(recent(looks, index, ({ interrupts }) => interrupts)),
  ];
}

export default function Activity({ session }: { readonly session: Session }) {
  const watched = historyOf(session, activity).value;
  if (watched === undefined) return <p>Here is what the CPUs of a machine do when one runs.</p>;
  const { machine, now, looks } = watched;
  const most = Math.max(1, ...looks.flatMap(({ shares }) => shares.cpus.map(({ interrupts }) => interrupts)));
  return (
    <div class="activity">
      <ul class="activity-legend">
        {LEGEND.map(([kind, text]) => (
          <li key={kind}>
            <span class={`swatch ${kind}`} />
            {text}
          </li>
        ))}
        <li>
          <span class="swatch interrupts" />
          interrupts, up to {short(most)} a second
        </li>
      </ul>
      <div class="activity-lanes">
        {now.cpus.map((_, cpu) => (
          <div class="activity-cpu" key={cpu}>
            <span aria-hidden="true">CPU {cpu}</span>
            <Lane cpu={cpu} looks={looks} most={most} />
          </div>
        ))}
      </div>
      <p class="activity-scale" aria-hidden="true">
        <span>a minute ago</span>
        <span>now</span>
      </p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard. */}
      <section class="wide" tabIndex={0} aria-label="What the CPUs do">
        <DataTable
          class="activity-table"
          caption="Now, and in the last second"
          head={['CPU', 'is, and where', 'kernel', 'programs', <>inter&shy;rupts a second</>]}
          rows={now.cpus.map((cpu, index) => ({ key: index, cells: cellsOf(machine, cpu, index, looks) }))}
        />
      </section>
    </div>
  );
}
