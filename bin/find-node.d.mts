/** The oldest major version of Node that runs Dragoman. */
export const OLDEST: number;
/** Path of a Node executable of version OLDEST or newer. Throws where there is none. */
export function findNode(): string;
