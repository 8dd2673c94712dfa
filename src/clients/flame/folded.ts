// A profile as folded stacks: a line for each stack, its frames from the outermost on with ';' between them, and nanoseconds; what flamegraph.pl and its like read.
import type { NamedProfile } from './names.ts';
import type { Profile } from './profile.ts';

/** Signs that mean something in a line. */
const plain = (name: string) => name.replaceAll(';', ':').replaceAll(/\s+/g, '_');

/** CPUs together; stacks that have the same names are one. Sorted, so that two profiles can be compared. */
export function folded(profile: Profile, { frames, stacks }: NamedProfile): string {
  const sums = new Map<string, number>();
  const texts = stacks.map((stack) => stack.map((frame) => plain(frames[frame]!.name)).join(';'));
  for (const { stacks: met, ns } of profile.cpus)
    met.forEach((stack, n) => {
      sums.set(texts[stack]!, (sums.get(texts[stack]!) ?? 0) + ns[n]!);
    });
  const lines = [...sums].map(([text, sum]) => `${text} ${Math.round(sum)}\n`);
  return lines.sort().join('');
}
