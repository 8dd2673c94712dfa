// Node's ends of the user network: sockets, timers, name servers. None of them keeps the process alive.
import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import dns from 'node:dns';
import { connect, createServer, isIPv6, type Socket } from 'node:net';
import type {
  HostAddress,
  HostDatagramEvents,
  HostDatagrams,
  HostListener,
  HostStream,
  HostStreamEvents,
  NetworkHost,
} from '../net/host-ends.ts';
import { LOOPBACK } from './listen.ts';

const DNS_PORT = 53;
/** Datagrams that wait for their socket. */
const MOST_EARLY = 16;
const PORTS = 2 ** 16;

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? 'EIO';

/** Gives a socket's events to `events`, until destroy(). */
function streamOf(socket: Socket, events: () => HostStreamEvents | undefined): HostStream {
  let destroyed = false;
  let code: string | undefined;
  const to = () => (destroyed ? undefined : events());
  socket.setNoDelay(true);
  socket.unref();
  socket.on('connect', () => to()?.onConnect());
  socket.on('data', (bytes: Buffer) => to()?.onData(bytes));
  socket.on('end', () => to()?.onEnd());
  socket.on('error', (error) => {
    code = codeOf(error);
  });
  socket.on('close', () => to()?.onClose(code));
  return {
    write: (bytes, taken) => {
      socket.write(bytes, (error) => {
        if (!destroyed && error == null) taken();
      });
    },
    end: () => void socket.end(),
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    destroy(reset) {
      destroyed = true;
      // One that still connects would do so before its reset.
      if (reset && !socket.connecting) socket.resetAndDestroy();
      else socket.destroy();
    },
  };
}

function datagrams({ address, port }: HostAddress, { onDatagram, onError }: HostDatagramEvents): HostDatagrams {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
  const early: Uint8Array[] = [];
  let state: 'connecting' | 'open' | 'closed' = 'connecting';
  const close = () => {
    if (state === 'closed') return;
    state = 'closed';
    socket.close();
  };
  const fail = (error: unknown) => {
    if (state === 'closed') return;
    close();
    onError(codeOf(error));
  };
  const send = (bytes: Uint8Array) => socket.send(bytes, (error) => error != null && codeOf(error) === 'ECONNREFUSED' && fail(error));
  socket.unref();
  socket.on('error', fail);
  socket.on('message', (bytes) => state !== 'closed' && onDatagram(bytes));
  socket.connect(port, address, (error?: Error) => {
    if (error != null) return fail(error);
    if (state === 'closed') return;
    state = 'open';
    for (const bytes of early.splice(0)) send(bytes);
  });
  return {
    send(bytes) {
      if (state === 'open') send(bytes);
      else if (state === 'connecting' && early.length < MOST_EARLY) early.push(bytes);
    },
    close,
  };
}

function listen(port: number, accept: (stream: HostStream) => HostStreamEvents | undefined): Promise<HostListener> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
    const events = accept(streamOf(socket, () => events));
  });
  server.unref();
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host: LOOPBACK, exclusive: true }, () => {
      server.off('error', reject);
      // A connection that cannot be accepted is its own end.
      server.on('error', () => {});
      resolve({ port: (server.address() as { port: number }).port, close: () => void server.close() });
    });
  });
}

/** '1.2.3.4', '1.2.3.4:53', '::1' or '[::1]:53'. */
export function parseServer(text: string): HostAddress {
  const [, inBrackets, behind] = /^\[(.+)\](?::(\d+))?$/.exec(text) ?? [];
  if (inBrackets !== undefined) return { address: inBrackets, port: Number(behind ?? DNS_PORT) };
  const [, address, port] = /^([\d.]+):(\d+)$/.exec(text) ?? [];
  return address === undefined ? { address: text, port: DNS_PORT } : { address, port: Number(port) };
}

export const network: NetworkHost = {
  now: () => performance.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
  random: () => randomInt(PORTS) * PORTS + randomInt(PORTS),
  connect({ address, port }, events) {
    return streamOf(connect({ host: address, port, allowHalfOpen: true }), () => events);
  },
  listen,
  datagrams,
  // As the program has set them: dns.setServers() puts other functions in the module's place.
  nameServers: () => dns.getServers().map(parseServer),
};
