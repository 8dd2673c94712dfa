// How far the engine is that a page fetches.

/** Bytes of all files that are to be fetched, uncompressed, and those of them that have come. */
export interface Loading {
  readonly loaded: number;
  readonly total: number;
}
