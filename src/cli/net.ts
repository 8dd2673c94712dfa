// What --net says: none, loopback, or user with its options, in QEMU's words where QEMU has them.
import { oneOf, parseInteger, type Readable, refuse } from '../api/kind.ts';
import { meant } from '../api/similar.ts';
import { MOST_FORWARDS, type PortForward, type UserNetworkOptions } from '../net/user-network.ts';

/** What the network card is plugged into ('none': there is no card); an object: the user network with these options. */
export type NetChoice = 'none' | 'loopback' | UserNetworkOptions;

const NAMES = ['none', 'loopback', 'user'] as const;
const NAME = oneOf(...NAMES);
const OPTIONS = ['hostfwd', 'restrict'];
const LOOPBACK = '127.0.0.1';
const GUEST = '10.0.2.15';

/** 'tcp:127.0.0.1:8080-:80'. */
function readForward(text: string, name: string): PortForward {
  const [, protocol, hostAddress, hostPort, guestAddress, guestPort] = /^([a-z]*):([^:]*):([^-]*)-([^:]*):(.*)$/.exec(text) ?? [];
  if (protocol === undefined)
    return refuse(name, `'${text}' is not like tcp:${LOOPBACK}:8080-:80 (port of this machine, port of the guest)`);
  if (protocol !== 'tcp') refuse(name, `not supported: '${text}' forwards ${protocol === '' ? 'no protocol' : protocol}; there is tcp`);
  if (hostAddress !== '' && hostAddress !== LOOPBACK)
    refuse(
      name,
      `not supported: '${text}' would listen on ${hostAddress}; ports are opened on ${LOOPBACK} alone, which nobody else reaches`,
    );
  if (guestAddress !== '' && guestAddress !== GUEST)
    refuse(name, `not supported: '${text}' leads to ${guestAddress}; the guest is ${GUEST}`);
  const port = (word: string) => {
    const value = parseInteger(word);
    return value !== undefined && value > 0 && value <= 0xffff ? value : refuse(name, `'${word}' of '${text}' is not a port (1 to 65535)`);
  };
  return { hostPort: port(hostPort), guestPort: port(guestPort) };
}

function readRestrict(text: string | undefined, name: string): boolean {
  if (text === undefined || text === 'on') return true;
  return text === 'off' ? false : refuse(name, `restrict is on or off, not '${text}'`);
}

function readUser(options: readonly string[], name: string): UserNetworkOptions {
  const forward: PortForward[] = [];
  let restrict: boolean | undefined;
  for (const option of options) {
    const [, key, value] = /^([^=]*)(?:=(.*))?$/.exec(option)!;
    if (key === 'hostfwd') forward.push(readForward(value ?? '', name));
    else if (key !== 'restrict')
      refuse(name, `user has no option '${key}'${meant(key, OPTIONS) || `; there are ${OPTIONS.join(' and ')}`}`);
    else if (restrict !== undefined) refuse(name, 'restrict is given more than once');
    else restrict = readRestrict(value, name);
  }
  if (forward.length > MOST_FORWARDS) refuse(name, `${forward.length} forwards are too many: at most ${MOST_FORWARDS}`);
  const ports = forward.map(({ hostPort }) => hostPort);
  const twice = ports.find((port, n) => ports.indexOf(port) !== n);
  if (twice !== undefined) refuse(name, `port ${twice} is forwarded twice`);
  return { forward, restrict: restrict ?? false };
}

export const NET: Readable<NetChoice> = {
  read(text, name) {
    const [kind, ...options] = text.split(',');
    const known = NAME.read(kind, name);
    if (known === 'user') return readUser(options, name);
    return options.length === 0 ? known : refuse(name, `${known} has no options, and '${options.join(',')}' is given`);
  },
};
