// How many CPUs serai gets where nobody says it.

const MOST = 4;

/** One for each core of the host, up to four. */
export const usualCpus = (cores: number): number => Math.min(cores, MOST);
