// Which clients a machine may have, and what they are asked for with (clients.ts, docs/clients.md).

/** The clients that there are, each with its options. */
export const CLIENTS = {
  prof: ['from', 'until'],
  flame: ['hz', 'file', 'format', 'level', 'idle', 'from', 'until'],
} as const satisfies Readonly<Record<string, readonly string[]>>;
export type ClientName = keyof typeof CLIENTS;
/** Names of the options of a client. */
export type ClientOption<Name extends ClientName = ClientName> = (typeof CLIENTS)[Name][number];
/** Texts of the options of a client, by their names. */
export type ClientOptions<Name extends ClientName = ClientName> = { readonly [Option in ClientOption<Name>]?: string };
