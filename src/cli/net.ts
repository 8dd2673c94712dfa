// What --net says: none, loopback, or user with its options, in QEMU's words where QEMU has them.
import { oneOf, parseInteger, type Readable, refuse } from '../api/kind.ts';
import { meant } from '../api/similar.ts';
import { MOST_FORWARDS, type PortForward, type UserNetworkOptions } from '../net/user-network.ts';

/** What the network card is plugged into ('none': there is no card); an object: the user network with these options. */
export type NetChoice = 'none' | 'loopback' | UserNetworkOptions;

const NAME = oneOf('none', 'loopback', 'user');
const OPTIONS = ['hostfwd', 'restrict'];
const LOOPBACK = '127.0.0.1';
const GUEST = '10.0.2.15';

/** Throws BAD_OPTION with this message, behind the whole value. */
type Bad = (message: string) => never;

/** 'tcp:127.0.0.1:8080-:80'; either address may be left out. */
function readForward(text: string, bad: Bad): PortForward {
  const [, protocol, hostAddress, hostPort, guestAddress, guestPort] = /^([a-z]*):([^:]*):([^-]*)-([^:]*):(.*)$/.exec(text) ?? [];
  if (protocol === undefined) return bad(`hostfwd is like tcp:${LOOPBACK}:8080-:80 (a port of this machine, one of the guest)`);
  if (protocol !== 'tcp') bad(`not supported: hostfwd of '${protocol}'; there is tcp`);
  if (hostAddress !== '' && hostAddress !== LOOPBACK)
    bad(`not supported: a port of ${hostAddress}; ports are opened on ${LOOPBACK} alone, which no other machine reaches`);
  if (guestAddress !== '' && guestAddress !== GUEST) bad(`not supported: a port of ${guestAddress}; the guest is ${GUEST}`);
  const port = (word: string) => {
    const value = parseInteger(word);
    return value !== undefined && value > 0 && value <= 0xffff ? value : bad(`'${word}' is not a port (1 to 65535)`);
  };
  return { hostPort: port(hostPort), guestPort: port(guestPort) };
}

function readRestrict(text: string | undefined, bad: Bad): boolean {
  if (text === undefined || text === 'on') return true;
  return text === 'off' ? false : bad(`restrict is on or off, not '${text}'`);
}

function readUser(options: readonly string[], bad: Bad): UserNetworkOptions {
  const forward: PortForward[] = [];
  let restrict: boolean | undefined;
  for (const option of options) {
    const [, key, value] = /^([^=]*)(?:=(.*))?$/s.exec(option)!;
    if (key === 'hostfwd') forward.push(readForward(value ?? '', bad));
    else if (key !== 'restrict') bad(`user has no option '${key}'${meant(key, OPTIONS) || `; there are ${OPTIONS.join(' and ')}`}`);
    else if (restrict !== undefined) bad('restrict is given more than once');
    else restrict = readRestrict(value, bad);
  }
  if (forward.length > MOST_FORWARDS) bad(`${forward.length} forwards are too many: at most ${MOST_FORWARDS}`);
  const ports = forward.map(({ hostPort }) => hostPort);
  const twice = ports.find((port, n) => ports.indexOf(port) !== n);
  if (twice !== undefined) bad(`port ${twice} is forwarded twice`);
  return { forward, restrict: restrict ?? false };
}

export const NET: Readable<NetChoice> = {
  read(text, name) {
    const [kind, ...options] = text.split(',');
    const known = NAME.read(kind, name);
    const bad: Bad = (message) => refuse(name, `'${text}': ${message}`);
    if (known === 'user') return readUser(options, bad);
    return options.length === 0 ? known : bad(`${known} has no options`);
  },
};
