// Options of a machine that say which engine it runs on, and on how many threads.
import { integer, oneOf, plain } from './kind.ts';
import { MOST_CPUS } from './options.ts';

export const BOOLEAN = plain<boolean>('true or false', (value) => typeof value === 'boolean');
export const CPUS = integer('a number of CPUs', 1, MOST_CPUS);
export const ENGINE = oneOf('jit', 'interpreter');
