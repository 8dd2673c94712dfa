// TCP of the user network: each step by hand against the numbers of RFC 9293, and megabytes over a wire that loses, repeats and reorders.
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { GATEWAY, GUEST, NAME_SERVER } from '../../../src/net/address.ts';
import { Protocol } from '../../../src/net/ipv4.ts';
import { ByteQueue } from '../../../src/net/tcp/byte-queue.ts';
import { DELAYED_ACK_MS, TIME_WAIT_MS } from '../../../src/net/tcp/connection.ts';
import { MOST_CONNECTIONS, MOST_KNOWN } from '../../../src/net/tcp/nat.ts';
import { MOST_EARLY, RECEIVE_BUFFER } from '../../../src/net/tcp/receiver.ts';
import { buildSegment, Flag, parseSegment, type Segment } from '../../../src/net/tcp/segment.ts';
import { MOST_RETRIES, MOST_SYNS, SEND_BUFFER } from '../../../src/net/tcp/sender.ts';
import type { FakeStream } from './fake-host.ts';
import { bytes, flagsOf, ip, text, Wire } from './guest.ts';
import { ModelTcp, random } from './model-tcp.ts';

const { SYN, ACK, FIN, RST, PSH } = Flag;
const OURS = 5000;
const MSS = 1460;
const CHUNK = 65_536;

/** A connection that the guest has asked for and the host has accepted. */
class Open {
  readonly wire: Wire;
  readonly stream: FakeStream;
  /** The number of the host's SYN. */
  readonly theirs: number;

  constructor({ window = 65535, mss = MSS, wire = new Wire().hello() } = {}) {
    this.wire = wire;
    wire.sendTcp({ flags: SYN, sequence: OURS, mss, window });
    this.stream = wire.host.dialed.at(-1)!;
    this.stream.events!.onConnect();
    const [synAck] = wire.segments();
    expect(synAck).toMatchObject({ flags: SYN | ACK, acknowledgement: OURS + 1, mss: MSS, sourcePort: 80, destinationPort: 1000 });
    this.theirs = synAck.sequence;
    this.send({ window });
    expect(wire.frames).toEqual([]);
  }
  /** A segment of the guest's; numbers count from the SYNs. */
  send({ at = 1, ack = 1, flags = ACK, ...more }: Partial<Segment> & { at?: number; ack?: number } = {}): void {
    this.wire.sendTcp({ sequence: (OURS + at) >>> 0, acknowledgement: (this.theirs + ack) >>> 0, flags, ...more });
  }
  host(data: Uint8Array | string): void {
    this.stream.events!.onData(typeof data === 'string' ? bytes(data) : data);
  }
  /** What came, in words: flags, number and acknowledgement (counted from the SYNs), data. */
  got(): string[] {
    return this.wire.segments().map((segment) => {
      const at = (segment.sequence - this.theirs) >>> 0;
      const ack = (segment.acknowledgement - OURS) >>> 0;
      const data = segment.data.length > 20 ? `${segment.data.length} bytes` : text(segment.data);
      return `${flagsOf(segment)} ${at} > ${ack} ${data}`.trim();
    });
  }
  /** Whether sockets and timers are given back. */
  nothingLeft(): void {
    expect([this.wire.host.streams.size, this.wire.host.timers]).toEqual([0, 0]);
    expect(this.wire.stack.counts).toMatchObject({ tcp: 0, tcpKnown: 0, tcpBytes: 0 });
  }
}

describe('segments', () => {
  const segment: Segment = {
    sourcePort: 1,
    destinationPort: 2,
    sequence: 0xfffffffe,
    acknowledgement: 7,
    flags: SYN,
    window: 9,
    mss: 1400,
    data: bytes('abc'),
  };
  it('are read as they were written', () => {
    const packet = buildSegment(GUEST, GATEWAY, segment);
    expect(parseSegment(packet)).toEqual(segment);
    expect(packet.payload.length).toBe(27);
    packet.payload[25] ^= 1;
    expect(parseSegment(packet)).toBeUndefined();
  });
  it('are refused where they are cut off, or their header is', () => {
    const packet = buildSegment(GUEST, GATEWAY, segment);
    for (const length of [0, 19, 23]) expect(parseSegment({ ...packet, payload: packet.payload.subarray(0, length) })).toBeUndefined();
  });
});

