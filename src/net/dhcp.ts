// A DHCP server (RFC 2131, 2132) with one address to give: the guest's, and with it gateway and name server.
import { ANY, GATEWAY, GUEST, NAME_SERVER, NETMASK } from './address.ts';

export const DhcpPort = { SERVER: 67, CLIENT: 68 } as const;

const OPTIONS = 240;
const COOKIE = 0x63825363;
/** Some clients (and relays) take no less. */
const LEAST_BYTES = 300;
const LEASE_SECONDS = 86_400;

const BootOp = { REQUEST: 1, REPLY: 2 } as const;
const Option = { PAD: 0, NETMASK: 1, ROUTER: 3, NAME_SERVER: 6, ADDRESS: 50, LEASE: 51, TYPE: 53, SERVER: 54, END: 255 } as const;
const Type = { DISCOVER: 1, OFFER: 2, REQUEST: 3, ACK: 5, NAK: 6, INFORM: 8 } as const;

/** Its options by their numbers; undefined where their lengths lead out of the message. */
function parseOptions(bytes: Uint8Array): Map<number, Uint8Array> | undefined {
  const options = new Map<number, Uint8Array>();
  for (let at = 0; at < bytes.length && bytes[at] !== Option.END; ) {
    const code = bytes[at++];
    if (code === Option.PAD) continue;
    const end = at + 1 + (bytes[at] ?? 0);
    if (end > bytes.length) return undefined;
    options.set(code, bytes.subarray(at + 1, end));
    at = end;
  }
  return options;
}

const address = (bytes: Uint8Array | undefined): number | undefined =>
  bytes?.length === 4 ? new DataView(bytes.buffer, bytes.byteOffset).getUint32(0) : undefined;
const word = (value: number): number[] => [value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff];

export interface DhcpReply {
  readonly message: Uint8Array;
  /** Where it goes: an address that the client has already, or undefined: to everyone. */
  readonly to: number | undefined;
}

/** The answer to a client's message; undefined: it gets none. */
export function answerDhcp(request: Uint8Array): DhcpReply | undefined {
  if (request.length < OPTIONS || request[0] !== BootOp.REQUEST || request[1] !== 1 || request[2] !== 6) return undefined;
  const view = new DataView(request.buffer, request.byteOffset, request.byteLength);
  const options = view.getUint32(OPTIONS - 4) === COOKIE ? parseOptions(request.subarray(OPTIONS)) : undefined;
  const type = options?.get(Option.TYPE)?.[0];
  if (options === undefined || type === undefined) return undefined;
  const server = address(options.get(Option.SERVER));
  const client = view.getUint32(12);
  const reply = (kind: number, given: number, lease: boolean): DhcpReply => {
    const message = new Uint8Array(LEAST_BYTES);
    const out = new DataView(message.buffer);
    message.set([BootOp.REPLY, 1, 6]);
    // Transaction, flags, and the client's hardware address.
    message.set(request.subarray(4, 8), 4);
    message.set(request.subarray(10, 12), 10);
    message.set(request.subarray(28, 44), 28);
    const isAck = kind !== Type.NAK;
    if (isAck) out.setUint32(12, client);
    out.setUint32(16, given);
    if (isAck) out.setUint32(20, GATEWAY);
    out.setUint32(OPTIONS - 4, COOKIE);
    const said = [Option.TYPE, 1, kind, Option.SERVER, 4, ...word(GATEWAY)];
    if (lease) said.push(Option.LEASE, 4, ...word(LEASE_SECONDS));
    if (isAck) {
      said.push(Option.NETMASK, 4, ...word(NETMASK), Option.ROUTER, 4, ...word(GATEWAY));
      said.push(Option.NAME_SERVER, 4, ...word(NAME_SERVER));
    }
    message.set([...said, Option.END], OPTIONS);
    return { message, to: isAck && client !== ANY ? client : undefined };
  };
  switch (type) {
    case Type.DISCOVER:
      return reply(Type.OFFER, GUEST, true);
    case Type.REQUEST: {
      // It took another server's offer.
      if (server !== undefined && server !== GATEWAY) return undefined;
      const wanted = address(options.get(Option.ADDRESS)) ?? client;
      return wanted === GUEST ? reply(Type.ACK, GUEST, true) : reply(Type.NAK, ANY, false);
    }
    case Type.INFORM:
      return reply(Type.ACK, ANY, false);
    default:
      return undefined;
  }
}
