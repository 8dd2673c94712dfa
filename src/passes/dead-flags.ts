// Drops flag words that nobody reads before they are set again. A place that may fault counts as a reader, because the
// exception's frame shows the flags (`transparent` precision).
import { effectsOf, type Op } from '../ir/operations.ts';

/** Whether the flags may be looked at here: read, or shown in the frame of a fault. */
export function readsFlags(op: Op): boolean {
  const { mayFault, flags } = effectsOf(op);
  return mayFault === true || flags === 'r' || flags === 'rw';
}

/** Whether all flags are set, so that what they were does not matter. */
export const setsFlags = (op: Op): boolean => effectsOf(op).flags === 'w';

/** Replaces dead flag settings of a block by nothing (a constant that nobody uses, so that values keep their numbers). */
export function dropDeadFlags(ops: readonly Op[]): readonly Op[] {
  let out: Op[] | undefined;
  let live = true;
  for (let i = ops.length - 1; i >= 0; i--) {
    const op = ops[i]!;
    if (op.kind === 'flags' || op.kind === 'setRX') {
      if (!live) (out ??= ops.slice())[i] = { kind: 'const', type: 'i32', value: 0 };
      else live = false;
    } else if (setsFlags(op)) live = false;
    if (readsFlags(op)) live = true;
  }
  return out ?? ops;
}
