// A network card's other end that leads to the host's network without any rights there, as QEMU's `-netdev user`: the stack of stack.ts, and ports of the host's
// that lead to ports of the guest's.
import { DragomanError } from '../api/errors.ts';
import { defaults, integer, type Kind, list, needed, plain, refuse, shape } from '../api/kind.ts';
import type { NetBackend, NetPort } from '../api/options.ts';
import { host } from '../host/node.ts';
import type { HostListener, NetworkHost } from './host-ends.ts';
import { NetworkStack } from './stack.ts';

/** Connections to a port of this machine's 127.0.0.1 come to a port of the guest's. */
export interface PortForward {
  /** 0: any that is free. */
  readonly hostPort: number;
  readonly guestPort: number;
}

export interface UserNetworkOptions {
  readonly forward?: readonly PortForward[] | undefined;
  /** The guest reaches neither the host nor anything beyond it; what is forwarded still comes in. Default: false. */
  readonly restrict?: boolean | undefined;
}

export interface UserNetwork extends NetBackend {
  connect(card: NetPort): void;
  open(): Promise<void>;
  close(): void;
  /** Once it is open, with the ports that were free; before that, and behind the end of the run, none. */
  readonly forwarded: readonly PortForward[];
}

export const MOST_FORWARDS = 64;

const FORWARD: Kind<PortForward> = shape({
  hostPort: needed(integer('a port', 0, 0xffff)),
  guestPort: needed(integer('a port', 1, 0xffff)),
});
const OPTIONS = shape({
  forward: defaults(list(FORWARD, MOST_FORWARDS), []),
  restrict: defaults(
    plain<boolean>('true or false', (value) => typeof value === 'boolean'),
    false,
  ),
});

/** Listens for one, or says why that cannot be. */
async function listen(ends: NetworkHost, { hostPort, guestPort }: PortForward, stack: NetworkStack): Promise<HostListener> {
  try {
    return await ends.listen(hostPort, (stream) => stack.forward(guestPort, stream));
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const where = `port ${hostPort} of 127.0.0.1`;
    if (code === 'EADDRINUSE') throw new DragomanError('BAD_OPTION', `${where} is in use`, 'net', { cause });
    if (code === 'EACCES') throw new DragomanError('BAD_OPTION', `${where} is not for this user`, 'net', { cause });
    throw new DragomanError('HOST_LIMIT', `${where}: ${message}`, 'net', { cause });
  }
}

/**
 * A back end for a network card: `net: userNetwork({ forward: [{ hostPort: 8080, guestPort: 80 }] })`. The guest gets 10.0.2.15 by DHCP; 10.0.2.2 is the host's
 * 127.0.0.1 and the way to everything else, 10.0.2.3 the name server (docs/network.md). It serves one machine at a time. Ports are opened while the machine
 * is made (create() rejects with BAD_OPTION where one is in use), and closed with everything else when the run has ended. Throws BAD_OPTION.
 */
export function userNetwork(options: UserNetworkOptions = {}): UserNetwork {
  const { forward, restrict } = OPTIONS.take(options, '');
  const ports = forward.map(({ hostPort }) => hostPort).filter((port) => port !== 0);
  const twice = ports.find((port, n) => ports.indexOf(port) !== n);
  if (twice !== undefined) refuse('forward', `port ${twice} is forwarded twice`);
  let card: NetPort | undefined;
  let stack: NetworkStack | undefined;
  const listeners: HostListener[] = [];
  const close = () => {
    for (const listener of listeners.splice(0)) listener.close();
    stack?.close();
    stack = card = undefined;
  };
  return {
    connect: (to) => {
      card = to;
    },
    // Where a recording is run again it is not opened: what came from outside is in the recording.
    onFrame: (frame) => stack?.receive(frame),
    async open() {
      const ends = await host.network();
      if (stack !== undefined) throw new DragomanError('BAD_STATE', 'this network serves a machine already', 'net');
      const opened = new NetworkStack({ host: ends, send: (frame) => void card?.receive(frame), restrict });
      stack = opened;
      try {
        for (const one of forward) listeners.push(await listen(ends, one, opened));
      } catch (error) {
        close();
        throw error;
      }
    },
    close,
    get forwarded() {
      return listeners.map(({ port }, n) => ({ hostPort: port, guestPort: forward[n].guestPort }));
    },
  };
}
