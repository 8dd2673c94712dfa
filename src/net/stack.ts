// The network behind a guest's card, as frames: 10.0.2.2 is the host (and the gateway to everything else), 10.0.2.3 its name server. Frames come in by
// receive() and go out by `send`; whatever the guest sends, nothing is thrown.
import { BROADCAST, formatIp, GATEWAY, isGuest, isOnNetwork, isOurs, isUnicast, NAME_SERVER } from './address.ts';
import { answerDhcp, DhcpPort } from './dhcp.ts';
import { DNS_PORT, DnsForwarder } from './dns.ts';
import { Fragments } from './fragments.ts';
import { answerArp, buildFrame, EtherType, parseArp, parseFrame } from './frame.ts';
import type { HostAddress, HostStream, HostStreamEvents, NetworkHost } from './host-ends.ts';
import { answerEcho, Unreachable, unreachable } from './icmp.ts';
import { buildPackets, type Packet, Protocol, parsePacket } from './ipv4.ts';
import { Neighbours } from './neighbours.ts';
import type { TcpEnds } from './tcp/connection.ts';
import { TcpNat } from './tcp/nat.ts';
import { buildSegment, parseSegment, type Segment } from './tcp/segment.ts';
import { buildDatagram, type Datagram, parseDatagram } from './udp.ts';
import { type FlowEnds, UdpNat } from './udp-nat.ts';

const LOOPBACK = '127.0.0.1';
const NO_DATA = new Uint8Array(0);

export interface StackOptions {
  readonly host: NetworkHost;
  /** Takes a frame for the guest. */
  readonly send: (frame: Uint8Array) => void;
  /** The guest gets no further than DHCP and echoes: neither to the host nor beyond it. What the host forwards still comes in. */
  readonly restrict: boolean;
}

export interface StackCounts {
  /** Connections with a socket of the host; those that the guest may still send to; bytes of theirs that wait here. */
  readonly tcp: number;
  readonly tcpKnown: number;
  readonly tcpBytes: number;
  /** Pairs of ends. */
  readonly udp: number;
  /** Of names. */
  readonly queries: number;
}

export class NetworkStack {
  readonly #options: StackOptions;
  readonly #neighbours: Neighbours;
  readonly #fragments: Fragments;
  readonly #names: DnsForwarder;
  readonly #udp: UdpNat;
  readonly #tcp: TcpNat;
  #nextId = 0;
  #closed = false;