it('bytes wait in a ring that goes round and grows', () => {
  const queue = new ByteQueue();
  let [pushed, dropped] = [0, 0];
  const numbers = (from: number, length: number) => Uint8Array.from({ length }, (_, i) => (from + i) % 251);
  for (let n = 0; n < 60; n++) {
    const length = (n * 977) % 3000;
    queue.push(numbers(pushed, length));
    pushed += length;
    expect(queue.copy(0, queue.length)).toEqual(numbers(dropped, queue.length));
    const taken = Math.min(queue.length, (n * 1301) % 2900);
    queue.drop(taken);
    dropped += taken;
    expect(queue.length).toBe(pushed - dropped);
  }
});

describe('a connection that the guest asks for', () => {
  it('is answered when the host has connected', () => {
    const wire = new Wire().hello();
    wire.sendTcp({ flags: SYN, sequence: OURS, mss: MSS });
    wire.sendTcp({ flags: SYN, sequence: OURS, mss: MSS });
    wire.host.run(500);
    expect(wire.host.dialed.map(({ to }) => to)).toEqual([{ address: '127.0.0.1', port: 80 }]);
    expect(wire.frames).toEqual([]);
    wire.host.dialed[0].events!.onConnect();
    expect(wire.segments()).toMatchObject([{ flags: SYN | ACK, acknowledgement: OURS + 1 }]);
  });
  it.each([
    ['192.0.2.1', 443, { address: '192.0.2.1', port: 443 }],
    ['10.0.2.2', 22, { address: '127.0.0.1', port: 22 }],
    ['10.0.2.3', 53, { address: '192.0.2.53', port: 53 }],
  ])('to %s, port %s', (to, port, real) => {
    const wire = new Wire().hello();
    wire.sendTcp({ flags: SYN, destinationPort: port }, ip(to));
    expect(wire.host.dialed[0].to).toEqual(real);
  });
  it.each([
    ['10.0.2.3', 80],
    ['10.0.2.4', 80],
    ['10.0.2.2', 0],
  ])('leads nowhere at %s, port %s: it is refused', (to, port) => {
    const wire = new Wire().hello();
    wire.sendTcp({ flags: SYN, sequence: OURS, destinationPort: port }, ip(to));
    expect([wire.host.dialed, wire.segments()]).toMatchObject([[], [{ flags: RST | ACK, sequence: 0, acknowledgement: OURS + 1 }]]);
  });
  it.each(['127.0.0.1', '224.0.0.1', '255.255.255.255'])('to %s gets no word', (to) => {
    const wire = new Wire().hello();
    wire.sendTcp({ flags: SYN }, ip(to));
    expect([wire.host.dialed, wire.frames]).toEqual([[], []]);
  });
  it.each(['ECONNREFUSED', 'ETIMEDOUT', 'EMFILE', undefined])('is refused where the host says %s', (code) => {
    const wire = new Wire().hello();
    wire.sendTcp({ flags: SYN, sequence: OURS });
    wire.host.dialed[0].close(code);
    expect(wire.segments()).toMatchObject([{ flags: RST | ACK, sequence: 0, acknowledgement: OURS + 1 }]);
    expect([wire.host.timers, wire.stack.counts.tcpKnown, wire.stack.counts.tcp]).toEqual([0, 0, 0]);
  });
  it.each([
    ['EHOSTUNREACH', 1],
    ['ENETUNREACH', 0],
  ])('that cannot be reached (%s) is told by ICMP, with its number', (code, reason) => {
    const wire = new Wire().hello();
    wire.sendTcp({ flags: SYN, sequence: 0x01020304 }, ip('192.0.2.1'));
    wire.host.dialed[0].close(code);
    const [{ protocol, payload }, ...more] = wire.packets();
    expect([protocol, payload[0], payload[1], more.length]).toEqual([Protocol.ICMP, 3, reason, 0]);
    expect(Buffer.from(payload.subarray(20, 36)).toString('hex')).toBe('0a00020fc000020103e8005001020304');
    expect(wire.stack.counts).toMatchObject({ tcp: 0, tcpKnown: 0 });
  });
  it('restricted, it is refused', () => {
    const wire = new Wire({ restrict: true }).hello();
    for (const to of [GATEWAY, NAME_SERVER, ip('192.0.2.1')]) wire.sendTcp({ flags: SYN, destinationPort: 53 }, to);
    expect(wire.segments().map(flagsOf)).toEqual(Array(3).fill('RST ACK'));
    expect(wire.host.dialed).toEqual([]);
  });
  it('its answer comes again until it is acknowledged, six times in all', () => {
    const wire = new Wire().hello();
    wire.sendTcp({ flags: SYN, sequence: OURS });
    const [stream] = wire.host.dialed;
    stream.events!.onConnect();
    const times: number[] = [];
    const start = wire.host.now();
    wire.onFrame = () => times.push(wire.host.now() - start);
    wire.host.run(60_000);
    expect(times).toEqual([1000, 3000, 7000, 15_000, 31_000].slice(0, MOST_SYNS - 1));
    wire.host.run(60_000);
    expect(stream.destroyed).toBe('reset');
    expect([wire.host.timers, wire.stack.counts.tcpKnown]).toEqual([0, 0]);
  });
  it('its answer comes again where the SYN does', () => {
    const wire = new Wire().hello();
    const ask = () => wire.sendTcp({ flags: SYN, sequence: OURS });
    ask();
    wire.host.dialed[0].events!.onConnect();
    ask();
    const [one, two] = wire.segments();
    expect([one.flags, two]).toEqual([SYN | ACK, one]);
  });
  it('a wrong acknowledgement of it is refused, and a RST ends it', () => {
    const wire = new Wire().hello();
    wire.sendTcp({ flags: SYN, sequence: OURS });
    wire.host.dialed[0].events!.onConnect();
    const [{ sequence }] = wire.segments();
    wire.sendTcp({ flags: ACK, sequence: OURS + 1, acknowledgement: sequence });
    expect(wire.segments()).toMatchObject([{ flags: RST | ACK, sequence }]);
    wire.sendTcp({ flags: RST, sequence: OURS + 1 });
    expect(wire.host.dialed[0].destroyed).toBe('reset');
  });
  it('a guest that gives up before the host has connected', () => {
    const wire = new Wire().hello();
    wire.sendTcp({ flags: SYN, sequence: OURS });
    wire.sendTcp({ flags: RST, sequence: OURS + 1 });
    expect(wire.host.dialed[0].destroyed).toBe('reset');
    expect(wire.stack.counts).toMatchObject({ tcp: 0, tcpKnown: 0 });
  });
  it('there are so many at once', () => {
    const wire = new Wire().hello();
    for (let n = 0; n <= MOST_CONNECTIONS; n++) wire.sendTcp({ flags: SYN, sourcePort: 1000 + n });
    expect([wire.host.streams.size, wire.stack.counts.tcp]).toEqual([MOST_CONNECTIONS, MOST_CONNECTIONS]);
    expect(wire.segments()).toMatchObject([{ flags: RST | ACK, destinationPort: 1000 + MOST_CONNECTIONS }]);
  });
  it('a segment of none is refused, but for a RST', () => {
    const wire = new Wire().hello();
    wire.sendTcp({ flags: ACK, sequence: 10, acknowledgement: 20, data: bytes('x') });
    wire.sendTcp({ flags: FIN, sequence: 10, data: bytes('xyz') });
    wire.sendTcp({ flags: SYN | ACK, sequence: 10, acknowledgement: 30 });
    wire.sendTcp({ flags: RST, sequence: 10 });
    expect(wire.segments()).toMatchObject([
      { flags: RST, sequence: 20 },
      { flags: RST | ACK, sequence: 0, acknowledgement: 14 },
      { flags: RST, sequence: 30 },
    ]);
  });
});

