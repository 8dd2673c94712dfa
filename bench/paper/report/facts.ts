// Under what circumstances a result was measured, as lines for readers.
import type { PaperResult } from '../result.ts';
import { day, plural } from './cells.ts';

/** Name and value. */
export type Fact = readonly [string, string];

/** A release of Linux, or another kernel's name. */
export const guestName = (guest: string): string => (/^\d/.test(guest) ? `Linux ${guest}` : guest);

export function factsOf({ version, commit, date, host, guest }: PaperResult): Fact[] {
  return [
    ['Dragoman', version],
    ['commit', commit],
    ['date', day(date)],
    ['host', `${host.cpu}, ${plural(host.cpus, 'core')}`],
    ['Node', host.node],
    ['guest', guestName(guest)],
    ['load average', `${host.loadBefore.toFixed(1)} before, ${host.loadAfter.toFixed(1)} after`],
  ];
}

/** What a reader must know before all figures; undefined for a full run. */
export const warningOf = ({ quick }: PaperResult): string | undefined =>
  quick ? 'A quick run: it shows that all works, its figures are not to be cited.' : undefined;
