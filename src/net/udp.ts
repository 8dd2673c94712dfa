// UDP messages (RFC 768).
import { addWords, finish, pseudoSum } from './checksum.ts';
import { type Packet, Protocol } from './ipv4.ts';

export const UDP_HEADER_BYTES = 8;

export interface Datagram {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly data: Uint8Array;
}

/** Undefined where it is none, or its checksum is wrong (0: it has none). */
export function parseDatagram({ source, destination, payload }: Packet): Datagram | undefined {
  if (payload.length < UDP_HEADER_BYTES) return undefined;
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const length = view.getUint16(4);
  if (length < UDP_HEADER_BYTES || length > payload.length) return undefined;
  const message = payload.subarray(0, length);
  if (view.getUint16(6) !== 0 && finish(addWords(message, pseudoSum(source, destination, Protocol.UDP, length))) !== 0) return undefined;
  return { sourcePort: view.getUint16(0), destinationPort: view.getUint16(2), data: message.subarray(UDP_HEADER_BYTES) };
}

export function buildDatagram(source: number, destination: number, { sourcePort, destinationPort, data }: Datagram): Packet {
  const payload = new Uint8Array(UDP_HEADER_BYTES + data.length);
  const view = new DataView(payload.buffer);
  view.setUint16(0, sourcePort);
  view.setUint16(2, destinationPort);
  view.setUint16(4, payload.length);
  payload.set(data, UDP_HEADER_BYTES);
  // A sum of 0 would say that there is none.
  view.setUint16(6, finish(addWords(payload, pseudoSum(source, destination, Protocol.UDP, payload.length))) || 0xffff);
  return { source, destination, protocol: Protocol.UDP, payload };
}