describe('bytes of the guest', () => {
  it('reach the host; every second segment is acknowledged, or one that waits', () => {
    const open = new Open();
    open.send({ data: bytes('one') });
    expect(open.got()).toEqual([]);
    open.send({ at: 4, data: bytes('two') });
    expect(open.got()).toEqual(['ACK 1 > 7']);
    open.send({ at: 7, data: bytes('three') });
    open.wire.host.run(DELAYED_ACK_MS);
    expect(open.got()).toEqual(['ACK 1 > 12']);
    expect(open.stream.text).toBe('onetwothree');
  });
  it('are acknowledged by the answer that they get', () => {
    const open = new Open();
    open.send({ data: bytes('hello') });
    open.host('world');
    expect(open.got()).toEqual(['ACK 1 > 6 world']);
    open.wire.host.run(DELAYED_ACK_MS);
    expect(open.got()).toEqual([]);
  });
  it('in any order, repeated and over each other, arrive once', () => {
    const open = new Open();
    open.send({ at: 4, data: bytes('def') });
    expect(open.got()).toEqual(['ACK 1 > 1']);
    open.send({ at: 10, data: bytes('jkl') });
    open.send({ at: 5, data: bytes('efghi') });
    open.send({ at: 4, data: bytes('def') });
    expect(open.got().length).toBe(3);
    open.send({ at: 1, data: bytes('abcd') });
    expect(open.got()).toEqual(['ACK 1 > 13']);
    open.send({ at: 1, data: bytes('abcd') });
    expect(open.got()).toEqual(['ACK 1 > 13']);
    open.wire.host.run(0);
    expect(open.stream.text).toBe('abcdefghijkl');
  });
  it('close the window where the host does not take them, and it opens again', () => {
    const open = new Open();
    open.stream.takes = false;
    const data = new Uint8Array(MSS).fill(1);
    let sent = 0;
    let window = 65535;
    for (; window >= MSS && sent < 2 * RECEIVE_BUFFER; sent += MSS) {
      open.send({ at: 1 + sent, data });
      const answers = open.wire.segments();
      window = answers.at(-1)?.window ?? window - MSS;
    }
    open.wire.host.run(DELAYED_ACK_MS);
    open.wire.segments();
    // The rest, and more than that.
    open.send({ at: 1 + sent, data });
    const [{ window: none, acknowledgement }] = open.wire.segments();
    expect([none, acknowledgement]).toEqual([0, OURS + 1 + RECEIVE_BUFFER]);
    expect(open.wire.stack.counts.tcpBytes).toBe(RECEIVE_BUFFER);
    // A probe of the guest's is answered, and not taken.
    open.send({ at: 1 + RECEIVE_BUFFER, data: bytes('p') });
    expect(open.wire.segments()).toMatchObject([{ window: 0, acknowledgement: OURS + 1 + RECEIVE_BUFFER }]);
    open.stream.take();
    open.stream.take();
    expect(open.wire.segments().at(-1)).toMatchObject({ window: RECEIVE_BUFFER });
    expect(open.wire.stack.counts.tcpBytes).toBe(0);
    expect(open.stream.text.length).toBe(RECEIVE_BUFFER);
  });
  it('that come too early are kept within bounds', () => {
    const open = new Open();
    for (let n = 0; n < 1000; n++) open.send({ at: 10 + 2 * n, data: bytes('x') });
    expect(open.wire.stack.counts.tcpBytes).toBe(MOST_EARLY);
    const behind = new Open();
    behind.send({ at: RECEIVE_BUFFER - 1, data: bytes('xxxx') });
    expect(behind.wire.stack.counts.tcpBytes).toBe(2);
    behind.send({ at: RECEIVE_BUFFER + 1, data: bytes('xxxx') });
    expect(behind.wire.stack.counts.tcpBytes).toBe(2);
  });
  it('small ones that the host does not take cost what they are', () => {
    const open = new Open();
    open.stream.takes = false;
    for (let n = 0; n < 5000; n++) open.send({ at: 1 + n, data: bytes('x') });
    expect([open.stream.waiting, open.wire.stack.counts.tcpBytes]).toEqual([1, 5000]);
    open.stream.take();
    open.stream.take();
    expect(open.stream.text.length).toBe(5000);
    expect(open.stream.written.length).toBe(2);
  });
});

