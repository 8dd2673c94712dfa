// A TCP port of this computer alone, for Node.
import type { Server, Socket } from 'node:net';
import { DragomanError } from '../api/errors.ts';
import type { Listener, Peer, PeerEvents } from './host.ts';

export const LOOPBACK = '127.0.0.1';
/** A peer that does not end is ended. */
const GRACE_MS = 1000;

const REASONS: Readonly<Record<string, string>> = { EADDRINUSE: 'in use', EACCES: 'not permitted', EPERM: 'not permitted' };

function connect(socket: Socket, accept: (peer: Peer) => PeerEvents | undefined): void {
  // Small packets that wait for answers.
  socket.setNoDelay(true);
  const closed = new Promise<void>((resolve) => void socket.once('close', () => resolve()));
  // What comes of it is that the socket closes.
  socket.on('error', () => {});
  const peer: Peer = {
    write(bytes) {
      if (socket.destroyed || socket.write(bytes)) return undefined;
      return Promise.race([closed, new Promise<void>((resolve) => void socket.once('drain', resolve))]);
    },
    close() {
      socket.end();
      setTimeout(() => socket.destroy(), GRACE_MS).unref();
    },
  };
  const events = accept(peer);
  if (events === undefined) {
    socket.destroy();
    return;
  }
  socket.on('data', (bytes: Uint8Array) => {
    socket.pause();
    void events.data(bytes).then(() => socket.resume());
  });
  void closed.then(() => events.gone());
}

/** As Host.listen says. */
export async function listen(port: number, accept: (peer: Peer) => PeerEvents | undefined): Promise<Listener> {
  const { createServer } = await import('node:net');
  const sockets = new Set<Socket>();
  let keeps = false;
  const keep = (one: Server | Socket) => void (keeps ? one.ref() : one.unref());
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    keep(socket);
    connect(socket, accept);
  });
  const listening = Promise.withResolvers<void>();
  server.once('error', listening.reject);
  server.listen(port, LOOPBACK, listening.resolve);
  try {
    await listening.promise;
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    throw new DragomanError('BAD_OPTION', `port ${port} of ${LOOPBACK} cannot be had: ${REASONS[code ?? ''] ?? message}`, 'port', {
      cause,
    });
  }
  // Such as too many open files: who would have connected was not let in.
  server.on('error', () => {});
  keep(server);
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    keepAlive(wanted) {
      keeps = wanted;
      for (const one of [server, ...sockets]) keep(one);
    },
    close: () => void server.close(),
  };
}
