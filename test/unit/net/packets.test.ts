// What the user network's messages look like, against recorded ones and by hand: checksums, ARP, IPv4 and its fragments, ICMP, UDP, DHCP.
import { describe, expect, it } from 'vitest';
import { GATEWAY, GUEST, NAME_SERVER } from '../../../src/net/address.ts';
import { checksum } from '../../../src/net/checksum.ts';
import { answerDhcp } from '../../../src/net/dhcp.ts';
import { FRAGMENT_MS, Fragments, MOST_PACKETS, MOST_PIECES } from '../../../src/net/fragments.ts';
import { buildPackets, Protocol, parsePacket } from '../../../src/net/ipv4.ts';
import { MOST_WAITING } from '../../../src/net/neighbours.ts';
import { bytes, frameOf, hex, ip, text, Wire } from './guest.ts';

const pattern = (length: number) => Uint8Array.from({ length }, (_, i) => (i * 7 + (i >> 8)) & 0xff);

describe('checksums', () => {
  it('are those of RFC 1071 and of recorded headers', () => {
    // Its example: the sum is DDF2H.
    expect(checksum(hex('0001 f203 f4f5 f6f7'))).toBe(0xffff ^ 0xddf2);
    const header = hex('4500 0073 0000 4000 4011 b861 c0a8 0001 c0a8 00c7');
    expect(checksum(header)).toBe(0);
    header[10] = header[11] = 0;
    expect(checksum(header)).toBe(0xb861);
  });
  it('count an odd byte as a high one, and do not overflow', () => {
    expect(checksum(hex('01'))).toBe(0xfeff);
    expect(checksum(new Uint8Array(65535).fill(0xff))).toBe(checksum(hex('ff00')));
  });
});

describe('ARP', () => {
  const request = (target: string) =>
    frameOf(hex(`0001080006040001 525400123456 0a00020f 000000000000 ${target}`), 0x0806, new Uint8Array(6).fill(0xff));
  it.each([
    ['0a000202', true],
    ['0a000203', true],
    ['0a000204', false],
    ['0a00020f', false],
  ])('%s is ours: %s', (target, ours) => {
    const wire = new Wire();
    wire.stack.receive(request(target));
    const reply = `525400123456 52550a000202 0806 0001080006040002 52550a000202 ${target} 525400123456 0a00020f`;
    expect(wire.frames.map((frame) => Buffer.from(frame).toString('hex'))).toEqual(ours ? [reply.replaceAll(' ', '')] : []);
  });
  it('is not for others, and not where it is cut off', () => {
    const wire = new Wire();
    const frame = request('0a000202');
    wire.stack.receive(frame.subarray(0, 41));
    const other = frame.slice();
    other.set(hex('525400999999'));
    wire.stack.receive(other);
    expect(wire.frames).toEqual([]);
  });
});

