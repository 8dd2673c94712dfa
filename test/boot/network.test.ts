// Debian's kernel on the user network: an address by DHCP, names, pages and bytes from this machine, and a server of its own that this machine asks.
import { createHash } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { getServers, setServers } from 'node:dns';
import { readFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { guestOrSkip, READY } from '../../guests/linux.ts';
import { Machine, MiB, type RunResult, userNetwork } from '../../src/api/index.ts';
import { GuestConsole } from './console.ts';

const { guest, reason } = await guestOrSkip();
if (guest === undefined) console.warn(`no boot tests: ${reason}`);

const BOOT_MS = 180_000;
const COMMAND_MS = 60_000;
const PAGE = 'a page of this machine\n';
/** The guest has no script for its DHCP client. */
const SCRIPT = [
  '#!/bin/sh',
  'case $1 in',
  'deconfig) ifconfig $interface up;;',
  'bound) ifconfig $interface $ip netmask $subnet; route add default gw $router; echo nameserver $dns > /etc/resolv.conf;;',
  'esac',
];

const hash = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const listen = async (server: Server): Promise<number> => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
};

describe.skipIf(guest === undefined)('Debian on the user network', () => {
  const terminal = new GuestConsole();
  const command = (line: string) => terminal.command(line, COMMAND_MS);
  const net = userNetwork({ forward: [{ hostPort: 0, guestPort: 8000 }] });
  const large = readFileSync(guest!.busybox);
  const uploads: Buffer[] = [];
  const pages = createHttpServer((request, response) => response.end(request.url === '/large' ? large : PAGE));
  const sink = createServer((socket) => {
    const pieces: Buffer[] = [];
    socket.on('data', (piece: Buffer) => pieces.push(piece));
    socket.on('end', () => uploads.push(Buffer.concat(pieces)));
  });
  /** A name server that knows one address: 192.0.2.7. */
  const names = createSocket('udp4', (query, { port, address }) => {
    const question = query.subarray(12, query.indexOf(0, 12) + 5);
    const isA = question.at(-3) === 1;
    const record = Buffer.from('c00c000100010000003c0004c0000207', 'hex');
    const head = Buffer.from(`81800001000${isA ? 1 : 0}00000000`, 'hex');
    names.send(Buffer.concat([query.subarray(0, 2), head, question, isA ? record : Buffer.alloc(0)]), port, address);
  });
  const before = getServers();
  let machine: Machine;
  let run: Promise<RunResult>;
  let [pagePort, sinkPort] = [0, 0];

  beforeAll(async () => {
    [pagePort, sinkPort] = [await listen(pages), await listen(sink)];
    await new Promise<void>((resolve) => names.bind(0, '127.0.0.1', resolve));
    setServers([`127.0.0.1:${names.address().port}`]);
    machine = await Machine.create({
      kernel: readFileSync(guest!.kernel),
      initrd: readFileSync(guest!.initrd),
      append: 'console=ttyS0',
      memoryBytes: 128 * MiB,
      net,
      onConsole: terminal.onConsole,
    });
    run = machine.run();
    terminal.attach(machine, run);
    await terminal.waitFor('~ # ', BOOT_MS, await terminal.waitFor(READY, BOOT_MS));
    await command('dmesg -n 1');
  }, BOOT_MS + 10_000);

  afterAll(async () => {
    machine?.stop('the test is over');
    await run;
    setServers(before);
    for (const server of [pages, sink, names]) server.close();
  });

  it('gets its address, its way out and its name server by DHCP', async () => {
    await command(`printf '${SCRIPT.join('\\n')}\\n' > /tmp/dhcp; chmod 755 /tmp/dhcp`);
    expect(await command('udhcpc -i eth0 -n -q -s /tmp/dhcp 2>&1')).toContain('lease of 10.0.2.15 obtained from 10.0.2.2');
    expect(await command('ifconfig eth0')).toMatch(/inet addr:10\.0\.2\.15 +Bcast:10\.0\.2\.255 +Mask:255\.255\.255\.0/);
    expect(await command('route -n')).toMatch(/^0\.0\.0\.0 +10\.0\.2\.2 /m);
    expect(await command('cat /etc/resolv.conf')).toBe('nameserver 10.0.2.3');
  });

  it('reaches the gateway', async () => {
    expect(await command('ping -c 3 -W 30 10.0.2.2')).toContain('3 packets received');
  });

  it('asks for names', async () => {
    expect(await command('nslookup host.example')).toMatch(/Name:\s+host\.example\s+Address:?[\s\d:]*192\.0\.2\.7/);
  });

  it('fetches pages of this machine, small and large', async () => {
    expect(await command(`wget -q -O - http://10.0.2.2:${pagePort}/`)).toBe(PAGE.trim());
    expect(await command(`wget -q -O - http://10.0.2.2:${pagePort}/large | sha256sum`)).toBe(`${hash(large)}  -`);
  });

  it('sends bytes to this machine', async () => {
    expect(await command(`nc 10.0.2.2 ${sinkPort} < /bin/busybox; echo $?`)).toBe('0');
    await expect.poll(() => uploads.map(hash), { timeout: COMMAND_MS }).toEqual([hash(large)]);
  });

  it('is told where nobody listens', async () => {
    pages.closeAllConnections();
    await new Promise((resolve) => pages.close(resolve));
    expect(await command(`wget -O - http://10.0.2.2:${pagePort}/ 2>&1`)).toContain('Connection refused');
  });

  it('serves this machine through a port of it', async () => {
    await command(`mkdir /tmp/www; echo 'a page of the guest' > /tmp/www/page; cp /bin/busybox /tmp/www/large; httpd -p 8000 -h /tmp/www`);
    const [{ hostPort }] = net.forwarded;
    const get = (path: string) => fetch(`http://127.0.0.1:${hostPort}/${path}`, { headers: { connection: 'close' } });
    expect(await (await get('page')).text()).toBe('a page of the guest\n');
    const several = await Promise.all(['large', 'page', 'large', 'none'].map(get));
    expect(several.map(({ status }) => status)).toEqual([200, 200, 200, 404]);
    for (const n of [0, 2]) expect(hash(new Uint8Array(await several[n].arrayBuffer()))).toBe(hash(large));
  });

  it('leaves nothing open at its end', async () => {
    const [{ hostPort }] = net.forwarded;
    machine.sendInput(Buffer.from('poweroff -f\n'));
    expect(await run).toEqual({ kind: 'power-off' });
    await expect(fetch(`http://127.0.0.1:${hostPort}/page`)).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } });
  });
});
