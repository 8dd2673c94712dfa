// Which clients a machine may have, and what they are asked for with (clients.ts, docs/clients.md).

/** Clients that a machine has from its making on, or not at all; all others can be attached and detached. */
export const FIXED: readonly string[] = ['prof'];
/** Clients that add nothing to code, and have no options for which code they are. */
export const BESIDE_CODE: readonly string[] = ['prof', 'flame', 'crossings'];
/** Clients that may be asked for from when the console has printed a text on. */
export const LATE: readonly string[] = ['races', 'shadow'];
/** Options of all the others: code of which level it is for (kernel, user), and at which addresses (0x1000-0x2000, several with '+' between them). */
export const SCOPE = ['level', 'ranges'] as const;
/** The clients that there are, each with its options. */
export const CLIENTS = {
  prof: ['from', 'until'],
  inscount: ['exact', ...SCOPE],
  crossings: [],
  races: ['every', 'stall', 'ignore', 'watch', 'from', ...SCOPE],
  flame: ['hz', 'file', 'format', 'level', 'idle', 'from', 'until'],
  coverage: ['file', 'format', 'elf', ...SCOPE],
  trace: ['what', 'file', 'whole', 'records', 'cpu', 'elf', ...SCOPE],
  sharing: ['granule', 'symbols', ...SCOPE],
  shadow: ['allocator', 'allocate', 'free', 'origin', 'smallest', 'arguments', 'stacks', 'from', ...SCOPE],
} as const satisfies Readonly<Record<string, readonly string[]>>;
export type ClientName = keyof typeof CLIENTS;
/** Those that have a module of their own (src/clients). */
export type OwnClientName = Exclude<ClientName, 'prof' | 'flame'>;
/** Names of the options of a client. */
export type ClientOption<Name extends ClientName = ClientName> = (typeof CLIENTS)[Name][number];
/** Texts of the options of a client, by their names. */
export type ClientOptions<Name extends ClientName = ClientName> = { readonly [Option in ClientOption<Name>]?: string };
