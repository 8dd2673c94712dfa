// The network between machines of one origin: who is there, whose frames reach whom, and what is lost where somebody does not read.
import { afterEach, expect, it } from 'vitest';
import {
  BROADCAST_BACKLOG,
  type BroadcastNetwork,
  type BroadcastNetworkOptions,
  broadcastNetwork,
  Machine,
  MiB,
} from '../../../src/api/index.ts';
import { expectError } from '../loaders/images.ts';
import { LISTENS, SENDS, SENT } from './net-guests.ts';
import { EXIT } from './virtio-guest.ts';

const open: BroadcastNetwork[] = [];
afterEach(() => {
  for (const net of open.splice(0)) net.close();
});
let number = 0;
/** A network of each test's own. */
const fresh = () => `test ${process.pid} ${number++}`;
/** Plugged in, with the frames that reach it. */
async function plugged(name: string, options?: BroadcastNetworkOptions) {
  const net = broadcastNetwork(name, options);
  await net.open();
  open.push(net);
  const got: Uint8Array[] = [];
  net.connect({ receive: (frame) => got.push(frame) > 0 });
  return { net, got };
}
/** Somebody who is there, reads nothing, and goes without a word: as a tab does that hangs, and is closed. */
function comes(name: string) {
  const channel = new BroadcastChannel(`dragoman network ${name}`);
  const end = Promise.withResolvers<void>();
  void navigator.locks.request(`dragoman network ${name} silent`, () => {
    channel.postMessage({ kind: 'here', from: 'silent', mac: '02:00:00:00:00:01', asks: false });
    return end.promise;
  });
  return {
    end() {
      channel.close();
      end.resolve();
    },
  };
}
const frame = (first: number) => new Uint8Array(60).fill(first, 0, 1);
const firsts = (frames: readonly Uint8Array[]) => frames.map(([first]) => first);
const until = (what: () => unknown) => expect.poll(what, { timeout: 20_000, interval: 5 });

it('is a hub: a frame reaches all others of its name, and not who sent it', async () => {
  const name = fresh();
  const [a, b, c] = [await plugged(name), await plugged(name), await plugged(name)];
  const other = await plugged(fresh());
  await until(() => [a, b, c].map(({ net }) => net.peers.length)).toEqual([2, 2, 2]);
  expect(new Set([a, b, c].map(({ net }) => net.mac)).size).toBe(3);
  expect(a.net.peers.map(({ mac }) => mac).sort()).toEqual([b.net.mac, c.net.mac].sort());
  for (const first of [1, 2, 3]) a.net.onFrame(frame(first));
  b.net.onFrame(frame(9));
  await until(() => firsts(c.got).sort()).toEqual([1, 2, 3, 9]);
  await until(() => firsts(b.got)).toEqual([1, 2, 3]);
  await until(() => firsts(a.got)).toEqual([9]);
  expect(other.got).toEqual([]);
  expect(other.net.peers).toEqual([]);
  expect(c.net.counts).toEqual({ sent: 0, received: 4, lost: 0 });
});

it('tells who comes and goes, also who goes without a word', async () => {
  const name = fresh();
  const told: number[] = [];
  const a = await plugged(name, { onPeers: (peers) => told.push(peers.length) });
  const b = await plugged(name);
  await until(() => told).toEqual([1]);
  b.net.close();
  await until(() => told).toEqual([1, 0]);
  const silent = comes(name);
  await until(() => told).toEqual([1, 0, 1]);
  silent.end();
  await until(() => told).toEqual([1, 0, 1, 0]);
  expect(a.net.peers).toEqual([]);
});

it('loses what is too far ahead of who does not read, and nothing where all do', async () => {
  const name = fresh();
  const [a, b] = [await plugged(name), await plugged(name)];
  await until(() => a.net.peers.length).toBe(1);
  for (let n = 0; n < 5 * BROADCAST_BACKLOG; n++) {
    a.net.onFrame(frame(n & 0xff));
    if (n % 256 === 255) await until(() => b.got.length).toBe(n + 1);
  }
  expect(a.net.counts).toEqual({ sent: 5 * BROADCAST_BACKLOG, received: 0, lost: 0 });
  // One that is there, and takes nothing.
  const deaf = comes(name);
  await until(() => a.net.peers.length).toBe(2);
  for (let n = 0; n < BROADCAST_BACKLOG + 10; n++) a.net.onFrame(frame(1));
  expect(a.net.counts.lost).toBe(10);
  deaf.end();
  await until(() => a.net.peers.length).toBe(1);
  await until(() => b.got.length).toBe(6 * BROADCAST_BACKLOG);
  a.net.onFrame(frame(2));
  await until(() => b.got.at(-1)?.[0]).toBe(2);
});

it('loses frames that the card does not take, and what is none', async () => {
  const name = fresh();
  const [a, b] = [await plugged(name), await plugged(name)];
  await until(() => a.net.peers.length).toBe(1);
  b.net.connect({ receive: () => false });
  a.net.onFrame(frame(1));
  a.net.onFrame(new Uint8Array(3));
  await until(() => b.net.counts).toEqual({ sent: 0, received: 0, lost: 2 });
});

it('leads from one machine to another, and is given back at their ends', async () => {
  const name = fresh();
  const nets = [broadcastNetwork(name), broadcastNetwork(name)] as const;
  const shown: number[] = [];
  const options = { memoryBytes: 16 * MiB, debugExitPort: EXIT, lockstep: {} };
  const listener = await Machine.create({ ...options, kernel: LISTENS, net: nets[0], onDebugConsole: (bytes) => shown.push(...bytes) });
  const sender = await Machine.create({ ...options, kernel: SENDS, net: nets[1] });
  const end = listener.run();
  await until(() => [shown, nets[1].peers.length]).toEqual([[1], 1]);
  await sender.run();
  await end;
  expect(shown).toEqual([1, ...SENT]);
  expect(nets.map(({ peers }) => peers)).toEqual([[], []]);
  expect(nets[0].counts).toEqual({ sent: 0, received: 1, lost: 0 });
});

it('says what cannot be', async () => {
  expectError(() => broadcastNetwork(''), 'BAD_OPTION', 'a network has a name');
  expectError(() => broadcastNetwork('x', { mac: '01:00:00:00:00:00' }), 'BAD_OPTION', /^mac: .*group address/);
  const { net } = await plugged(fresh());
  await expect(net.open()).rejects.toThrow(/one machine at a time/);
});
