// Keeps two writers, or a writer and its readers, away from one array or object of this program's: the rule that image files have (host/image-lock.ts).

interface Use {
  readonly start: number;
  readonly end: number;
  readonly readOnly: boolean;
}
const uses = new WeakMap<object, Set<Use>>();

/** Locks a part of it, [start, end), until the function that it returns is called. Undefined where somebody else uses it otherwise. */
export function lockObject(object: object, readOnly: boolean, start = 0, end = 1): (() => void) | undefined {
  const others = uses.get(object) ?? new Set();
  uses.set(object, others);
  for (const other of others) if (other.start < end && start < other.end && !(readOnly && other.readOnly)) return undefined;
  const use = { start, end, readOnly };
  others.add(use);
  return () => void others.delete(use);
}