describe('IPv4', () => {
  const packet = { source: GUEST, destination: GATEWAY, protocol: Protocol.UDP, payload: pattern(1480) };
  it('is read as it was written, also where a frame is filled up', () => {
    const [one, ...more] = buildPackets(packet, 7);
    expect(more).toEqual([]);
    expect(parsePacket(one)).toEqual({ ...packet, id: 7, offset: 0, more: false });
    const short = buildPackets({ ...packet, payload: bytes('x') }, 7)[0];
    expect(parsePacket(Uint8Array.from([...short, ...new Uint8Array(25)]))!.payload).toEqual(bytes('x'));
  });
  it.each([
    ['another version', (b: Uint8Array) => (b[0] = 0x65)],
    ['a header too short', (b: Uint8Array) => (b[0] = 0x44)],
    ['a header behind its end', (b: Uint8Array) => (b[0] = 0x4f)],
    ['a wrong checksum', (b: Uint8Array) => (b[8] ^= 1)],
    ['a length of more than there is', (b: Uint8Array) => b.set([0xff, 0xff], 2)],
    ['a length less than the header', (b: Uint8Array) => b.set([0, 19], 2)],
  ])('is refused with %s', (_, damage) => {
    const [whole] = buildPackets({ ...packet, payload: bytes('abcd') }, 1);
    damage(whole);
    expect(parsePacket(whole)).toBeUndefined();
    expect(parsePacket(whole.subarray(0, 19))).toBeUndefined();
  });
  it('comes in pieces where it is long, in any order', () => {
    const long = { ...packet, payload: pattern(5000) };
    const pieces = buildPackets(long, 9).map((bytes) => parsePacket(bytes)!);
    expect(pieces.map(({ offset, more, payload }) => [offset, more, payload.length])).toEqual([
      [0, true, 1480],
      [1480, true, 1480],
      [2960, true, 1480],
      [4440, false, 560],
    ]);
    for (const order of [
      [0, 1, 2, 3],
      [3, 2, 1, 0],
      [2, 2, 0, 3, 0, 1],
    ]) {
      const fragments = new Fragments(() => 0);
      const whole = order.map((n) => fragments.add(pieces[n])).filter((one) => one !== undefined);
      expect(whole).toEqual([long]);
      expect(fragments.waiting).toBe(0);
    }
  });
  it('is not put together from pieces of several, over each other, or behind its end', () => {
    const piece = { ...packet, id: 1, payload: pattern(16), offset: 0, more: true };
    const last = { ...piece, offset: 16, more: false };
    for (const [one, two] of [
      [piece, { ...last, id: 2 }],
      [piece, { ...last, source: GATEWAY }],
      [piece, { ...last, protocol: Protocol.TCP }],
      [piece, { ...last, offset: 8 }],
      [{ ...piece, offset: 32 }, last],
      [
        { ...piece, payload: pattern(15) },
        { ...last, offset: 8 },
      ],
      [piece, { ...last, offset: 65528 }],
    ]) {
      const fragments = new Fragments(() => 0);
      expect([fragments.add(one), fragments.add(two)]).toEqual([undefined, undefined]);
    }
  });
  it('with a hole as long as what lies over each other is not whole', () => {
    const piece = (offset: number, length: number, more = true) => ({ ...packet, id: 1, payload: pattern(length), offset, more });
    const fragments = new Fragments(() => 0);
    for (const one of [piece(0, 16), piece(8, 8), piece(24, 8, false)]) expect(fragments.add(one)).toBeUndefined();
  });
  it('waits for pieces within bounds', () => {
    let now = 0;
    const fragments = new Fragments(() => now);
    const piece = (id: number, n: number, more = true) => ({ ...packet, id, payload: pattern(8), offset: 8 * n, more });
    for (let id = 0; id < 3 * MOST_PACKETS; id++) fragments.add(piece(id, 0));
    expect(fragments.waiting).toBe(MOST_PACKETS);
    // The oldest have gone.
    expect(fragments.add(piece(0, 1, false))).toBeUndefined();
    expect(fragments.add(piece(3 * MOST_PACKETS - 1, 1, false))?.payload.length).toBe(16);
    now += FRAGMENT_MS + 1;
    fragments.add(piece(99, 0));
    expect(fragments.waiting).toBe(1);
    for (let n = 1; n < MOST_PIECES; n++) fragments.add(piece(99, n));
    expect(fragments.waiting).toBe(1);
    expect(fragments.add(piece(99, MOST_PIECES, false))).toBeUndefined();
    expect(fragments.waiting).toBe(0);
  });
});

