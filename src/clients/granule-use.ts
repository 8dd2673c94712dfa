// What the client sharing says of a granule of memory.

/** By who used it, and how: bytes of the map that `ask('map')` gives. */
export const GranuleUse = { NONE: 0, PRIVATE_READ: 1, PRIVATE_WRITTEN: 2, SHARED_READ: 3, SHARED_WRITTEN: 4 } as const;
