// The first entries of the function table: the frame's own functions, then a handler for each instruction form.

/** Functions of the handlers' module that are no instruction forms; they come first in the table, from index 1. */
export const PSEUDO = [
  'head',
  'fall',
  'stale',
  'enter',
  'undefined',
  'unsupported',
  'stub',
  'dispatch',
  'raise',
  'link',
  'protection',
  'headCounting',
  'headBudget',
  'headTracing',
  'headCountingTracing',
  'headBudgetTracing',
] as const;
export type Pseudo = (typeof PSEUDO)[number];
/** Table index of a pseudo function. */
export const pseudoIndex = (name: Pseudo): number => 1 + PSEUDO.indexOf(name);
/** Table index of the first form's handler. */
export const FIRST_FORM = 1 + PSEUDO.length;
