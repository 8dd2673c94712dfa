// UDP of the user network: to the host and beyond, within bounds and given back after a while; and the name server.
import { describe, expect, it } from 'vitest';
import { GATEWAY, GUEST, NAME_SERVER } from '../../../src/net/address.ts';
import { MOST_QUERIES, SERVER_MS } from '../../../src/net/dns.ts';
import { Protocol, parsePacket } from '../../../src/net/ipv4.ts';
import { FLOW_IDLE_MS, MOST_FLOWS } from '../../../src/net/udp-nat.ts';
import { bytes, frameOf, hex, ip, text, Wire } from './guest.ts';

const OUTSIDE = ip('192.0.2.1');

describe('UDP', () => {
  it.each([
    ['10.0.2.2', '127.0.0.1'],
    ['192.0.2.1', '192.0.2.1'],
  ])('%s is %s, and what it answers comes from there', (seen, real) => {
    const wire = new Wire().hello();
    wire.sendUdp(ip(seen), { sourcePort: 4000, destinationPort: 7, data: bytes('ping') });
    wire.sendUdp(ip(seen), { sourcePort: 4000, destinationPort: 7, data: bytes('pong') });
    expect(wire.host.bound.length).toBe(1);
    const [socket] = wire.host.bound;
    expect(socket.to).toEqual({ address: real, port: 7 });
    expect(socket.sent.map(text)).toEqual(['ping', 'pong']);
    socket.events.onDatagram(bytes('answer'));
    expect(wire.datagrams()).toMatchObject([
      { source: ip(seen), destination: GUEST, sourcePort: 7, destinationPort: 4000, data: bytes('answer') },
    ]);
  });
  it('keeps ends apart', () => {
    const wire = new Wire().hello();
    const send = (to: number, sourcePort: number, destinationPort: number) =>
      wire.sendUdp(to, { sourcePort, destinationPort, data: bytes('x') });
    send(GATEWAY, 1, 2);
    send(GATEWAY, 2, 2);
    send(GATEWAY, 1, 3);
    send(OUTSIDE, 1, 2);
    expect(wire.host.sockets.size).toBe(4);
    wire.host.bound[2].events.onDatagram(bytes('y'));
    expect(wire.datagrams()).toMatchObject([{ source: GATEWAY, sourcePort: 3, destinationPort: 1 }]);
  });
  it.each(['10.0.2.4', '10.0.2.255', '10.0.2.0', '10.0.2.3', '127.0.0.1', '0.0.0.1', '224.0.0.1', '240.0.0.1', '255.255.255.255'])(
    'leads to nobody at %s',
    (to) => {
      const wire = new Wire().hello();
      wire.sendUdp(ip(to), { sourcePort: 1, destinationPort: 2, data: bytes('x') });
      expect([wire.host.bound, wire.frames]).toEqual([[], []]);
    },
  );
  it.each(['10.0.2.2', '10.0.2.3', '192.0.2.1', '0.0.0.0', '10.0.3.15'])('is not taken from %s', (from) => {
    const wire = new Wire().hello();
    wire.sendUdp(OUTSIDE, { sourcePort: 1, destinationPort: 2, data: bytes('x') }, ip(from));
    expect(wire.host.bound).toEqual([]);
  });
  it('long messages come whole, in pieces to the guest', () => {
    const wire = new Wire().hello();
    const data = bytes('0123456789'.repeat(500));
    wire.sendUdp(OUTSIDE, { sourcePort: 1, destinationPort: 2, data });
    const [socket] = wire.host.bound;
    expect(socket.sent).toEqual([data]);
    socket.events.onDatagram(data);
    const pieces = wire.frames.map((frame) => parsePacket(frame.subarray(14))!);
    expect(pieces.map(({ offset, more }) => [offset, more])).toEqual([
      [0, true],
      [1480, true],
      [2960, true],
      [4440, false],
    ]);
    expect(wire.frames.every((frame) => frame.length <= 1514)).toBe(true);
  });
  it('tells the guest what nobody takes', () => {
    const wire = new Wire().hello();
    for (const [code, reason] of [
      ['ECONNREFUSED', 3],
      ['EHOSTUNREACH', 1],
      ['ENETUNREACH', 0],
    ] as const) {
      wire.sendUdp(OUTSIDE, { sourcePort: 5, destinationPort: 6, data: bytes('x') });
      wire.host.bound.at(-1)!.events.onError(code);
      const [{ source, protocol, payload }] = wire.packets();
      expect([source, protocol, payload[0], payload[1]]).toEqual([GATEWAY, Protocol.ICMP, 3, reason]);
      // Whose packet it was: addresses and ports.
      expect(Buffer.from(payload.subarray(20, 32)).toString('hex')).toBe('0a00020fc000020100050006');
    }
    expect(wire.stack.counts.udp).toBe(0);
  });
  it('sockets are given back when nothing passes for a while', () => {
    const wire = new Wire().hello();
    const send = (port: number) => wire.sendUdp(OUTSIDE, { sourcePort: port, destinationPort: 9, data: bytes('x') });
    send(1);
    send(2);
    wire.host.run(FLOW_IDLE_MS - 1000);
    expect(wire.host.sockets.size).toBe(2);
    send(1);
    wire.host.run(1001);
    expect([...wire.host.bound.map(({ closed }) => closed)]).toEqual([false, true]);
    // What comes from outside counts as well.
    wire.host.run(FLOW_IDLE_MS - 2000);
    wire.host.bound[0].events.onDatagram(bytes('y'));
    wire.host.run(FLOW_IDLE_MS - 1);
    expect(wire.host.sockets.size).toBe(1);
    wire.host.run(1);
    expect([wire.host.sockets.size, wire.host.timers]).toEqual([0, 0]);
  });
  it('there are so many at once: the one that was silent longest makes room', () => {
    const wire = new Wire().hello();
    const send = (port: number) => wire.sendUdp(OUTSIDE, { sourcePort: port, destinationPort: 9, data: bytes('x') });
    for (let port = 1; port <= MOST_FLOWS; port++) send(port);
    send(1);
    send(60_000);
    expect(wire.host.sockets.size).toBe(MOST_FLOWS);
    expect(wire.host.bound.flatMap(({ closed }, n) => (closed ? [n] : []))).toEqual([1]);
  });
  it('checks checksums, and takes messages without one', () => {
    const wire = new Wire().hello();
    const udp = (sum: string) =>
      wire.send({ source: GUEST, destination: OUTSIDE, protocol: Protocol.UDP, payload: hex(`0001 0002 0009 ${sum} 78`) });
    udp('0001');
    expect(wire.host.bound).toEqual([]);
    udp('0000');
    expect(wire.host.bound[0].sent.map(text)).toEqual(['x']);
  });
  it('restricted, it leads nowhere, but for DHCP and pings', () => {
    const wire = new Wire({ restrict: true }).hello();
    for (const to of [GATEWAY, OUTSIDE]) wire.sendUdp(to, { sourcePort: 1, destinationPort: 2, data: bytes('x') });
    wire.sendUdp(NAME_SERVER, { sourcePort: 1, destinationPort: 53, data: hex('1234 0100 0001 0000 0000 0000 0161 00 0001 0001') });
    expect([wire.host.bound, wire.frames]).toEqual([[], []]);
    wire.send({ source: GUEST, destination: GATEWAY, protocol: Protocol.ICMP, payload: hex('0800f7fe00000001') });
    expect(wire.packets()).toMatchObject([{ protocol: Protocol.ICMP }]);
  });
  it('closed, it is silent', () => {
    const wire = new Wire().hello();
    wire.sendUdp(OUTSIDE, { sourcePort: 1, destinationPort: 2, data: bytes('x') });
    wire.stack.close();
    wire.stack.receive(frameOf(hex('0001080006040001 525400123456 0a00020f 000000000000 0a000202'), 0x0806));
    wire.sendUdp(OUTSIDE, { sourcePort: 3, destinationPort: 2, data: bytes('x') });
    expect([wire.host.sockets.size, wire.host.timers, wire.host.bound.length, wire.frames]).toEqual([0, 0, 1, []]);
  });
});

