// How far the engine is that the page fetches, for people.
import type { Loading } from '../../../src/api/index.ts';

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);

export const describeLoading = ({ loaded, total }: Loading): string =>
  `loading the engine: ${megabytes(loaded)} of ${megabytes(total)} MB (${Math.floor((100 * loaded) / Math.max(total, 1))}%)`;
