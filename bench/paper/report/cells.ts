// How figures are written in the report's cells and sentences.
import { percent, short, times } from '../../figures.ts';
import type { Comparison, Mean } from './ratios.ts';

/** What stands where nothing was to be measured. */
export const NONE = '–';

/** Text with a unit that keeps the number short; `ns`: nanoseconds. */
export function duration(ns: number | undefined): string {
  if (ns === undefined) return NONE;
  const units = ['ns', 'µs', 'ms', 's'];
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(ns) / 3)));
  return `${short(ns / 1000 ** power)} ${units[power]}`;
}

/** '0.620x ±4%'; a row that failed says on whom, and in how many rounds where it did not in all. */
export function ratioCell(found: Comparison | undefined): string {
  if (found === undefined) return NONE;
  const { usual, spread, rounds, of, failed } = found;
  const who = failed.join(' and ');
  if (usual === undefined) return failed.length === 0 ? NONE : `failed: ${who}`;
  const text = `${times(usual)}${spread === undefined ? '' : ` ±${percent(spread)}`}`;
  return failed.length === 0 ? text : `${text} (${who} failed in ${of - rounds} of ${of})`;
}

/** '0.540x over 11', where 11 rows are in it. */
export const meanCell = (found: Mean | undefined): string => (found === undefined ? NONE : `${times(found.mean)} over ${found.rows}`);

/** Counts, with three digits where they are large: '990', '1.23 k', '8.00 G'. */
export function count(value: number): string {
  if (value < 1000) return String(Math.round(value));
  const power = Math.min(4, Math.floor(Math.log10(value) / 3));
  return `${short(value / 1000 ** power)} ${['', 'k', 'M', 'G', 'T'][power]}`;
}

export const plural = (value: number, one: string): string => `${value} ${one}${value === 1 ? '' : 's'}`;

/** A date's day. */
export const day = (iso: string): string => iso.slice(0, 10);