describe('the name server', () => {
  const QUESTION = '07 6578616d706c65 03 6f7267 00 0001 0001';
  const query = (rest = QUESTION, head = '0100 0001 0000 0000 0000') => hex(`abcd ${head} ${rest}`);
  const ask = (wire: Wire, message: Uint8Array) => wire.sendUdp(NAME_SERVER, { sourcePort: 3333, destinationPort: 53, data: message });
  const answers = (wire: Wire) => wire.datagrams().map(({ data }) => Buffer.from(data).toString('hex'));

  it('asks those of the host, and gives their answer as it is', () => {
    const wire = new Wire().hello();
    ask(wire, query());
    const [socket] = wire.host.bound;
    expect(socket.to).toEqual({ address: '192.0.2.53', port: 53 });
    expect(socket.sent).toEqual([query()]);
    // Not the answer: of another query, no answer at all.
    socket.events.onDatagram(hex('abce 8180 0001 0001 0000 0000'));
    socket.events.onDatagram(query());
    expect(wire.frames).toEqual([]);
    const answer = hex(`abcd 8180 0001 0001 0000 0000 ${QUESTION} c00c 0001 0001 0000003c 0004 5db8d822`);
    socket.events.onDatagram(answer);
    expect(wire.datagrams()).toMatchObject([
      { source: NAME_SERVER, destination: GUEST, sourcePort: 53, destinationPort: 3333, data: answer },
    ]);
    expect([socket.closed, wire.host.timers]).toEqual([true, 0]);
  });
  it('asks the next where one is silent or gone, and fails where none answers', () => {
    const wire = new Wire().hello();
    wire.host.servers = ['192.0.2.1', '::1', '192.0.2.3'].map((address) => ({ address, port: 53 }));
    ask(wire, query());
    wire.host.run(SERVER_MS - 1);
    expect(wire.host.bound.length).toBe(1);
    wire.host.run(1);
    expect(wire.host.bound.map(({ to, closed }) => [to.address, closed])).toEqual([
      ['192.0.2.1', true],
      ['::1', false],
    ]);
    wire.host.bound[1].events.onError('ECONNREFUSED');
    expect(wire.host.bound[2].sent).toEqual([query()]);
    wire.host.run(SERVER_MS);
    expect(answers(wire)).toEqual([`abcd8182 0001 0000 0000 0000 ${QUESTION}`.replaceAll(' ', '')]);
    expect([wire.host.sockets.size, wire.host.timers]).toEqual([0, 0]);
    wire.host.servers = [];
    ask(wire, query());
    expect(answers(wire).map((answer) => answer.slice(0, 8))).toEqual(['abcd8182']);
  });
  it.each([
    ['no question', query('', '0100 0000 0000 0000 0000'), 'abcd8181'],
    ['two questions', query(QUESTION + QUESTION, '0100 0002 0000 0000 0000'), 'abcd8181'],
    ['a label too long', query(`40 ${'61'.repeat(64)} 00 0001 0001`), 'abcd8181'],
    ['a pointer', query('c00c 0001 0001'), 'abcd8181'],
    ['a name too long', query(`${`3f${'61'.repeat(63)}`.repeat(4)} 00 0001 0001`), 'abcd8181'],
    ['a name without an end', query('0161'), 'abcd8181'],
    ['no type', query('0161 00 0001'), 'abcd8181'],
    ['a header cut off', hex('abcd 01'), 'abcd8181'],
    ['a notification', query(QUESTION, '2400 0001 0000 0000 0000'), 'abcda084'],
  ])('%s: an error, and nobody is asked', (_, message, start) => {
    const wire = new Wire().hello();
    ask(wire, message);
    const [answer] = answers(wire);
    expect(answer.slice(0, 8)).toBe(start);
    expect(answer.length).toBeGreaterThanOrEqual(24);
    expect(wire.host.bound).toEqual([]);
  });
  it.each([
    ['an answer', query(QUESTION, '8180 0001 0000 0000 0000')],
    ['a byte', hex('ab')],
    ['nothing', hex('')],
  ])('%s: no word', (_, message) => {
    const wire = new Wire().hello();
    ask(wire, message);
    expect([wire.host.bound, wire.frames]).toEqual([[], []]);
  });
  it('has so many queries at once', () => {
    const wire = new Wire().hello();
    for (let n = 0; n <= MOST_QUERIES; n++) ask(wire, query());
    expect(wire.host.sockets.size).toBe(MOST_QUERIES);
    expect(answers(wire).map((answer) => answer.slice(0, 8))).toEqual(['abcd8182']);
  });
});
