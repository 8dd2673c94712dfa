// Makes a failing case smaller: drops instructions, then simplifies what they start from, as long as it still fails.
import { type Case, without } from './case.ts';

/** Whether every back-edge still has its counter (see generate.ts): without it the case might not end. */
const guarded = (c: Case): boolean =>
  c.items.every(
    (item, i) => item.to === undefined || item.to > i || c.items.slice(Math.max(0, i - 3), i).some((x) => x.hex.startsWith('26d12')),
  );

export function reduce(c: Case, fails: (c: Case) => boolean): Case {
  let best = c;
  const attempt = (candidate: Case): boolean => {
    if (!guarded(candidate) || !fails(candidate)) return false;
    best = candidate;
    return true;
  };
  for (let size = Math.max(1, best.items.length >> 1); ; ) {
    let smaller = false;
    for (let k = 0; k < best.items.length; )
      if (attempt(without(best, k, Math.min(size, best.items.length - k)))) smaller = true;
      else k += size;
    if (size === 1 && !smaller) break;
    size = Math.max(1, size >> 1);
  }
  if (best.start !== 0) attempt({ ...best, start: 0 });
  for (const n of best.gpr.keys()) if (n !== 4 && best.gpr[n] !== 0) attempt({ ...best, gpr: best.gpr.map((v, i) => (i === n ? 0 : v)) });
  for (const [field, value] of [
    ['eflags', 2],
    ['mxcsr', 0x1f80],
    ['fcw', 0x37f],
    ['fsw', 0],
    ['ftw', 0],
  ] as const)
    if (best[field] !== value) attempt({ ...best, [field]: value });
  return best;
}
