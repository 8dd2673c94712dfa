// Clients that a machine may have: what looks at how the guest runs, and costs nothing where nobody asks for it (docs/clients.md). One is asked for by a word, 'NAME' or 'NAME:OPTION=TEXT,OPTION=TEXT'.
import { flameSettings } from '../clients/flame/options.ts';
import { CLIENTS, type ClientName, type ClientOptions } from './client-names.ts';
import { refuse, type WordKind } from './kind.ts';
import { meant } from './similar.ts';

const NAMES = Object.keys(CLIENTS) as ClientName[];

/** A client that was asked for. */
export interface ClientRequest {
  readonly name: ClientName;
  /** Texts of its options. `from` and `until`: it counts from when the console has printed that one until it has printed this one behind it. */
  readonly options: ClientOptions;
}

/** `text` at each comma that stands alone; two of them are a comma. */
export const apart = (text: string): string[] =>
  text
    .replaceAll(',,', '\0')
    .split(',')
    .map((part) => part.replaceAll('\0', ','));

function parse(text: string, name: string): ClientRequest {
  const [, client = '', more] = /^([^:]*)(?::(.*))?$/s.exec(text) ?? [];
  if (!Object.hasOwn(CLIENTS, client))
    return refuse(name, `there is no client '${client}'${meant(client, NAMES) || `; there are ${NAMES.join(', ')}`}`);
  const known: readonly string[] = CLIENTS[client as ClientName];
  const options: Record<string, string> = {};
  for (const part of more === undefined ? [] : apart(more)) {
    const [, option, value] = /^([^=]*)=(.+)$/s.exec(part) ?? [];
    if (option === undefined) refuse(name, `'${part}' is not OPTION=TEXT of the client ${client}`);
    if (!known.includes(option!))
      refuse(name, `the client ${client} has no option '${option}'${meant(option!, known) || `; there are ${known.join(', ')}`}`);
    if (Object.hasOwn(options, option!)) refuse(name, `the client ${client} is given ${option} twice`);
    options[option!] = value!;
  }
  if (client === 'flame') flameSettings(options, name);
  return { name: client as ClientName, options };
}

/** The word of one client. */
export const CLIENT: WordKind<ClientRequest> = {
  what: `a client: ${NAMES.join(', ')}`,
  take: (value, name) => (typeof value === 'string' ? parse(value, name) : refuse(name, `${String(value)} is not ${CLIENT.what}`)),
  read: parse,
};

/** Throws BAD_OPTION where one is there twice. */
export function checkClients(clients: readonly ClientRequest[], name: string): readonly ClientRequest[] {
  for (const { name: client } of clients)
    if (clients.filter((other) => other.name === client).length > 1) refuse(name, `the client ${client} is there twice`);
  return clients;
}