describe('ICMP', () => {
  const echo = (to: number) => ({
    source: GUEST,
    destination: to,
    protocol: Protocol.ICMP,
    // Type 8, identifier 1, sequence 2.
    payload: hex('0800 f1f7 0001 0002 0506'.replace('f1f7', checksum(hex('0800 0000 0001 0002 0506')).toString(16))),
  });
  it('echoes are answered by the gateway and the name server, and by nobody else', () => {
    const wire = new Wire().hello();
    for (const to of [GATEWAY, NAME_SERVER, ip('192.0.2.1'), ip('10.0.2.4'), ip('127.0.0.1')]) wire.send(echo(to));
    const answers = wire.packets();
    expect(answers.map(({ source, destination }) => [source, destination])).toEqual([
      [GATEWAY, GUEST],
      [NAME_SERVER, GUEST],
    ]);
    expect(answers[0].payload[0]).toBe(0);
    expect(checksum(answers[0].payload)).toBe(0);
    expect(answers[0].payload.subarray(4)).toEqual(hex('0001 0002 0506'));
  });
  it('an echo with a wrong checksum is not', () => {
    const wire = new Wire().hello();
    const packet = echo(GATEWAY);
    packet.payload[9] ^= 1;
    wire.send(packet);
    expect(wire.frames).toEqual([]);
  });
});

describe('the guest', () => {
  it('is asked for its hardware address, and gets what waited', () => {
    const wire = new Wire();
    wire.stack.forward(80, wire.host.connect({ address: '', port: 0 }, { onConnect() {}, onData() {}, onEnd() {}, onClose() {} }));
    expect(wire.frames.map((frame) => Buffer.from(frame).toString('hex'))).toEqual([
      `ffffffffffff52550a0002020806${'0001080006040001'}52550a0002020a0002020000000000000a00020f`,
    ]);
    wire.frames = [];
    wire.stack.receive(frameOf(hex('0001080006040002 525400123456 0a00020f 52550a000202 0a000202'), 0x0806));
    expect(wire.segments()).toMatchObject([{ destinationPort: 80, flags: 2 }]);
  });
  it('is waited for within bounds', () => {
    const wire = new Wire();
    const nobody = { onConnect() {}, onData() {}, onEnd() {}, onClose() {} };
    for (let n = 0; n < 2 * MOST_WAITING; n++) wire.stack.forward(n + 1, wire.host.connect({ address: '', port: 0 }, nobody));
    wire.frames = [];
    wire.stack.receive(frameOf(hex('0001080006040002 525400123456 0a00020f 52550a000202 0a000202'), 0x0806));
    // The first ones have made room.
    expect(wire.segments().map(({ destinationPort }) => destinationPort)).toEqual(
      Array.from({ length: MOST_WAITING }, (_, n) => MOST_WAITING + n + 1),
    );
  });
});

