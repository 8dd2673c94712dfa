// Drops flag words that nobody reads before they are set again. A place that may fault counts as a reader, because the
// exception's frame shows the flags (`transparent` precision).
import type { Op } from '../ir/types.ts';

/** Whether the flags may be looked at here: read, or shown in the frame of a fault. */
export function readsFlags(op: Op): boolean {
  switch (op.kind) {
    case 'cond':
    case 'flagR':
    case 'flagX':
    case 'load':
    case 'store':
    case 'linear':
    case 'raise':
    case 'repeat':
      return true;
    case 'flags':
      return op.flag === 'inc' || op.flag === 'dec';
    case 'helper':
      return op.effects.mayFault === true || op.effects.flags === 'r' || op.effects.flags === 'rw';
    default:
      return false;
  }
}

export const setsFlags = (op: Op): boolean =>
  op.kind === 'flags' || op.kind === 'setRX' || (op.kind === 'helper' && op.effects.flags === 'w');

/** Replaces dead flag settings of a block by nothing (a constant that nobody uses, so that values keep their numbers). */
export function dropDeadFlags(ops: Op[]): void {
  let live = true;
  for (let i = ops.length - 1; i >= 0; i--) {
    const op = ops[i]!;
    if (op.kind === 'flags' || op.kind === 'setRX') {
      if (!live) ops[i] = { kind: 'const', type: 'i32', value: 0 };
      else live = false;
    } else if (op.kind === 'helper' && op.effects.flags === 'w') live = false;
    if (readsFlags(op)) live = true;
  }
}
