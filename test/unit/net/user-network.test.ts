// The user network as a machine has it: its options, ports that open with the machine and close with the run, and what a replay does not do.
import { spawn } from 'node:child_process';
import { type AddressInfo, connect, createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { DragomanError, Machine, MiB, userNetwork } from '../../../src/api/index.ts';
import { errorOf } from '../loaders/images.ts';
import { kernel, out, SPIN } from '../machine/programs.ts';
import { frameOf, hex } from './guest.ts';

const ENDS = { kernel: kernel(out(0xf4, 1), SPIN), debugExitPort: 0xf4, memoryBytes: 4 * MiB, engine: 'interpreter' } as const;
const SPINS = { ...ENDS, kernel: kernel(SPIN) };
const WHO_IS_GATEWAY = frameOf(hex('0001080006040001 525400123456 0a00020f 000000000000 0a000202'), 0x0806);

const close: (() => unknown)[] = [];
afterEach(async () => {
  for (const one of close.splice(0)) await one();
});

/** Whether something listens at a port of this machine's. */
const listens = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
async function usedPort(): Promise<number> {
  const server = createServer();
  close.push(() => new Promise((resolve) => server.close(resolve)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

describe('options', () => {
  it.each([
    [5, /options: 5 is not an object/],
    [{ forwards: [] }, /forwards: there is no such option; is 'forward' meant/],
    [{ forward: {} }, /forward: .* is not an array/],
    [{ forward: [{}] }, /forward\[0\]\.hostPort: is missing/],
    [{ forward: [{ hostPort: 1 }] }, /forward\[0\]\.guestPort: is missing/],
    [{ forward: [{ hostPort: 65_536, guestPort: 80 }] }, /forward\[0\]\.hostPort: 65536 is not a port \(0 to 65535\)/],
    [{ forward: [{ hostPort: 1, guestPort: 0 }] }, /forward\[0\]\.guestPort: 0 is not a port \(1 to 65535\)/],
    [{ forward: [{ hostPort: 1, guestPort: 1, hostAddress: '0.0.0.0' }] }, /hostAddress: there is no such option/],
    [{ forward: [1, 2, 1].map((hostPort) => ({ hostPort, guestPort: 80 })) }, /forward: port 1 is forwarded twice/],
    [{ forward: Array(65).fill({ hostPort: 0, guestPort: 80 }) }, /65 are too many: at most 64/],
    [{ restrict: 'on' }, /restrict: 'on' is not true or false/],
  ])('%j', (options, message) => {
    const error = errorOf(() => userNetwork(options as never));
    expect(error.code).toBe('BAD_OPTION');
    expect(error.message).toMatch(message);
  });
});

describe('ports', () => {
  it('are open from create() to the end of the run', async () => {
    const net = userNetwork({
      forward: [
        { hostPort: 0, guestPort: 80 },
        { hostPort: 0, guestPort: 22 },
      ],
    });
    expect(net.forwarded).toEqual([]);
    const machine = await Machine.create({ ...ENDS, net });
    expect(net.forwarded.map(({ guestPort }) => guestPort)).toEqual([80, 22]);
    const [{ hostPort }] = net.forwarded;
    expect(await listens(hostPort)).toBe(true);
    expect(await machine.run()).toMatchObject({ kind: 'debug-exit' });
    expect([net.forwarded, await listens(hostPort)]).toEqual([[], false]);
    // Another machine may have it now.
    const next = await Machine.create({ ...SPINS, net });
    expect(await listens(net.forwarded[0].hostPort)).toBe(true);
    await expect(Machine.create({ ...SPINS, net })).rejects.toMatchObject({ code: 'BAD_STATE' });
    const [{ hostPort: second }] = net.forwarded;
    await next.close();
    expect(await listens(second)).toBe(false);
  });
  it('that are in use are refused, and the others are closed', async () => {
    const port = await usedPort();
    const net = userNetwork({
      forward: [
        { hostPort: 0, guestPort: 80 },
        { hostPort: port, guestPort: 22 },
      ],
    });
    const error = await Machine.create({ ...ENDS, net }).catch((e) => e);
    expect(error).toBeInstanceOf(DragomanError);
    expect([error.code, error.message]).toEqual(['BAD_OPTION', `net: port ${port} of 127.0.0.1 is in use`]);
    expect(net.forwarded).toEqual([]);
  });
  it('are closed where the machine cannot be made', async () => {
    const calls: string[] = [];
    const net = { onFrame() {}, open: async () => void calls.push('open'), close: () => void calls.push('close') };
    await expect(Machine.create({ ...ENDS, kernel: new Uint8Array(100), net })).rejects.toMatchObject({ code: 'BAD_KERNEL' });
    expect(calls).toEqual(['open', 'close']);
    await expect(Machine.create({ ...ENDS, net, signal: AbortSignal.abort() })).rejects.toThrow();
    expect(calls).toEqual(['open', 'close', 'open', 'close']);
    await expect(Machine.create({ ...ENDS, net: { ...net, open: () => Promise.reject(new Error('no wire')) } })).rejects.toThrow('no wire');
    expect(calls.length).toBe(4);
  });
  it('an end of the network that throws rejects the run', async () => {
    const net = {
      onFrame() {},
      close() {
        throw new Error('the wire is broken');
      },
    };
    const machine = await Machine.create({ ...ENDS, net });
    await expect(machine.run()).rejects.toThrow('the wire is broken');
  });
});

it('a recording that is run again opens nothing', async () => {
  let recording = '';
  const calls: string[] = [];
  const net = () => {
    const made = userNetwork({ forward: [{ hostPort: 0, guestPort: 80 }] });
    const open = () => {
      calls.push('open');
      return made.open();
    };
    const close = () => {
      calls.push('close');
      made.close();
    };
    return { ...made, open, close };
  };
  const first = await Machine.create({ ...ENDS, net: net(), lockstep: { onRecord: (text) => (recording += text) } });
  expect(await first.run()).toMatchObject({ kind: 'debug-exit' });
  expect(calls).toEqual(['open', 'close']);
  const again = await Machine.create({ ...ENDS, net: net(), lockstep: { replay: recording } });
  expect(await again.run()).toMatchObject({ kind: 'debug-exit' });
  expect(calls).toEqual(['open', 'close']);
});

it('takes frames only while it is open', async () => {
  const net = userNetwork();
  const frames: Uint8Array[] = [];
  const receive = (frame: Uint8Array) => frames.push(frame) > 0;
  net.connect({ receive });
  net.onFrame(WHO_IS_GATEWAY);
  expect(frames).toEqual([]);
  await net.open();
  net.connect({ receive });
  net.onFrame(WHO_IS_GATEWAY);
  expect(frames.length).toBe(1);
  net.close();
  net.close();
  net.onFrame(WHO_IS_GATEWAY);
  expect(frames.length).toBe(1);
});

it('keeps no process alive', async () => {
  // A machine that nobody runs or closes, with a port that is open and a connection of the guest's that is on its way.
  const script = `
    import { Machine, userNetwork } from './src/api/index.ts';
    const kernel = ${JSON.stringify(Buffer.from(kernel(SPIN)).toString('base64'))};
    const net = userNetwork({ forward: [{ hostPort: 0, guestPort: 80 }] });
    await Machine.create({ kernel: Buffer.from(kernel, 'base64'), memoryBytes: 4194304, engine: 'interpreter', net });
    net.onFrame(Uint8Array.from(Buffer.from('${Buffer.from(WHO_IS_GATEWAY).toString('hex')}', 'hex')));
    console.log(net.forwarded.length);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'], timeout: 30_000 });
  let said = '';
  child.stdout.on('data', (data) => void (said += data));
  const [status, signal] = await new Promise<[number | null, string | null]>((resolve) => child.on('close', (...how) => resolve(how)));
  expect([said, status, signal]).toEqual(['1\n', 0, null]);
});