describe('DHCP', () => {
  const CLIENT = '525400123456';
  const message = (options: string, { ciaddr = '00000000', flags = '8000' } = {}) =>
    hex(
      `01010600 11223344 0000${flags} ${ciaddr} ${'00000000'.repeat(3)} ${CLIENT}${'00'.repeat(10)} ${'00'.repeat(192)} 63825363 ${options}`,
    );
  /** Options of a reply, as text. */
  const said = (reply: Uint8Array) => {
    const options: Record<number, string> = {};
    for (let at = 240; reply[at] !== 255; at += 2 + reply[at + 1]) {
      if (at >= reply.length) throw new Error('no end');
      options[reply[at]] = Buffer.from(reply.subarray(at + 2, at + 2 + reply[at + 1])).toString('hex');
    }
    return options;
  };
  const ALL = { 54: '0a000202', 51: '00015180', 1: 'ffffff00', 3: '0a000202', 6: '0a000203' };

  it('offers 10.0.2.15, and gives it to who asks for it', () => {
    const wire = new Wire();
    const ask = (options: string) => wire.sendUdp(0xffffffff, { sourcePort: 68, destinationPort: 67, data: message(options) }, 0);
    ask('350101 ff');
    ask('350103 3204 0a00020f 3604 0a000202 ff');
    const replies = wire.datagrams();
    expect(
      replies.map(({ source, destination, sourcePort, destinationPort }) => [source, destination, sourcePort, destinationPort]),
    ).toEqual(Array(2).fill([GATEWAY, 0xffffffff, 67, 68]));
    for (const [n, type] of ['02', '05'].entries()) {
      const { data } = replies[n];
      expect(Buffer.from(data.subarray(0, 28)).toString('hex')).toBe(`02010600112233440000800000000000${'0a00020f'}0a00020200000000`);
      expect(Buffer.from(data.subarray(28, 34)).toString('hex')).toBe(CLIENT);
      expect(said(data)).toEqual({ ...ALL, 53: type });
    }
  });
  it('refuses another address, renews its own, and tells who has one already', () => {
    const reply = (options: string, more = {}) => {
      const answer = answerDhcp(message(options, more))!;
      return { to: answer.to, yiaddr: Buffer.from(answer.message.subarray(16, 20)).toString('hex'), ...said(answer.message) };
    };
    expect(reply('350103 3204 0a000210 ff')).toEqual({ to: undefined, yiaddr: '00000000', 53: '06', 54: '0a000202' });
    expect(reply('350103 ff', { ciaddr: '0a00020f' })).toEqual({ to: GUEST, yiaddr: '0a00020f', ...ALL, 53: '05' });
    const { 51: _, ...noLease } = ALL;
    expect(reply('350108 ff', { ciaddr: '0a000210' })).toEqual({ to: ip('10.0.2.16'), yiaddr: '00000000', ...noLease, 53: '05' });
  });
  it.each([
    ['a release', message('350107 ff')],
    ['an offer to another server', message('350103 3204 0a00020f 3604 c0000201 ff')],
    ['no type', message('ff')],
    ['an option behind the end', message('3501')],
    ['a reply', Uint8Array.from([2, ...message('350101 ff').subarray(1)])],
    ['no cookie', message('350101 ff').fill(0, 236, 240)],
    ['a few bytes', message('350101 ff').subarray(0, 239)],
    ['nothing', new Uint8Array(0)],
  ])('does not answer %s', (_, request) => {
    expect(answerDhcp(request)).toBeUndefined();
  });
  it('passes over padding', () => {
    expect(said(answerDhcp(message('00 00 350101 00 ff'))!.message)[53]).toBe('02');
  });
});

it('nothing that comes by the wire is thrown at anybody, and nothing is left open', () => {
  const wire = new Wire().hello();
  let seed = 12345;
  const random = (below: number) => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
  const templates: Uint8Array[] = [];
  const keep = (work: (other: Wire) => void) => {
    const other = new Wire();
    other.stack.receive = (frame) => void templates.push(frame);
    work(other);
  };
  keep((w) => w.sendTcp({ flags: 2, mss: 1460 }));
  keep((w) => w.sendTcp({ flags: 0x18, data: pattern(100) }));
  keep((w) => w.sendUdp(NAME_SERVER, { sourcePort: 5, destinationPort: 53, data: hex('1234 0100 0001 0000 0000 0000 0161 00 0001 0001') }));
  keep((w) => w.sendUdp(0xffffffff, { sourcePort: 68, destinationPort: 67, data: new Uint8Array(250) }, 0));
  keep((w) => w.send({ source: GUEST, destination: GATEWAY, protocol: 1, payload: hex('0800f7fe00000001') }));
  for (let n = 0; n < 20_000; n++) {
    const frame = templates[random(templates.length)].slice(0, random(4) === 0 ? random(80) : undefined);
    for (let changes = random(4); changes > 0 && frame.length > 14; changes--)
      frame[14 + random(Math.min(60, frame.length - 14))] = random(256);
    // Half of them with right checksums of the header, so that they get further.
    if (frame.length >= 34 && random(2) === 0) {
      frame[24] = frame[25] = 0;
      const sum = checksum(frame.subarray(14, 34));
      frame.set([sum >> 8, sum & 0xff], 24);
    }
    wire.stack.receive(frame);
    if (n % 100 === 0) wire.host.run(1000);
  }
  expect(text(wire.frames[0] ?? new Uint8Array(0))).not.toBe('');
  wire.stack.close();
  expect([wire.host.timers, wire.host.streams.size, wire.host.sockets.size]).toEqual([0, 0, 0]);
  expect(wire.stack.counts).toEqual({ tcp: 0, tcpKnown: 0, tcpBytes: 0, udp: 0, queries: 0 });
});
