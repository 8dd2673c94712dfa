// Drops flag words that nobody reads before they are set again. A place that may fault counts as a reader where faults are precise, because the
// exception's frame shows the flags.
import { effectsOf, type Op } from '../ir/operations.ts';
import type { Effects } from '../ir/types.ts';

/** Whether the flags may be looked at by what does this: read, or, where faults are precise, shown in the frame of a fault. */
export const readsFlags = ({ mayFault, flags }: Effects, precise = true): boolean =>
  (precise && mayFault === true) || flags === 'r' || flags === 'rw';

/** Replaces dead flag settings of a block by nothing (a constant that nobody uses, so that values keep their numbers). */
export function dropDeadFlags(ops: readonly Op[], precise = true): readonly Op[] {
  let out: Op[] | undefined;
  let live = true;
  for (let i = ops.length - 1; i >= 0; i--) {
    const op = ops[i]!;
    const effects = effectsOf(op);
    if (op.kind === 'flags' || op.kind === 'setRX') {
      if (!live) (out ??= ops.slice())[i] = { kind: 'const', type: 'i32', value: 0 };
      else live = false;
    } else if (effects.flags === 'w') live = false;
    if (readsFlags(effects, precise)) live = true;
  }
  return out ?? ops;
}
