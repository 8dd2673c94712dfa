// Clients that a machine may have: what looks at how the guest runs, and costs nothing where nobody asks for it (docs/clients.md). One is asked for by a word, 'NAME' or 'NAME:OPTION=TEXT,OPTION=TEXT', with a
// path in the place of the name for one of one's own, or by an object.
import { flameSettings } from '../clients/flame/options.ts';
import { BESIDE_CODE, CLIENTS, type ClientName, SCOPE } from './client-names.ts';
import { type Kind, refuse, tagOf, type WordKind } from './kind.ts';
import { meant } from './similar.ts';

const NAMES = Object.keys(CLIENTS) as ClientName[];

/** A client that was asked for. */
export interface ClientRequest {
  readonly name: string;
  /** Of one that does not come with Dragoman: a path or an address. */
  readonly module: string | undefined;
  /** Texts of its options. Of prof `from` and `until`: it counts from when the console has printed that one until it has printed this one behind it. */
  readonly options: Readonly<Record<string, string>>;
  /** What `level` and `ranges` of the options say. */
  readonly level: 'kernel' | 'user' | undefined;
  readonly ranges: readonly (readonly [from: number, to: number])[] | undefined;
}

/** `text` at each comma that stands alone; two of them are a comma. */
export const apart = (text: string): string[] =>
  text
    .replaceAll(',,', '\0')
    .split(',')
    .map((part) => part.replaceAll('\0', ','));

const isModule = (client: string): boolean => /[/\\]|\.[cm]?[jt]s$/.test(client);
/** A module's file without its ending. */
const nameOf = (module: string): string => /([^/\\]*?)(?:\.[^./\\]*)?(?:[?#].*)?$/.exec(module)![1]!;

function levelOf(text: string | undefined, name: string): ClientRequest['level'] {
  if (text === undefined || text === 'kernel' || text === 'user') return text;
  return refuse(name, `'${text}' is no level: kernel or user`);
}

function rangesOf(text: string | undefined, name: string): ClientRequest['ranges'] {
  return text?.split('+').map((range) => {
    const [, from = '', to = ''] = /^(0x[0-9a-f]{1,8}|\d+)-(0x[0-9a-f]{1,9}|\d+)$/i.exec(range) ?? [];
    if (from === '' || Number(from) >= Number(to) || Number(to) > 2 ** 32)
      refuse(name, `'${range}' is no range of addresses: FROM-TO, as 0x1000-0x2000`);
    return [Number(from), Number(to)] as const;
  });
}

/** A request, of which names and options are known to be right. */
function request(name: string, module: string | undefined, options: Readonly<Record<string, string>>, option: string): ClientRequest {
  if (module !== undefined && Object.hasOwn(CLIENTS, name)) refuse(option, `a client of your own is to have another name than ${name}`);
  if (module === undefined && BESIDE_CODE.includes(name)) return { name, module, options, level: undefined, ranges: undefined };
  return { name, module, options, level: levelOf(options.level, option), ranges: rangesOf(options.ranges, option) };
}

function parse(text: string, name: string): ClientRequest {
  const [, client = '', more] = /^([^:]*)(?::(.*))?$/s.exec(text) ?? [];
  const own = isModule(client);
  if (!own && !Object.hasOwn(CLIENTS, client))
    return refuse(
      name,
      `there is no client '${client}'${meant(client, NAMES) || `; there are ${NAMES.join(', ')}, and a path is one of your own`}`,
    );
  const known: readonly string[] = own ? SCOPE : CLIENTS[client as ClientName];
  const options: Record<string, string> = {};
  for (const part of more === undefined ? [] : apart(more)) {
    const [, option, value] = /^([^=]*)=(.+)$/s.exec(part) ?? [];
    if (option === undefined) refuse(name, `'${part}' is not OPTION=TEXT of the client ${client}`);
    if (!own && !known.includes(option!))
      refuse(name, `the client ${client} has no option '${option}'${meant(option!, known) || `; there are ${known.join(', ')}`}`);
    if (Object.hasOwn(options, option!)) refuse(name, `the client ${client} is given ${option} twice`);
    options[option!] = value!;
  }
  if (client === 'flame') flameSettings(options, name);
  return own ? request(nameOf(client), client, options, name) : request(client, undefined, options, name);
}

/** A client as an object: ClientSpec. */
function fromObject(value: object, option: string): ClientRequest {
  const { module, name, options = {} } = value as { readonly module?: unknown; readonly name?: unknown; readonly options?: unknown };
  const isUrl = tagOf(module) === '[object URL]';
  if (typeof module !== 'string' && !isUrl) return refuse(option, `a client needs its module: a path or a URL`);
  if (name !== undefined && typeof name !== 'string') return refuse(option, "a client's name is a text");
  if (typeof options !== 'object' || options === null || Object.values(options).some((text) => typeof text !== 'string'))
    return refuse(option, "a client's options are texts");
  const address = String(module);
  return request(name ?? nameOf(address), address, { ...options } as Record<string, string>, option);
}

const WHAT = `a client: ${NAMES.join(', ')}, or a module of your own`;

/** The word of one client, or an object. */
export const CLIENT: WordKind<ClientRequest> & Kind<ClientRequest> = {
  what: WHAT,
  take(value, name) {
    if (typeof value === 'string') return parse(value, name);
    return typeof value === 'object' && value !== null ? fromObject(value, name) : refuse(name, `${String(value)} is not ${WHAT}`);
  },
  read: parse,
};

/** Throws BAD_OPTION where one is there twice. */
export function checkClients(clients: readonly ClientRequest[], name: string): readonly ClientRequest[] {
  for (const { name: client } of clients)
    if (clients.filter((other) => other.name === client).length > 1) refuse(name, `the client ${client} is there twice`);
  return clients;
}
