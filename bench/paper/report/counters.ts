// The paper's Table 3: where indirect branches of the kernel go, with returns and without.
import { percent, short } from '../../figures.ts';
import type { CounterRow, PaperResult } from '../result.ts';
import { count, NONE } from './cells.ts';
import type { PaperTable } from './tables.ts';

/** Look-ups an instruction. */
const density = ({ indirectBranches, instructions }: CounterRow): number => indirectBranches / instructions;

/** The same workload and subject without returns. */
const without = (row: CounterRow, all: readonly CounterRow[]): CounterRow | undefined =>
  all.find(({ workload, subject, returns }) => !returns && workload === row.workload && withoutName(subject) === withoutName(row.subject));
/** `relaxed -returns` is `relaxed` without. */
const withoutName = (subject: string): string => subject.replace(/ -returns$/, '');

/** Part of the look-ups, an instruction, that `returns` does away with; undefined where it cannot be said. */
export function shareGone(row: CounterRow, all: readonly CounterRow[]): number | undefined {
  const other = row.returns ? without(row, all) : undefined;
  if (other === undefined || !(density(other) > 0) || !(row.instructions > 0)) return undefined;
  return 1 - density(row) / density(other);
}

/** Look-ups behind both levels, a million instructions; undefined where none was run. */
export const lookUpsPerMillion = ({ lookUps, instructions }: CounterRow): number | undefined =>
  instructions > 0 ? (lookUps * 1e6) / instructions : undefined;

export function countersTable({ counters }: PaperResult): PaperTable | undefined {
  if (counters.length === 0) return undefined;
  const part = (hits: number, all: number) => (all > 0 ? `${count(hits)} (${percent(hits / all)})` : count(hits));
  const rows = counters.map((row) => {
    const gone = shareGone(row, counters);
    const lookUps = lookUpsPerMillion(row);
    return [
      row.workload,
      row.subject,
      row.returns ? 'with' : 'without',
      count(row.instructions),
      count(row.directReturns),
      count(row.indirectBranches),
      part(row.firstLevelHits, row.indirectBranches),
      part(row.secondLevelHits, row.indirectBranches),
      count(row.dispatcherEntries),
      count(row.lookUps),
      lookUps === undefined ? NONE : short(lookUps),
      gone === undefined ? NONE : percent(gone),
    ];
  });
  return {
    title: 'Indirect branches of the kernel, 1 CPU, while the rows ran',
    head: [
      'workload',
      'subject',
      'returns',
      'instructions',
      'direct returns',
      'indirect branches',
      'first-level hits',
      'second-level hits',
      'dispatcher entries',
      'look-ups',
      'a million instructions',
      'share gone',
    ],
    rows,
    words: [1, 2],
    notes: [
      'indirect branches: RET, and JMP and CALL through registers and memory, whose target was looked up; hits are parts of them',
      'direct returns: RETs that went on behind their CALL without a look-up',
      "dispatcher entries: for whatever reason, interpreted code among them; look-ups: those that neither level could answer, which are the paper's dispatcher entries",
      'share gone: of the look-ups an instruction that there are without returns',
    ],
  };
}
