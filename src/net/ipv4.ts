// IPv4 packets (RFC 791): checked and taken apart, put together, and cut where they do not fit in a frame.
import { checksum } from './checksum.ts';

export const Protocol = { ICMP: 1, TCP: 6, UDP: 17 } as const;
export const IP_HEADER_BYTES = 20;
/** The most bytes of a packet in an Ethernet frame. */
export const MTU = 1500;
const LARGEST = 65535;
const TTL = 64;
const MORE = 0x2000;
const OFFSET = 0x1fff;

export interface Packet {
  readonly source: number;
  readonly destination: number;
  readonly protocol: number;
  readonly payload: Uint8Array;
}
/** As it comes: it may be a piece of one. */
export interface Piece extends Packet {
  readonly id: number;
  /** In bytes. */
  readonly offset: number;
  readonly more: boolean;
}

/** Undefined where it is no packet: too short, another version, a wrong checksum. Options are passed over. */
export function parsePacket(bytes: Uint8Array): Piece | undefined {
  if (bytes.length < IP_HEADER_BYTES || bytes[0] >>> 4 !== 4) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const header = (bytes[0] & 15) * 4;
  const total = view.getUint16(2);
  // A short frame is filled up: what lies behind the packet is not its own.
  if (header < IP_HEADER_BYTES || total < header || total > bytes.length || checksum(bytes.subarray(0, header)) !== 0) return undefined;
  const fragment = view.getUint16(6);
  return {
    source: view.getUint32(12),
    destination: view.getUint32(16),
    protocol: bytes[9],
    payload: bytes.subarray(header, total),
    id: view.getUint16(4),
    offset: (fragment & OFFSET) * 8,
    more: (fragment & MORE) !== 0,
  };
}

/** The packets that carry a payload: one, or its pieces. None where it is too long for any. */
export function buildPackets({ source, destination, protocol, payload }: Packet, id: number): Uint8Array[] {
  if (IP_HEADER_BYTES + payload.length > LARGEST) return [];
  const room = (MTU - IP_HEADER_BYTES) & ~7;
  const packets: Uint8Array[] = [];
  for (let offset = 0; offset === 0 || offset < payload.length; offset += room) {
    const whole = payload.length <= MTU - IP_HEADER_BYTES;
    const part = whole ? payload : payload.subarray(offset, offset + room);
    const more = !whole && offset + room < payload.length;
    const packet = new Uint8Array(IP_HEADER_BYTES + part.length);
    const view = new DataView(packet.buffer);
    packet[0] = 0x45;
    view.setUint16(2, packet.length);
    view.setUint16(4, id);
    view.setUint16(6, (more ? MORE : 0) | (offset / 8));
    packet[8] = TTL;
    packet[9] = protocol;
    view.setUint32(12, source);
    view.setUint32(16, destination);
    view.setUint16(10, checksum(packet.subarray(0, IP_HEADER_BYTES)));
    packet.set(part, IP_HEADER_BYTES);
    packets.push(packet);
    if (whole) break;
  }
  return packets;
}