describe('bytes of the host', () => {
  it('go out in segments, as many as the window takes', () => {
    const open = new Open({ window: 4000 });
    open.host(new Uint8Array(5000));
    expect(open.got()).toEqual(['ACK 1 > 1 1460 bytes', 'ACK 1461 > 1 1460 bytes']);
    // An open window takes no small piece while others are on their way.
    open.send({ ack: 2921, window: 2079 });
    expect(open.got()).toEqual(['ACK 2921 > 1 1460 bytes']);
    open.send({ ack: 2921, window: 2080 });
    expect(open.got()).toEqual(['ACK 4381 > 1 620 bytes']);
  });
  it.each([
    [1000, 1000],
    [9000, 1460],
    [undefined, 536],
    [10, 64],
  ])('a guest that says %s takes segments of %s', (mss, size) => {
    const wire = new Wire().hello();
    wire.sendTcp({ flags: SYN, sequence: OURS, mss });
    wire.host.dialed[0].events!.onConnect();
    const [{ sequence }] = wire.segments();
    wire.sendTcp({ flags: ACK, sequence: OURS + 1, acknowledgement: sequence + 1 });
    wire.host.dialed[0].events!.onData(new Uint8Array(3000));
    expect(wire.segments()[0].data.length).toBe(size);
  });
  it('come again until they are acknowledged, later each time, and at last the connection is reset', () => {
    const open = new Open();
    // The handshake took no time: the least time-out.
    const start = open.wire.host.now();
    const times: number[] = [];
    const flags = new Set<string>();
    open.wire.onFrame = () => times.push(open.wire.host.now() - start);
    open.host('lost');
    open.wire.host.run(3000);
    expect(times).toEqual([0, 200, 600, 1400, 3000]);
    open.wire.onFrame = undefined;
    open.wire.host.run(3_600_000);
    const segments = open.wire.segments();
    for (const one of segments) flags.add(flagsOf(one));
    expect(times.length + segments.length).toBe(MOST_RETRIES + 2);
    expect(flagsOf(segments.at(-1)!)).toBe('RST ACK');
    expect(open.stream.destroyed).toBe('reset');
    open.nothingLeft();
  });
  it('one that is lost comes again at the third acknowledgement of what is before it', () => {
    const open = new Open();
    open.host(new Uint8Array(8 * MSS));
    expect(open.got().length).toBe(8);
    open.send({ ack: 1 + MSS });
    expect(open.got()).toEqual([]);
    open.send({ ack: 1 + MSS });
    open.send({ ack: 1 + MSS });
    expect(open.got()).toEqual([]);
    open.send({ ack: 1 + MSS });
    expect(open.got()).toEqual([`ACK ${1 + MSS} > 1 1460 bytes`]);
    // The next hole, told by an acknowledgement of a part.
    open.send({ ack: 1 + 4 * MSS });
    expect(open.got()).toEqual([`ACK ${1 + 4 * MSS} > 1 1460 bytes`]);
    open.send({ ack: 1 + 8 * MSS });
    expect(open.got()).toEqual([]);
    expect(open.wire.host.timers).toBe(0);
  });
  it('a window of 0 is asked, by a byte that it does not take, until it opens', () => {
    const open = new Open({ window: 4 });
    open.host('abcdefgh');
    expect(open.got()).toEqual(['ACK 1 > 1 abcd']);
    open.send({ ack: 5, window: 0 });
    const start = open.wire.host.now();
    const probes: [number, string][] = [];
    // It is answered each time: that is no loss, however often.
    open.wire.onFrame = (frame) => {
      probes.push([open.wire.host.now() - start, text(frame.subarray(54))]);
      open.wire.host.soon(() => open.send({ ack: 5, window: 0 }));
    };
    open.wire.host.run(3_600_000);
    expect(probes.slice(0, 4)).toEqual([
      [200, 'e'],
      [600, 'e'],
      [1400, 'e'],
      [3000, 'e'],
    ]);
    expect(probes.length).toBeGreaterThan(MOST_RETRIES * 2);
    open.wire.onFrame = undefined;
    open.send({ ack: 5, window: 100 });
    expect(open.got()).toEqual(['ACK 5 > 1 efgh']);
    // Nobody answers: it comes again soon, not as late as the last probe.
    open.wire.host.run(200);
    expect(open.got()).toEqual(['ACK 5 > 1 efgh']);
  });
  it('a probe whose byte is taken', () => {
    const open = new Open({ window: 2 });
    open.host('abcd');
    open.send({ ack: 3, window: 0 });
    open.wire.host.run(200);
    expect(open.got()).toEqual(['ACK 1 > 1 ab', 'ACK 3 > 1 c']);
    open.send({ ack: 4, window: 10 });
    expect(open.got()).toEqual(['ACK 4 > 1 d']);
  });
  it('the host waits while many wait for the guest, and no longer', () => {
    const open = new Open();
    const host = open.stream;
    let given = 0;
    for (; !host.paused && given < 4 * SEND_BUFFER; given += CHUNK) open.host(new Uint8Array(CHUNK));
    expect([given, open.wire.stack.counts.tcpBytes]).toEqual([SEND_BUFFER, SEND_BUFFER]);
    let acknowledged = 0;
    while (host.paused && acknowledged < given) {
      const last = open.wire.segments().at(-1)!;
      acknowledged = ((last.sequence - open.theirs) >>> 0) + last.data.length - 1;
      open.send({ ack: 1 + acknowledged });
    }
    expect([host.paused, acknowledged >= SEND_BUFFER / 2]).toEqual([false, true]);
    expect(open.wire.stack.counts.tcpBytes).toBeLessThanOrEqual(SEND_BUFFER / 2);
  });
  it('an acknowledgement of what was never sent is questioned', () => {
    const open = new Open();
    open.host('abc');
    open.got();
    open.send({ ack: 5 });
    expect(open.got()).toEqual(['ACK 4 > 1']);
    open.send({ ack: 4 });
    expect(open.wire.host.timers).toBe(0);
  });
});

