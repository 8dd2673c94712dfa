// Node's ends of the user network, with real sockets on the loopback interface.
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { getServers, setServers } from 'node:dns';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { network, parseServer } from '../../../src/host/network.ts';
import type { HostStream, HostStreamEvents } from '../../../src/net/host-ends.ts';
import { bytes, text } from './guest.ts';

/** What comes soon, on a host with other things to do as well. */
const SLOW = { timeout: 20_000 };

const close: (() => void)[] = [];
afterEach(() => {
  for (const one of close.splice(0)) one();
});

/** Events in words, as they come. */
class Log implements HostStreamEvents {
  readonly events: string[] = [];
  data = '';
  length = 0;
  onConnect = () => void this.events.push('connect');
  onData = (data: Uint8Array) => {
    this.length += data.length;
    if (this.length < 1000) this.data += text(data);
  };
  onEnd = () => void this.events.push('end');
  onClose = (code: string | undefined) => void this.events.push(`close ${code}`);
}

async function server(onSocket: (socket: Socket) => void): Promise<{ port: number; server: Server }> {
  const made = createServer({ allowHalfOpen: true }, (socket) => {
    close.push(() => socket.destroy());
    socket.on('error', () => {});
    onSocket(socket);
  });
  close.push(() => made.close());
  await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve));
  return { port: (made.address() as AddressInfo).port, server: made };
}
function dial(port: number): { stream: HostStream; log: Log } {
  const log = new Log();
  const stream = network.connect({ address: '127.0.0.1', port }, log);
  close.push(() => stream.destroy(false));
  return { stream, log };
}
const write = (stream: HostStream, data: Uint8Array) => new Promise<void>((resolve) => stream.write(data, resolve));

describe('a connection of ours', () => {
  it('sends, receives, and ends in two halves', async () => {
    let got = '';
    const { port } = await server((socket) => {
      socket.on('data', (data) => void (got += data));
      socket.on('end', () => socket.end(`${got} back`));
    });
    const { stream, log } = dial(port);
    await write(stream, bytes('there'));
    expect(log.events).toEqual(['connect']);
    stream.end();
    await expect.poll(() => log.events, SLOW).toEqual(['connect', 'end', 'close undefined']);
    expect(log.data).toBe('there back');
  });
  it('sends after the other end has ended', async () => {
    let got = '';
    const { port } = await server((socket) => {
      socket.end('bye');
      socket.on('data', (data) => void (got += data));
    });
    const { stream, log } = dial(port);
    await expect.poll(() => log.events, SLOW).toEqual(['connect', 'end']);
    await write(stream, bytes('more'));
    stream.end();
    await expect.poll(() => log.events.at(-1), SLOW).toBe('close undefined');
    expect([got, log.data]).toEqual(['more', 'bye']);
  });
  it('says why it could not be made, or was broken', async () => {
    const { port, server: made } = await server((socket) => socket.on('data', () => socket.resetAndDestroy()));
    const reset = dial(port);
    await write(reset.stream, bytes('x'));
    await expect.poll(() => reset.log.events, SLOW).toEqual(['connect', 'close ECONNRESET']);
    await new Promise((resolve) => made.close(resolve));
    const { log } = dial(port);
    await expect.poll(() => log.events, SLOW).toEqual(['close ECONNREFUSED']);
  });
  it('resets, or closes, and is silent then', async () => {
    const codes: (string | undefined)[] = [];
    const { port } = await server((socket) => {
      socket.resume();
      socket.on('end', () => codes.push('end'));
      socket.on('error', (error: NodeJS.ErrnoException) => codes.push(error.code));
    });
    for (const reset of [true, false]) {
      const { stream, log } = dial(port);
      await expect.poll(() => log.events, SLOW).toEqual(['connect']);
      stream.destroy(reset);
      await expect.poll(() => codes.length, SLOW).toBe(reset ? 1 : 2);
      expect(log.events).toEqual(['connect']);
    }
    expect(codes).toEqual(['ECONNRESET', 'end']);
  });
  it('that still connects is closed at once', async () => {
    let accepted = 0;
    const { port } = await server(() => accepted++);
    const { stream, log } = dial(port);
    stream.destroy(true);
    const other = dial(port);
    await expect.poll(() => other.log.events, SLOW).toEqual(['connect']);
    await expect.poll(() => accepted, SLOW).toBe(1);
    expect(log.events).toEqual([]);
  });
  it('tells what was taken only where the other end takes it, and pauses', async () => {
    let peer: Socket | undefined;
    const { port } = await server((socket) => {
      peer = socket;
    });
    const { stream, log } = dial(port);
    await expect.poll(() => peer, SLOW).toBeDefined();
    peer!.pause();
    const piece = new Uint8Array(1 << 20);
    let taken = 0;
    // More than the buffers of any system.
    for (let n = 0; n < 32; n++) stream.write(piece, () => taken++);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(taken).toBeLessThan(32);
    peer!.resume();
    await expect.poll(() => taken, SLOW).toBe(32);
    stream.pause();
    peer!.write(piece);
    await new Promise((resolve) => setTimeout(resolve, 100));
    // What was read by then may come.
    expect(log.length).toBeLessThan(piece.length);
    stream.resume();
    await expect.poll(() => log.length, SLOW).toBe(piece.length);
  });
});