  constructor(options: StackOptions) {
    this.#options = options;
    const { host } = options;
    this.#neighbours = new Neighbours((frame) => this.#send(frame));
    this.#fragments = new Fragments(() => host.now());
    this.#names = new DnsForwarder(host);
    this.#udp = new UdpNat({
      host,
      hostAddress: (remote) => (remote === GATEWAY ? LOOPBACK : formatIp(remote)),
      deliver: (ends, data) => this.#answer(ends, data),
      refused: (ends, code) => this.#refusedUdp(ends, code),
    });
    this.#tcp = new TcpNat({
      host,
      hostAddress: (remote, port) => this.#hostAddress(remote, port),
      emit: (ends, segment) => this.#sendPacket(buildSegment(ends.remote, ends.guest, segment)),
      refused: (ends, syn, code) => this.#refusedTcp(ends, syn, code),
    });
  }

  /** What is open, for tests and people. */
  get counts(): StackCounts {
    const { open, known, kept } = this.#tcp;
    return { tcp: open, tcpKnown: known, tcpBytes: kept, udp: this.#udp.flows, queries: this.#names.pending };
  }

  /** A frame of the guest's. */
  receive(frame: Uint8Array): void {
    const parsed = this.#closed ? undefined : parseFrame(frame);
    if (parsed === undefined) return;
    if (parsed.type === EtherType.IPV4) this.#receivePacket(parsed.source, parsed.payload);
    if (parsed.type !== EtherType.ARP) return;
    const arp = parseArp(parsed.payload);
    if (arp === undefined) return;
    this.#neighbours.learn(arp.senderIp, arp.senderMac);
    const answer = answerArp(arp);
    if (answer !== undefined) this.#send(buildFrame(arp.senderMac, EtherType.ARP, answer));
  }

  /** A connection that the host has accepted for a port of the guest's; undefined: there are too many. */
  forward(guestPort: number, stream: HostStream): HostStreamEvents | undefined {
    return this.#tcp.forward(guestPort, stream);
  }

  /** Closes all sockets and timers; frames are lost from here on. */
  close(): void {
    this.#closed = true;
    this.#names.close();
    this.#udp.close();
    this.#tcp.close();
  }

  #receivePacket(mac: Uint8Array, bytes: Uint8Array): void {
    const piece = parsePacket(bytes);
    if (piece === undefined) return;
    this.#neighbours.learn(piece.source, mac);
    const packet = this.#fragments.add(piece);
    if (packet === undefined) return;
    if (packet.protocol === Protocol.UDP) this.#receiveDatagram(packet);
    // The rest is for who has an address, and for one other.
    else if (!isGuest(packet.source) || !isUnicast(packet.destination)) return;
    else if (packet.protocol === Protocol.TCP) this.#receiveSegment(packet);
    else if (packet.protocol === Protocol.ICMP) this.#receiveEcho(packet);
  }

  #receiveEcho({ source, destination, payload }: Packet): void {
    const answer = isOurs(destination) ? answerEcho(payload) : undefined;
    if (answer !== undefined) this.#sendPacket({ source: destination, destination: source, protocol: Protocol.ICMP, payload: answer });
  }

  #receiveSegment(packet: Packet): void {
    const segment = parseSegment(packet);
    if (segment !== undefined) this.#tcp.receive(packet.source, packet.destination, segment);
  }

  #receiveDatagram(packet: Packet): void {
    const datagram = parseDatagram(packet);
    if (datagram === undefined) return;
    const { source, destination } = packet;
    const { sourcePort, destinationPort, data } = datagram;
    if (destinationPort === DhcpPort.SERVER && (destination === BROADCAST || destination === GATEWAY)) return this.#receiveDhcp(data);
    if (!isGuest(source) || this.#options.restrict) return;
    const ends: FlowEnds = { guest: source, guestPort: sourcePort, remote: destination, remotePort: destinationPort };
    if (destination === NAME_SERVER && destinationPort === DNS_PORT) this.#names.ask(data, (message) => this.#answer(ends, message));
    else if (this.#leadsOut(destination) && destinationPort !== 0) this.#udp.send(ends, data);
  }

  #receiveDhcp(data: Uint8Array): void {
    const reply = answerDhcp(data);
    if (reply === undefined) return;
    const datagram: Datagram = { sourcePort: DhcpPort.SERVER, destinationPort: DhcpPort.CLIENT, data: reply.message };
    this.#sendPacket(buildDatagram(GATEWAY, reply.to ?? BROADCAST, datagram));
  }

  /** The host itself, or an address that is not of the guest's network. */
  #leadsOut(destination: number): boolean {
    return destination === GATEWAY || (isUnicast(destination) && !isOnNetwork(destination));
  }

  #hostAddress(remote: number, port: number): HostAddress | undefined {
    if (this.#options.restrict || port === 0) return undefined;
    if (remote === NAME_SERVER) return port === DNS_PORT ? this.#options.host.nameServers()[0] : undefined;
    if (!this.#leadsOut(remote)) return undefined;
    return { address: remote === GATEWAY ? LOOPBACK : formatIp(remote), port };
  }

  /** A datagram for the guest, from the other end. */
  #answer({ guest, guestPort, remote, remotePort }: FlowEnds, data: Uint8Array): void {
    this.#sendPacket(buildDatagram(remote, guest, { sourcePort: remotePort, destinationPort: guestPort, data }));
  }

  #refusedUdp({ guest, guestPort, remote, remotePort }: FlowEnds, code: string | undefined): void {
    const reason = reasonOf(code, code === 'ECONNREFUSED' ? Unreachable.PORT : undefined);
    const original = buildDatagram(guest, remote, { sourcePort: guestPort, destinationPort: remotePort, data: NO_DATA });
    if (reason !== undefined) this.#tellUnreachable(reason, original);
  }

  #refusedTcp({ guest, remote }: TcpEnds, syn: Segment, code: string | undefined): boolean {
    const reason = reasonOf(code, undefined);
    if (reason === undefined) return false;
    this.#tellUnreachable(reason, buildSegment(guest, remote, syn));
    return true;
  }

  #tellUnreachable(code: number, original: Packet): void {
    const payload = unreachable(code, original);
    this.#sendPacket({ source: GATEWAY, destination: original.source, protocol: Protocol.ICMP, payload });
  }

  #sendPacket(packet: Packet): void {
    this.#nextId = (this.#nextId + 1) & 0xffff;
    for (const bytes of buildPackets(packet, this.#nextId)) this.#neighbours.send(packet.destination, bytes);
  }

  #send(frame: Uint8Array): void {
    if (!this.#closed) this.#options.send(frame);
  }
}

/** What ICMP says for an error of the host's system. */
function reasonOf(code: string | undefined, otherwise: number | undefined): number | undefined {
  if (code === 'ENETUNREACH') return Unreachable.NETWORK;
  return code === 'EHOSTUNREACH' ? Unreachable.HOST : otherwise;
}
