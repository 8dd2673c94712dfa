// What somebody perhaps meant who wrote a name that does not exist.

/** Letters to insert, delete, change or swap with their neighbour to make `a` of `b` (optimal string alignment). */
function distance(a: string, b: string): number {
  let [before, last] = [[] as number[], Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = last[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? before[j - 2] + 1 : Number.POSITIVE_INFINITY;
      row.push(Math.min(last[j] + 1, row[j - 1] + 1, changed, swapped));
    }
    [before, last] = [last, row];
  }
  return last[b.length];
}

/** The one of `names` that `wrong` is but for capitals, begins, or is a slip of the hand away from: a letter in three, two at the most. */
export function similar(wrong: string, names: readonly string[]): string | undefined {
  const same = names.filter((name) => name.toLowerCase() === wrong.toLowerCase());
  if (same.length === 1) return same[0];
  const begun = wrong.length > 1 ? names.filter((name) => name.startsWith(wrong)) : [];
  if (begun.length === 1) return begun[0];
  const [near] = names.map((name) => ({ name, apart: distance(wrong, name) })).sort((a, b) => a.apart - b.apart);
  return near !== undefined && near.apart <= Math.min(2, near.name.length / 3) ? near.name : undefined;
}

/** The question whether that is meant, to be put behind a message; nothing where there is no such name. `quote`: how the name is written. */
export function meant(wrong: string, names: readonly string[], quote: (name: string) => string = (name) => `'${name}'`): string {
  const name = similar(wrong, names);
  return name === undefined ? '' : `; is ${quote(name)} meant?`;
}
