// A machine with a network card and a virtio console, driven by a guest of a few instructions: what is in the queues when the run
// ends still comes out, and what people get wrong is said.
import { describe, expect, it } from 'vitest';
import {
  DragomanError,
  LARGEST_FRAME,
  loopback,
  Machine,
  type MachineOptions,
  MiB,
  SMALLEST_FRAME,
  userNetwork,
} from '../../../src/api/index.ts';
import { errorOf } from '../loaders/images.ts';
import { kernel, out, SPIN } from '../machine/programs.ts';
import { BAR, DATA, descriptor, EXIT, offer, out32, queue, show, start, store32, USED, WRITE, waitFor16 } from './virtio-guest.ts';

const end = out(EXIT, 1) + SPIN;
const create = (options: MachineOptions): Promise<Machine> => Machine.create({ memoryBytes: 16 * MiB, debugExitPort: EXIT, ...options });
const ENDED = { kind: 'debug-exit', value: 1 };

it('hands out all of the console that was queued when the guest ended', async () => {
  let [bytes, sum] = [0, 0];
  const machine = await create({
    // Three requests of 3 MiB and 5 bytes: more than the device does in a turn.
    kernel: kernel(
      start(64),
      descriptor(1, 0, 0x400000, 3 * MiB, 1, 1),
      descriptor(1, 1, DATA, 5),
      store32(DATA, 0x04030201),
      offer(1, 3),
      end,
    ),
    onVirtioConsole: (piece) => {
      // We hear of the end only when all threads are gone.
      if (bytes === 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
      bytes += piece.length;
      for (const byte of piece) sum += byte;
    },
  });
  expect(await machine.run()).toEqual(ENDED);
  expect([bytes, sum]).toEqual([3 * (3 * MiB + 5), 30]);
});

it('hands out all frames that were queued when the guest ended', async () => {
  const frames: Uint8Array[] = [];
  const machine = await create({
    kernel: kernel(start(256), descriptor(1, 0, DATA, 12 + 60), store32(DATA + 12, 0x44332211), offer(1, 256), end),
    net: { onFrame: (frame) => frames.push(frame) },
  });
  expect(await machine.run()).toEqual(ENDED);
  expect(frames.length).toBe(256);
  for (const frame of frames) expect([frame.length, ...frame.subarray(0, 5)]).toEqual([60, 0x11, 0x22, 0x33, 0x44, 0]);
});

it('gives the guest its frames back in a loop, at the address that it was given', async () => {
  const shown: number[] = [];
  const loop = loopback(true);
  const machine = await create({
    kernel: kernel(
      start(256),
      descriptor(0, 0, DATA + 0x1000, 1526, WRITE),
      offer(0, 1),
      descriptor(1, 0, DATA, 12 + 60),
      store32(DATA + 12, 0x44332211),
      store32(DATA + 16, 0x88776655),
      store32(DATA + 20, 0xccbbaa99),
      offer(1, 1),
      waitFor16(queue(0, USED) + 2, 1),
      ...[0, 5, 6, 11].map((at) => show(DATA + 0x1000 + 12 + at)),
      ...[0, 5].map((at) => show(BAR + 0x2000 + at)),
      end,
    ),
    net: { mac: '52:54:00:AB:cd:ef', ...loop },
    onDebugConsole: (bytes) => shown.push(...bytes),
  });
  expect(await machine.run()).toEqual(ENDED);
  expect(shown).toEqual([0x77, 0xcc, 0x11, 0x66, 0x52, 0xef]);
  expect(loop.counts).toEqual({ frames: 1, lost: 0 });
  expect(machine.sendFrame(new Uint8Array(60))).toBe(false);
});

it('reaches a user network: in lockstep as well, and again from the recording without one', async () => {
  // Who has 10.0.2.2? tell 10.0.2.15.
  const frame = Buffer.from(
    'ffffffffffff 525400123456 0806 0001080006040001 525400123456 0a00020f 000000000000 0a000202 0000'.replaceAll(' ', ''),
    'hex',
  );
  const words = Array.from({ length: frame.length / 4 }, (_, n) => store32(DATA + 12 + 4 * n, frame.readUInt32LE(4 * n)));
  const program = kernel(
    start(256),
    descriptor(0, 0, DATA + 0x1000, 1526, WRITE),
    offer(0, 1),
    descriptor(1, 0, DATA, 12 + frame.length),
    ...words,
    offer(1, 1),
    waitFor16(queue(0, USED) + 2, 1),
    // The reply: to us; from whom; what it is; who has it.
    ...[0, 5, 6, 11, 21, 22, 27, 28, 31].map((at) => show(DATA + 0x1000 + 12 + at)),
    end,
  );
  const run = async (lockstep: MachineOptions['lockstep']) => {
    const shown: number[] = [];
    const net = userNetwork();
    const opened: string[] = [];
    const open = () => {
      opened.push('open');
      return net.open();
    };
    const machine = await create({ kernel: program, net: { ...net, open }, lockstep, onDebugConsole: (bytes) => shown.push(...bytes) });
    expect(await machine.run()).toEqual(ENDED);
    return { shown, opened };
  };
  const answered = [0x52, 0x56, 0x52, 2, 2, 0x52, 2, 10, 2];
  expect(await run(undefined)).toEqual({ shown: answered, opened: ['open'] });
  let recording = '';
  expect(await run({ onRecord: (text) => (recording += text) })).toEqual({ shown: answered, opened: ['open'] });
  expect(recording).toContain('frame');
  expect(await run({ replay: recording })).toEqual({ shown: answered, opened: [] });
});

it('types what came before the guest had a driver', async () => {
  const shown: number[] = [];
  const machine = await create({
    kernel: kernel(
      start(64),
      descriptor(0, 0, DATA, 100, WRITE),
      offer(0, 1),
      waitFor16(queue(0, USED) + 2, 1),
      ...[0, 1, 2].map((at) => show(DATA + at)),
      end,
    ),
    onVirtioConsole: () => {},
    onDebugConsole: (bytes) => shown.push(...bytes),
  });
  machine.sendVirtioConsole(Buffer.from('ab'));
  machine.sendVirtioConsole(Buffer.from('c'));
  expect(await machine.run()).toEqual(ENDED);
  expect(Buffer.from(shown).toString()).toBe('abc');
  machine.sendVirtioConsole(Buffer.from('nobody listens any more'));
});

it('has neither device where none is asked for', async () => {
  const shown: number[] = [];
  // The low byte of a slot's device id.
  const device = (slot: number) => `${out32(0xcf8, 0x80000000 + (slot << 11))}66bafe0cece6e9`;
  const machine = await create({
    kernel: kernel(device(2), device(3), device(4), end),
    onDebugConsole: (bytes) => shown.push(...bytes),
  });
  expect(await machine.run()).toEqual(ENDED);
  // The entropy device, and nothing behind it.
  expect(shown).toEqual([0x44, 0xff, 0xff]);
  expect(errorOf(() => machine.sendFrame(new Uint8Array(60))).code).toBe('BAD_OPTION');
  expect(errorOf(() => machine.sendVirtioConsole(new Uint8Array(1))).code).toBe('BAD_OPTION');
});

it('rejects with what a callback throws', async () => {
  const machine = await create({
    kernel: kernel(start(64), descriptor(1, 0, DATA, 1), offer(1, 2), SPIN),
    onVirtioConsole: () => {
      throw new Error('the pipe is broken');
    },
  });
  await expect(machine.run()).rejects.toThrow('the pipe is broken');
});

describe('refuses', () => {
  it.each([
    '',
    'x',
    '52:54:00:12:34',
    '52:54:00:12:34:56:78',
    '52-54-00-12-34-56',
    '52:54:00:12:34:5g',
    ' 52:54:00:12:34:56',
    '525400123456',
  ])('the MAC %j', (mac) => refused(mac, /not a MAC address/));
  it.each(['ff:ff:ff:ff:ff:ff', '01:00:5e:00:00:01', '53:54:00:12:34:56'])('the group address %s', (mac) => refused(mac, /group address/));
  it('the address of nobody', () => refused('00:00:00:00:00:00', /all bytes are 0/));
  it('what is no text', () => refused(0x525400123456 as unknown as string, /not a MAC address/));

  async function refused(mac: string, text: RegExp) {
    const error = await create({ kernel: kernel(SPIN), net: { mac, onFrame: () => {} } }).then(
      () => undefined,
      (e) => e,
    );
    expect(error).toBeInstanceOf(DragomanError);
    expect([error.code, error.where]).toEqual(['BAD_OPTION', 'net.mac']);
    expect(error.message).toMatch(text);
  }

  it('frames that are none, or too long', async () => {
    const machine = await create({ kernel: kernel(SPIN), net: { onFrame: () => {} } });
    for (const bytes of [0, SMALLEST_FRAME - 1, LARGEST_FRAME + 1, 70_000]) {
      const error = errorOf(() => machine.sendFrame(new Uint8Array(bytes)));
      expect(error.code).toBe('BAD_FRAME');
      expect(error.message).toContain(`${bytes} bytes`);
    }
    expect(errorOf(() => machine.sendFrame('a frame of text' as unknown as Uint8Array)).code).toBe('BAD_FRAME');
    // Fit, but nobody drives the card.
    for (const bytes of [SMALLEST_FRAME, LARGEST_FRAME]) expect(machine.sendFrame(new Uint8Array(bytes))).toBe(false);
  });
});