describe('a port of ours', () => {
  it('accepts on 127.0.0.1, and reads nothing before it is asked to', async () => {
    const log = new Log();
    let stream: HostStream | undefined;
    const listener = await network.listen(0, (accepted) => {
      stream = accepted;
      return log;
    });
    close.push(() => listener.close());
    const peer = connect(listener.port, '127.0.0.1');
    close.push(() => peer.destroy());
    peer.write('hello');
    await expect.poll(() => stream, SLOW).toBeDefined();
    expect(peer.remoteAddress).toBe('127.0.0.1');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(log.data).toBe('');
    stream!.resume();
    await expect.poll(() => log.data, SLOW).toBe('hello');
    peer.end();
    await expect.poll(() => log.events, SLOW).toEqual(['end']);
    listener.close();
    const late = connect(listener.port, '127.0.0.1');
    close.push(() => late.destroy());
    const refused = await new Promise<NodeJS.ErrnoException>((resolve) => late.on('error', resolve));
    expect(refused.code).toBe('ECONNREFUSED');
  });
  it('that is in use is refused', async () => {
    const { port } = await server(() => {});
    await expect(network.listen(port, () => new Log())).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });
});

describe('datagrams', () => {
  async function echo(): Promise<UdpSocket> {
    const socket = createSocket('udp4');
    close.push(() => socket.close());
    socket.on('message', (data, { port, address }) => socket.send(`${data}!`, port, address));
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    return socket;
  }
  it('go and come; those of others do not', async () => {
    const peer = await echo();
    const got: string[] = [];
    const socket = network.datagrams(
      { address: '127.0.0.1', port: peer.address().port },
      { onDatagram: (data) => got.push(text(data)), onError: (code) => got.push(`error ${code}`) },
    );
    close.push(() => socket.close());
    socket.send(bytes('one'));
    await expect.poll(() => got, SLOW).toEqual(['one!']);
    const stranger = await echo();
    let ours = 0;
    peer.once('message', (_, { port }) => (ours = port));
    socket.send(bytes('two'));
    await expect.poll(() => got, SLOW).toEqual(['one!', 'two!']);
    await new Promise<void>((resolve) => stranger.send('stranger', ours, '127.0.0.1', () => resolve()));
    socket.send(bytes('three'));
    await expect.poll(() => got, SLOW).toEqual(['one!', 'two!', 'three!']);
    socket.close();
    socket.close();
    socket.send(bytes('four'));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(got.length).toBe(3);
  });
  it('that nobody takes are told', async () => {
    const gone = await echo();
    const { port } = gone.address();
    await new Promise<void>((resolve) => gone.close(resolve));
    close.length = 0;
    const errors: (string | undefined)[] = [];
    const socket = network.datagrams({ address: '127.0.0.1', port }, { onDatagram() {}, onError: (code) => errors.push(code) });
    socket.send(bytes('x'));
    await expect.poll(() => errors, SLOW).toEqual(['ECONNREFUSED']);
  });
});

it.each([
  ['192.0.2.1', '192.0.2.1', 53],
  ['192.0.2.1:5353', '192.0.2.1', 5353],
  ['2001:db8::1', '2001:db8::1', 53],
  ['[2001:db8::1]:54', '2001:db8::1', 54],
  ['[::1]', '::1', 53],
])('the name server %s', (said, address, port) => {
  expect(parseServer(said)).toEqual({ address, port });
});

it('the name servers are those that the program has set', () => {
  const before = getServers();
  setServers(['192.0.2.5', '[2001:db8::1]:54']);
  try {
    expect(network.nameServers()).toEqual([
      { address: '192.0.2.5', port: 53 },
      { address: '2001:db8::1', port: 54 },
    ]);
  } finally {
    setServers(before);
  }
});

it('the clock goes on, timers come and can be taken back', async () => {
  const start = network.now();
  const called: string[] = [];
  network.after(1, () => called.push('never')).cancel();
  network.after(20, () => called.push('later'));
  await expect.poll(() => called, SLOW).toEqual(['later']);
  expect(network.now() - start).toBeGreaterThanOrEqual(19);
  const numbers = Array.from({ length: 100 }, network.random);
  expect(numbers.every((n) => Number.isInteger(n) && n >= 0 && n < 2 ** 32)).toBe(true);
  expect(new Set(numbers).size).toBeGreaterThan(90);
});
