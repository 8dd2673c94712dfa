// The client inscount: counts guest instructions, by privilege level and CPU. By block where it begins, so a block that a fault leaves counts whole; with exact=yes, and where only some code is
// counted, by instruction.
import type { Client, Level, OptionTexts } from './client.ts';

/** What it reports. */
export interface InscountReport {
  readonly kernel: number;
  readonly user: number;
  /** By CPU. */
  readonly cpus: readonly { readonly kernel: number; readonly user: number }[];
}

const AT: Readonly<Record<Level, number>> = { kernel: 0, user: 8 };

export default function inscount({ exact, ranges }: OptionTexts): Client {
  return {
    room: { cpu: 16 },
    ...(exact !== undefined || ranges !== undefined
      ? { instruction: (b, at) => b.countBy(AT[at.level], at.fresh()) }
      : { block: (b, { level, instructions }) => b.countBy(AT[level], instructions()) }),
    report(view): InscountReport {
      const cpus = Array.from({ length: view.cpus }, (_, n) => ({
        kernel: view.counter(n, AT.kernel),
        user: view.counter(n, AT.user),
      }));
      const sum = (level: Level) => cpus.reduce((all, counts) => all + counts[level], 0);
      return { kernel: sum('kernel'), user: sum('user'), cpus };
    },
  };
}
