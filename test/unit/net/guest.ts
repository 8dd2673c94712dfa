// A guest on the user network's wire for tests: it sends packets, and reads what comes.
import { GATEWAY, GUEST } from '../../../src/net/address.ts';
import { buildPackets, type Packet, Protocol, parsePacket } from '../../../src/net/ipv4.ts';
import { NetworkStack, type StackOptions } from '../../../src/net/stack.ts';
import { buildSegment, Flag, parseSegment, type Segment } from '../../../src/net/tcp/segment.ts';
import { buildDatagram, type Datagram, parseDatagram } from '../../../src/net/udp.ts';
import { FakeHost } from './fake-host.ts';

export const MAC = Uint8Array.of(0x52, 0x54, 0, 0x12, 0x34, 0x56);
export const OUR_MAC = Uint8Array.of(0x52, 0x55, 10, 0, 2, 2);
const BROADCAST = new Uint8Array(6).fill(0xff);

export const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(/\s/g, ''), 'hex'));
export const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));
export const text = (data: Uint8Array): string => Buffer.from(data).toString('latin1');
export const ip = (name: string): number => name.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);

export function frameOf(payload: Uint8Array, type = 0x0800, to = OUR_MAC): Uint8Array {
  return Uint8Array.from([...to, ...MAC, type >> 8, type & 0xff, ...payload]);
}

export class Wire {
  readonly host = new FakeHost();
  readonly stack: NetworkStack;
  /** What came out and was not looked at. */
  frames: Uint8Array[] = [];
  /** Gets frames in the place of `frames`. */
  onFrame: ((frame: Uint8Array) => void) | undefined;

  constructor(options: Partial<StackOptions> = {}) {
    const send = (frame: Uint8Array) => (this.onFrame === undefined ? void this.frames.push(frame) : this.onFrame(frame));
    this.stack = new NetworkStack({ host: this.host, send, restrict: false, ...options });
  }

  /** Makes the guest known, as its first frame does. */
  hello(): this {
    // A gratuitous ARP message.
    this.stack.receive(frameOf(hex('0001080006040001 525400123456 0a00020f 000000000000 0a00020f'), 0x0806, BROADCAST));
    this.frames = [];
    return this;
  }

  send(packet: Packet, id = 1): void {
    const to = packet.destination === 0xffffffff ? BROADCAST : OUR_MAC;
    for (const one of buildPackets(packet, id)) this.stack.receive(frameOf(one, 0x0800, to));
  }
  sendUdp(to: number, datagram: Datagram, from = GUEST): void {
    this.send(buildDatagram(from, to, datagram));
  }
  sendTcp(segment: Partial<Segment>, to = GATEWAY): void {
    const all = {
      sourcePort: 1000,
      destinationPort: 80,
      sequence: 0,
      acknowledgement: 0,
      flags: 0,
      window: 65535,
      data: new Uint8Array(0),
    };
    this.send(buildSegment(GUEST, to, { ...all, ...segment }));
  }

  /** The packets that have come since. */
  packets(): Packet[] {
    return this.frames.splice(0).map((frame) => {
      if (text(frame.subarray(6, 12)) !== text(OUR_MAC)) throw new Error('a frame that is not from us');
      const packet = frame[12] === 8 && frame[13] === 0 ? parsePacket(frame.subarray(14)) : undefined;
      if (packet === undefined) throw new Error(`no packet: ${Buffer.from(frame).toString('hex')}`);
      return packet;
    });
  }
  datagrams(): (Datagram & Packet)[] {
    return this.packets().map((packet) => ({ ...packet, ...parseDatagram(packet)! }));
  }
  segments(): Segment[] {
    return this.packets().map((packet) => {
      const segment = packet.protocol === Protocol.TCP ? parseSegment(packet) : undefined;
      if (segment === undefined) throw new Error(`no segment: protocol ${packet.protocol}`);
      return segment;
    });
  }
}

/** A segment in words: 'SYN ACK 5 > 10 w 100 "data"'. */
export function flagsOf({ flags }: Segment): string {
  return Object.entries(Flag)
    .filter(([name, bit]) => (flags & bit) !== 0 && name !== 'PSH')
    .map(([name]) => name)
    .join(' ');
}
