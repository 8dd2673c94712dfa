// What was asked of the figures, and whether it is met. Computes only.
import { lookUpsPerMillion, shareGone } from './report/counters.ts';
import { meanOf, rowsOf, timeOf } from './report/ratios.ts';
import type { CounterRow, Goal, PaperGroup } from './result.ts';

const APACHE = 'apache';

const atLeast = (name: string, least: number, measured: number | undefined): Goal => ({
  name,
  asked: `at least ${least}`,
  measured,
  met: measured === undefined ? undefined : measured >= least,
});

const warm = (groups: readonly PaperGroup[], workload: string, cpus: number) =>
  groups.find((group) => group.workload === workload && group.heat === 'warm' && group.cpus === cpus);

const classicByRelaxed = (group: PaperGroup | undefined) =>
  group === undefined ? undefined : meanOf(rowsOf(group, false), { subject: 'classic', base: 'relaxed' })?.mean;

/** Operations a second with so many CPUs by those with one. */
function gain(groups: readonly PaperGroup[], workload: string, cpus: number): number | undefined {
  const [before, after] = [1, cpus].map((count) => timeOf(warm(groups, workload, count)?.rows[0]?.figures.relaxed));
  return before === undefined || after === undefined ? undefined : before / after;
}

export function goalsOf(groups: readonly PaperGroup[], counters: readonly CounterRow[]): Goal[] {
  const counted = counters.find(({ workload, subject }) => workload === APACHE && subject === 'relaxed');
  const lookUps = counted === undefined ? undefined : lookUpsPerMillion(counted);
  return [
    atLeast('Apache, requests a second: relaxed by classic', 3, classicByRelaxed(warm(groups, APACHE, 1))),
    atLeast('lmbench, geometric mean of the time of kernel rows: classic by relaxed', 2, classicByRelaxed(warm(groups, 'lmbench', 1))),
    {
      name: 'Apache, warm: look-ups that neither level could answer, a million instructions of the kernel',
      asked: 'below 1',
      measured: lookUps,
      met: lookUps === undefined ? undefined : lookUps < 1,
    },
    atLeast(
      'Apache: part of the indirect branches that returns takes away',
      0.95,
      counted === undefined ? undefined : shareGone(counted, counters),
    ),
    atLeast('Apache, requests a second: 2 CPUs by one', 1.7, gain(groups, APACHE, 2)),
  ];
}
