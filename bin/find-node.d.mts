/** The oldest major version of Node that runs Dragoman. */
export const OLDEST: number;
/** Path of a Node executable of version OLDEST or newer. Throws where there is none. */
export function findNode(): string;
/** Options of Node that Dragoman is started with, on a host with so many cores and with such variables of the environment. */
export function nodeOptions(cores?: number, environment?: { readonly NODE_OPTIONS?: string }): string[];
