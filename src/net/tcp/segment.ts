// TCP segments (RFC 9293): checked and taken apart, and put together; and arithmetic of sequence numbers, which go round at 2^32.
import { addWords, finish, pseudoSum } from '../checksum.ts';
import { type Packet, Protocol } from '../ipv4.ts';

export const Flag = { FIN: 1, SYN: 2, RST: 4, PSH: 8, ACK: 16 } as const;

export const TCP_HEADER_BYTES = 20;
/** What fits in a packet of an Ethernet frame, and what a guest takes that does not say how much. */
export const MSS = 1460;
export const DEFAULT_MSS = 536;

export interface Segment {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly sequence: number;
  readonly acknowledgement: number;
  readonly flags: number;
  readonly window: number;
  /** Of a SYN: the option; undefined: it has none. */
  readonly mss?: number | undefined;
  readonly data: Uint8Array;
}

export const add = (sequence: number, bytes: number): number => (sequence + bytes) >>> 0;
/** Bytes from one to the other; negative where the other lies before it. */
export const distance = (from: number, to: number): number => (to - from) | 0;

/** What a segment takes of the sequence: its data, SYN and FIN. */
export const lengthOf = ({ flags, data }: Segment): number =>
  data.length + ((flags & Flag.SYN) !== 0 ? 1 : 0) + ((flags & Flag.FIN) !== 0 ? 1 : 0);

const OptionKind = { END: 0, NONE: 1, MSS: 2 } as const;

function findMss(options: Uint8Array): number | undefined {
  for (let at = 0; at < options.length && options[at] !== OptionKind.END; ) {
    if (options[at] === OptionKind.NONE) {
      at++;
      continue;
    }
    const length = options[at + 1] ?? 0;
    if (length < 2 || at + length > options.length) return undefined;
    if (options[at] === OptionKind.MSS && length === 4) return (options[at + 2] << 8) | options[at + 3];
    at += length;
  }
  return undefined;
}

/** Undefined where it is none, or its checksum is wrong. */
export function parseSegment({ source, destination, payload }: Packet): Segment | undefined {
  if (payload.length < TCP_HEADER_BYTES) return undefined;
  const header = (payload[12] >>> 4) * 4;
  if (header < TCP_HEADER_BYTES || header > payload.length) return undefined;
  if (finish(addWords(payload, pseudoSum(source, destination, Protocol.TCP, payload.length))) !== 0) return undefined;
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  return {
    sourcePort: view.getUint16(0),
    destinationPort: view.getUint16(2),
    sequence: view.getUint32(4),
    acknowledgement: view.getUint32(8),
    flags: payload[13],
    window: view.getUint16(14),
    mss: findMss(payload.subarray(TCP_HEADER_BYTES, header)),
    data: payload.subarray(header),
  };
}

export function buildSegment(source: number, destination: number, segment: Segment): Packet {
  const header = TCP_HEADER_BYTES + (segment.mss === undefined ? 0 : 4);
  const payload = new Uint8Array(header + segment.data.length);
  const view = new DataView(payload.buffer);
  view.setUint16(0, segment.sourcePort);
  view.setUint16(2, segment.destinationPort);
  view.setUint32(4, segment.sequence);
  view.setUint32(8, segment.acknowledgement);
  payload[12] = (header / 4) << 4;
  payload[13] = segment.flags;
  view.setUint16(14, segment.window);
  if (segment.mss !== undefined) view.setUint32(TCP_HEADER_BYTES, ((OptionKind.MSS << 24) | (4 << 16) | segment.mss) >>> 0);
  payload.set(segment.data, header);
  view.setUint16(16, finish(addWords(payload, pseudoSum(source, destination, Protocol.TCP, payload.length))));
  return { source, destination, protocol: Protocol.TCP, payload };
}
