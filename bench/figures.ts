// Medians, ratios and the tables that the benchmarks print.

export interface Table {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Lines below the table: what was skipped and why, what the columns mean. */
  readonly notes?: readonly string[];
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Half the distance between the quartiles, relative to the median: how much to trust it. */
export function spread(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  // Between two values in proportion, so that none of three is left out.
  const at = (part: number) => {
    const place = (sorted.length - 1) * part;
    const below = Math.floor(place);
    return sorted[below]! + (place - below) * ((sorted[below + 1] ?? sorted[below]!) - sorted[below]!);
  };
  return (at(0.75) - at(0.25)) / 2 / median(values);
}

/** A number with three significant digits, for people. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return '-';
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString('en-US');
  return value.toPrecision(3);
}

export const times = (ratio: number): string => `${short(ratio)}x`;
export const percent = (part: number): string => `${Math.round(part * 100)}%`;

/** Columns of text: the first to the left, the others to the right. */
export function formatTable({ title, head, rows, notes = [] }: Table): string {
  const widths = head.map((name, k) => Math.max(name.length, ...rows.map((row) => row[k].length)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, k) => (k === 0 ? cell.padEnd(widths[k]) : cell.padStart(widths[k])))
      .join('  ')
      .trimEnd();
  const out = [title, line(head), widths.map((w) => '-'.repeat(w)).join('  '), ...rows.map(line), ...notes.map((note) => `  ${note}`)];
  return `${out.join('\n')}\n`;
}