describe('ends', () => {
  it('the guest first: the host still sends', () => {
    const open = new Open();
    open.send({ flags: ACK | FIN, data: bytes('bye') });
    expect(open.got()).toEqual(['ACK 1 > 5']);
    open.wire.host.run(0);
    expect([open.stream.text, open.stream.ended]).toEqual(['bye', true]);
    open.host('more');
    open.send({ at: 5, ack: 5 });
    expect(open.got()).toEqual(['ACK 1 > 5 more']);
    open.stream.events!.onEnd();
    expect(open.got()).toEqual(['FIN ACK 5 > 5']);
    open.stream.close();
    open.send({ at: 5, ack: 6 });
    open.nothingLeft();
  });
  it('the host first: the guest still sends, and its end may come twice', () => {
    const open = new Open();
    open.host('all');
    open.stream.events!.onEnd();
    expect(open.got()).toEqual(['ACK 1 > 1 all', 'FIN ACK 4 > 1']);
    open.send({ ack: 5 });
    open.send({ ack: 5, data: bytes('late') });
    open.send({ at: 5, ack: 5, flags: ACK | FIN });
    expect(open.got()).toEqual(['ACK 5 > 6']);
    open.wire.host.run(0);
    expect([open.stream.text, open.stream.ended]).toEqual(['late', true]);
    open.stream.close();
    expect(open.wire.stack.counts).toMatchObject({ tcp: 0, tcpKnown: 1 });
    open.send({ at: 5, ack: 5, flags: ACK | FIN });
    expect(open.got()).toEqual(['ACK 5 > 6']);
    open.wire.host.run(TIME_WAIT_MS);
    open.nothingLeft();
  });
  it('both at once', () => {
    const open = new Open();
    open.stream.events!.onEnd();
    open.send({ flags: ACK | FIN });
    expect(open.got()).toEqual(['FIN ACK 1 > 1', 'ACK 2 > 2']);
    open.send({ at: 2, ack: 2 });
    open.stream.close();
    open.wire.host.run(TIME_WAIT_MS);
    open.nothingLeft();
  });
  it('that is lost comes again, alone and with its last bytes', () => {
    const open = new Open();
    open.host('x');
    open.stream.events!.onEnd();
    open.got();
    open.wire.host.run(200);
    expect(open.got()).toEqual(['FIN ACK 1 > 1 x']);
    open.send({ ack: 2 });
    open.wire.host.run(200);
    expect(open.got()).toEqual(['FIN ACK 2 > 1']);
    open.send({ ack: 3 });
    expect(open.wire.host.timers).toBe(0);
  });
  it('that comes before bytes that are missing waits for them', () => {
    const open = new Open();
    open.send({ at: 3, flags: ACK | FIN, data: bytes('cd') });
    expect([open.got(), open.stream.ended]).toEqual([['ACK 1 > 1'], false]);
    open.send({ at: 1, data: bytes('ab') });
    expect(open.got()).toEqual(['ACK 1 > 6']);
    open.wire.host.run(0);
    expect([open.stream.text, open.stream.ended]).toEqual(['abcd', true]);
  });
  it('of the guest waits for the host to take its bytes', () => {
    const open = new Open();
    open.stream.takes = false;
    open.send({ data: bytes('ab') });
    open.send({ at: 3, flags: ACK | FIN, data: bytes('cd') });
    expect(open.stream.ended).toBe(false);
    open.stream.take();
    expect(open.stream.ended).toBe(false);
    open.stream.take();
    expect([open.stream.text, open.stream.ended]).toEqual(['abcd', true]);
  });
  it('waits for a window as any byte does', () => {
    const open = new Open({ window: 3 });
    open.host('abc');
    open.stream.events!.onEnd();
    expect(open.got()).toEqual(['ACK 1 > 1 abc']);
    open.send({ ack: 4, window: 3 });
    expect(open.got()).toEqual(['FIN ACK 4 > 1']);
  });
  it('a reset of the guest resets the host', () => {
    const open = new Open();
    open.send({ at: 100, flags: RST });
    // It could be anyone's: it is questioned.
    expect([open.got(), open.stream.destroyed]).toEqual([['ACK 1 > 1'], undefined]);
    open.send({ at: 70_000, flags: RST });
    expect([open.got(), open.stream.destroyed]).toEqual([[], undefined]);
    open.send({ at: 1, flags: RST });
    expect([open.got(), open.stream.destroyed]).toEqual([[], 'reset']);
    open.nothingLeft();
  });
  it.each(['ECONNRESET', 'EPIPE', undefined])('an end of the host with %s resets the guest', (code) => {
    const open = new Open();
    open.host('x');
    open.got();
    open.stream.close(code);
    expect(open.got()).toEqual(['RST ACK 2 > 1']);
    open.nothingLeft();
  });
  it('a host that is gone while its last bytes wait: they still go', () => {
    const open = new Open({ window: 2 });
    open.send({ flags: ACK | FIN, window: 2 });
    open.host('abcd');
    open.stream.events!.onEnd();
    open.stream.close();
    open.send({ at: 2, ack: 3, window: 10 });
    expect(open.got()).toEqual(['ACK 1 > 2', 'ACK 1 > 2 ab', 'FIN ACK 3 > 2 cd']);
    open.send({ at: 2, ack: 6 });
    open.nothingLeft();
  });
  it('a SYN within a connection is questioned', () => {
    const open = new Open();
    open.send({ at: 10, flags: SYN });
    expect([open.got(), open.wire.host.dialed.length]).toEqual([['ACK 1 > 1'], 1]);
  });
  it('a new connection in the place of one that lingers', () => {
    const open = new Open();
    open.stream.events!.onEnd();
    open.send({ ack: 2, flags: ACK | FIN });
    open.stream.close();
    open.got();
    open.wire.sendTcp({ flags: SYN, sequence: OURS });
    expect([open.got(), open.wire.host.dialed.length]).toEqual([['ACK 2 > 2'], 1]);
    open.wire.sendTcp({ flags: SYN, sequence: OURS + 1000 });
    expect([open.got(), open.wire.host.dialed.length]).toEqual([[], 2]);
  });
  it('that linger are so many at once, and make room for others', () => {
    const wire = new Wire().hello();
    for (let n = 0; n <= MOST_KNOWN; n++) {
      const ports = { sourcePort: 1000 + n };
      wire.sendTcp({ ...ports, flags: SYN, sequence: OURS });
      const stream = wire.host.dialed.at(-1)!;
      stream.events!.onConnect();
      const acknowledgement = (wire.segments()[0].sequence + 2) >>> 0;
      wire.sendTcp({ ...ports, flags: ACK, sequence: OURS + 1, acknowledgement: acknowledgement - 1 });
      stream.events!.onEnd();
      wire.sendTcp({ ...ports, flags: ACK | FIN, sequence: OURS + 1, acknowledgement });
      stream.close();
      wire.frames = [];
    }
    expect(wire.stack.counts).toMatchObject({ tcp: 0, tcpKnown: MOST_KNOWN });
    wire.sendTcp({ sourcePort: 1000, flags: ACK | FIN, sequence: OURS + 1 });
    expect(wire.segments().map(flagsOf)).toEqual(['RST']);
    wire.host.run(TIME_WAIT_MS);
    expect([wire.stack.counts.tcpKnown, wire.host.timers]).toEqual([0, 0]);
  });
  it('of the network: all is closed', () => {
    const open = new Open();
    open.host('x');
    open.wire.stack.close();
    expect(open.stream.destroyed).toBe('closed');
    open.nothingLeft();
  });
});

