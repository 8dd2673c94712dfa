// ICMP (RFC 792): echo requests to us are answered, and a guest is told what cannot be reached.
import { checksum } from './checksum.ts';
import { buildPackets, IP_HEADER_BYTES, type Packet } from './ipv4.ts';

const HEADER_BYTES = 8;
const ECHO_REPLY = 0;
const ECHO_REQUEST = 8;
const UNREACHABLE = 3;
export const Unreachable = { NETWORK: 0, HOST: 1, PORT: 3 } as const;

/** The answer to an echo request; undefined: the message is none. */
export function answerEcho(message: Uint8Array): Uint8Array | undefined {
  if (message.length < HEADER_BYTES || message[0] !== ECHO_REQUEST || message[1] !== 0 || checksum(message) !== 0) return undefined;
  const reply = message.slice();
  reply[0] = ECHO_REPLY;
  return sealed(reply);
}

/** Says that a packet could not be delivered: its header and the first eight bytes behind it come back. */
export function unreachable(code: number, packet: Packet): Uint8Array {
  const [original] = buildPackets({ ...packet, payload: packet.payload.subarray(0, 8) }, 0);
  const message = new Uint8Array(HEADER_BYTES + IP_HEADER_BYTES + 8);
  message[0] = UNREACHABLE;
  message[1] = code;
  message.set(original, HEADER_BYTES);
  return sealed(message);
}

function sealed(message: Uint8Array): Uint8Array {
  message[2] = message[3] = 0;
  const sum = checksum(message);
  message[2] = sum >>> 8;
  message[3] = sum & 0xff;
  return message;
}