describe('a connection that the host asks for', () => {
  const forward = (wire: Wire) => {
    const stream = wire.host.connect({ address: '', port: 0 }, { onConnect() {}, onData() {}, onEnd() {}, onClose() {} }) as FakeStream;
    stream.paused = true;
    stream.events = wire.stack.forward(80, stream);
    return stream;
  };
  it('comes from the gateway; nothing is read of it before the guest has answered', () => {
    const wire = new Wire().hello();
    const stream = forward(wire);
    const [packet] = wire.packets();
    expect([packet.source, packet.destination]).toEqual([GATEWAY, GUEST]);
    const syn = parseSegment(packet)!;
    expect(syn).toMatchObject({ flags: SYN, destinationPort: 80, mss: MSS, acknowledgement: 0 });
    expect(syn.sourcePort).toBeGreaterThanOrEqual(49_152);
    expect(stream.paused).toBe(true);
    const answer = { sourcePort: 80, destinationPort: syn.sourcePort, acknowledgement: (syn.sequence + 1) >>> 0 };
    // An answer to something else is refused, and changes nothing.
    wire.sendTcp({ ...answer, flags: SYN | ACK, sequence: 7, acknowledgement: syn.sequence });
    expect([wire.segments(), stream.paused]).toMatchObject([[{ flags: RST, sequence: syn.sequence }], true]);
    wire.sendTcp({ ...answer, flags: SYN | ACK, sequence: 7, mss: 1000 });
    expect(wire.segments()).toMatchObject([{ flags: ACK, acknowledgement: 8, sequence: answer.acknowledgement }]);
    expect(stream.paused).toBe(false);
    stream.events!.onData(new Uint8Array(1500));
    expect(wire.segments().map(({ data }) => data.length)).toEqual([1000, 500]);
    wire.sendTcp({ ...answer, flags: ACK | PSH, sequence: 8, data: bytes('hi') });
    expect(stream.text).toBe('hi');
    forward(wire);
    expect(wire.segments()[0].sourcePort).not.toBe(syn.sourcePort);
  });
  it('is reset where the guest refuses it', () => {
    const wire = new Wire().hello();
    const stream = forward(wire);
    const [{ sourcePort, sequence }] = wire.segments();
    const answer = { sourcePort: 80, destinationPort: sourcePort };
    wire.sendTcp({ ...answer, flags: RST | ACK, acknowledgement: sequence });
    expect(stream.destroyed).toBeUndefined();
    wire.sendTcp({ ...answer, flags: RST | ACK, acknowledgement: (sequence + 1) >>> 0 });
    expect(stream.destroyed).toBe('reset');
    expect([wire.host.timers, wire.stack.counts.tcpKnown]).toEqual([0, 0]);
  });
  it('is asked for again where there is no answer, and given up at last', () => {
    const wire = new Wire().hello();
    const stream = forward(wire);
    wire.host.run(120_000);
    expect(wire.segments().map(flagsOf)).toEqual(Array(MOST_SYNS).fill('SYN'));
    expect(stream.destroyed).toBe('reset');
  });
  it('one that its asker gives up', () => {
    const wire = new Wire().hello();
    const stream = forward(wire);
    wire.segments();
    stream.close('ECONNRESET');
    expect(wire.segments().map(flagsOf)).toEqual(['RST']);
    expect([wire.host.timers, wire.stack.counts.tcpKnown, wire.stack.counts.tcp]).toEqual([0, 0, 0]);
  });
  it('one too many is closed', () => {
    const wire = new Wire().hello();
    for (let n = 0; n < MOST_CONNECTIONS; n++) forward(wire);
    expect(forward(wire).destroyed).toBe('reset');
  });
});

describe('a megabyte either way', () => {
  const hash = (pieces: readonly Uint8Array[]) => createHash('sha256').update(Buffer.concat(pieces)).digest('hex');
  const LENGTH = 1 << 20;

  /** The host sends in chunks while it is not paused, and takes what comes after a moment. */
  function talk(wire: Wire, guest: ModelTcp, stream: FakeStream, data: Uint8Array): void {
    let sent = 0;
    const step = () => {
      if (stream.destroyed !== undefined) return;
      if (!stream.paused && sent < data.length) {
        stream.events!.onData(data.slice(sent, sent + CHUNK));
        sent += CHUNK;
        if (sent >= data.length) stream.events!.onEnd();
      }
      wire.host.after(1, step);
    };
    stream.events!.onConnect();
    step();
    let most = 0;
    const done = () => {
      most = Math.max(most, wire.stack.counts.tcpBytes);
      return guest.wasReset || (guest.done && guest.hostEnded && stream.ended);
    };
    wire.host.run(3_600_000, done);
    expect(most).toBeLessThanOrEqual(SEND_BUFFER + CHUNK + RECEIVE_BUFFER);
  }

  it.each([
    { seed: 1, loss: 0, repeat: 0, delayMs: 1 },
    { seed: 2, loss: 0.1, repeat: 0, delayMs: 1 },
    { seed: 3, loss: 0.1, repeat: 0.1, delayMs: 20 },
    { seed: 4, loss: 0.1, repeat: 0.05, delayMs: 5 },
    { seed: 5, loss: 0.02, repeat: 0.3, delayMs: 50 },
  ])('over a wire with $loss lost, $repeat repeated, up to $delayMs ms late', (weather) => {
    const wire = new Wire().hello();
    const next = random(weather.seed + 100);
    const [up, down] = [0, 1].map(() => Uint8Array.from({ length: LENGTH }, () => next() * 256));
    const guest = new ModelTcp(wire, weather, up, true);
    guest.connect();
    wire.host.run(60_000, () => wire.host.dialed.length > 0);
    const [stream] = wire.host.dialed;
    talk(wire, guest, stream, down);
    expect(guest.wasReset).toBe(false);
    expect(hash(guest.received)).toBe(hash([down]));
    expect(hash(stream.written)).toBe(hash([up]));
    expect(guest.lost / guest.frames).toBeCloseTo(weather.loss, 1);
    stream.close();
    wire.host.run(TIME_WAIT_MS + 120_000);
    expect(wire.stack.counts).toMatchObject({ tcp: 0, tcpKnown: 0, tcpBytes: 0 });
  });

  it('a guest that takes nothing for a minute', () => {
    const wire = new Wire().hello();
    const data = Uint8Array.from({ length: LENGTH }, (_, i) => i >> 8);
    const guest = new ModelTcp(wire, { seed: 6 }, new Uint8Array(0), false);
    guest.connect();
    wire.host.run(1000, () => wire.host.dialed.length > 0);
    wire.host.after(20, () => {
      guest.window = 0;
    });
    wire.host.after(60_000, () => {
      guest.window = 65535;
    });
    talk(wire, guest, wire.host.dialed[0], data);
    wire.host.run(3_600_000, () => guest.hostEnded);
    expect(hash(guest.received)).toBe(hash([data]));
  });
});
