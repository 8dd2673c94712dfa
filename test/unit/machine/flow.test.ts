// Nobody reads, everybody writes: what a guest sends waits in the guest, not in the host's memory, and all of it comes in the end; what is
// typed waits for the guest.
import { describe, expect, it } from 'vitest';
import { INPUT_BUFFER, Machine, type MachineOptions, MiB, type Receiver } from '../../../src/api/index.ts';
import { CLI_HLT, counted, ECHO, kernel, le32, out, outDx, outMany, printBlindly, printPolitely, printString, SPIN } from './programs.ts';

const COUNT = 100_000;
/** A channel's ring. */
const RING = 16384;
const EXIT = out(0xf4, 1) + SPIN;
const ENDED = { kind: 'debug-exit', value: 1 };

const create = (options: MachineOptions) => Machine.create({ memoryBytes: 4 * MiB, debugExitPort: 0xf4, ...options });
const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Asks to wait at each call, until `go` is called (for good: `goOn`). */
class SlowReader {
  readonly chunks: Uint8Array[] = [];
  /** Resolves at the first call. */
  readonly started = Promise.withResolvers<void>();
  #wait: PromiseWithResolvers<void> | undefined;
  #goesOn = false;

  readonly receive: Receiver<Uint8Array> = (bytes) => {
    expect(this.#wait).toBeUndefined();
    this.chunks.push(bytes);
    this.started.resolve();
    if (this.#goesOn) return sleep(0);
    this.#wait = Promise.withResolvers<void>();
    return this.#wait.promise;
  };

  get bytes(): Buffer {
    return Buffer.concat(this.chunks);
  }

  goOn(): void {
    this.#goesOn = true;
    this.#wait?.resolve();
    this.#wait = undefined;
  }
}

const CHANNELS: readonly [string, (count: number) => string, keyof MachineOptions][] = [
  ['a serial port that looks', printPolitely, 'onConsole'],
  ['a serial port that does not look', printBlindly, 'onConsole'],
  ['a serial port in one instruction', printString, 'onConsole'],
  ['the debug console', (count) => outMany(0xe9, count), 'onDebugConsole'],
  ['POST codes', (count) => outMany(0x80, count), 'onPost'],
];

it.each(CHANNELS)('holds %s back, and loses nothing of it', async (_, program, channel) => {
  const reader = new SlowReader();
  const m = await create({ kernel: kernel(program(COUNT), EXIT), [channel]: reader.receive });
  const run = m.run();
  await reader.started.promise;
  await sleep(100);
  expect(reader.chunks.length).toBe(1);
  reader.goOn();
  expect(await run).toEqual(ENDED);
  expect(reader.bytes.equals(counted(COUNT))).toBe(true);
  // No more than a ring was ever taken from the guest at once.
  expect(Math.max(...reader.chunks.map((bytes) => bytes.length))).toBeLessThanOrEqual(RING);
});

it.each(CHANNELS)('is stopped while %s is held back', async (_, program, channel) => {
  const reader = new SlowReader();
  let calls = 0;
  const receive = (bytes: Uint8Array) => {
    if (calls++ === 0) return reader.receive(bytes);
    reader.chunks.push(bytes);
    return new Promise(() => {});
  };
  const m = await create({ kernel: kernel(program(COUNT), EXIT), [channel]: receive });
  const run = m.run();
  await reader.started.promise;
  await sleep(50);
  m.stop('enough');
  expect(await run).toEqual({ kind: 'stopped', reason: 'enough' });
  // What was taken from the guest comes.
  const { bytes } = reader;
  expect(bytes.length).toBeLessThanOrEqual(2 * RING);
  expect(bytes.equals(counted(COUNT).subarray(0, bytes.length))).toBe(true);
});

it('waits for a slow reader where the guest has ended the run, until it is stopped', async () => {
  const code = kernel(printBlindly(1000), EXIT);
  const options = (onConsole: Receiver<Uint8Array>): MachineOptions => ({ kernel: code, onConsole });
  const reader = new SlowReader();
  const first = await create(options(reader.receive));
  let ended = false;
  const run = first.run().finally(() => {
    ended = true;
  });
  await reader.started.promise;
  await sleep(100);
  expect(ended).toBe(false);
  reader.goOn();
  expect(await run).toEqual(ENDED);
  expect(reader.bytes.equals(counted(1000))).toBe(true);

  let bytes = 0;
  const second = await create(options((piece) => new Promise(() => (bytes += piece.length))));
  const stopped = second.run();
  // Input is asked to wait from the moment on when the guest has ended the run.
  while (second.sendInput(new Uint8Array(0)) === undefined) await sleep(5);
  second.stop('enough');
  expect(await stopped).toEqual(ENDED);
  expect(bytes).toBe(1000);
});

it('rejects where a reader does', async () => {
  const m = await create({ kernel: kernel(printPolitely(COUNT), SPIN), onConsole: () => Promise.reject(new Error('the reader is ill')) });
  await expect(m.run()).rejects.toThrow('the reader is ill');
});

it('lets the other CPUs have the memory for themselves while one waits for its reader', async () => {
  // The second CPU, in real mode at 8000H: mov al, '.'; out 0xe9, al; jmp out
  const second = [0xb0, 0x2e, 0xe6, 0xe9, 0xeb, 0xfc].map((byte, n) => `c605${le32(0x8000 + n)} ${byte.toString(16)}`);
  const command = (value: string) => `c70500 03e0fe ${value}`;
  const m = await create({
    cpus: 2,
    kernel: kernel(
      ...second,
      // To APIC 1: INIT, start-up at 8000H.
      'c70510 03e0fe 00000001',
      command('00450000'),
      command('08460000'),
      // A key: mov dx, 0x3fd; in al, dx; test al, 1; jz in
      '66bafd03 ec a801 74fb',
      // mov ecx, 1000; lock inc dword [200ffeH]; loop
      'b9e8030000 f0ff05fe0f2000 e2f7',
      outDx(0x3f8, 0x64),
      SPIN,
    ),
    onDebugConsole: () => {
      // Long enough for the ring to be full.
      setTimeout(() => m.sendInput(Buffer.from('q')), 200);
      return new Promise(() => {});
    },
    onConsole: () => m.stop('done'),
  });
  expect(await m.run()).toEqual({ kind: 'stopped', reason: 'done' });
});

describe('in lockstep', () => {
  const CASES = CHANNELS.filter(([, , channel]) => channel !== 'onPost');
  it.each(CASES)('runs the same however fast %s is read', async (_, program, channel) => {
    const go = async (receive: Receiver<Uint8Array>, replay?: string) => {
      let recording = '';
      const m = await create({
        kernel: kernel(program(COUNT), ECHO, EXIT),
        [channel]: receive,
        lockstep: replay === undefined ? { seed: 5, onRecord: (text) => (recording += text) } : { replay },
      });
      const run = m.run();
      m.sendInput(Buffer.from('q'));
      expect(await run).toEqual(ENDED);
      const { lockstep, instructions } = m.stats();
      return { recording, state: { lockstep, instructions, hash: m.memoryHash() } };
    };
    const chunks: Uint8Array[] = [];
    const recorded = await go((bytes) => chunks.push(bytes));
    expect(Buffer.concat(chunks).subarray(0, COUNT).equals(counted(COUNT))).toBe(true);
    let open = 0;
    const slowly: Uint8Array[] = [];
    const replayed = await go(async (bytes) => {
      expect(open++).toBe(0);
      slowly.push(bytes);
      await sleep(1);
      open--;
    }, recorded.recording);
    expect(replayed.state).toEqual(recorded.state);
    expect(Buffer.concat(slowly).equals(Buffer.concat(chunks))).toBe(true);
  });

  it('waits between two turns, and is stopped there', async () => {
    const reader = new SlowReader();
    let turns = 0;
    const onConsole = (bytes: Uint8Array) => {
      turns = m.stats().lockstep!.turns;
      return reader.receive(bytes);
    };
    const m = await create({ kernel: kernel(printPolitely(COUNT), EXIT), lockstep: {}, onConsole });
    const run = m.run();
    await reader.started.promise;
    await sleep(50);
    expect(m.stats().lockstep!.turns).toBe(turns);
    m.stop('enough');
    expect(await run).toEqual({ kind: 'stopped', reason: 'enough' });
  });
});

describe('input', () => {
  it.each(['threads', 'lockstep'])('asks who types to wait while the guest takes none, and loses nothing (%s)', async (how) => {
    const serial: Uint8Array[] = [];
    // Goes on when the host has read a byte at the debug console: by then nothing was taken.
    const m = await create({
      kernel: kernel(out(0xe9, 1), ECHO, EXIT),
      lockstep: how === 'lockstep' ? { paced: false } : undefined,
      onConsole: (bytes) => serial.push(bytes),
    });
    const piece = Buffer.alloc(INPUT_BUFFER / 4, 'typed ahead ');
    const waits = Array.from({ length: 5 }, () => m.sendInput(piece));
    // The guest does not run yet.
    expect(waits.map((wait) => wait instanceof Promise)).toEqual([false, false, false, false, true]);
    const run = m.run();
    await waits[4];
    m.sendInput(Buffer.from('q'));
    expect(await run).toEqual(ENDED);
    expect(Buffer.concat(serial).toString()).toBe(`${piece.toString().repeat(5)}q`);
    expect(m.sendInput(piece)).toBeUndefined();
  });

  it('waits for nobody when the run is over', async () => {
    const m = await create({ kernel: kernel(CLI_HLT) });
    const wait = m.sendInput(Buffer.alloc(INPUT_BUFFER + 1));
    expect(wait).toBeInstanceOf(Promise);
    expect(await m.run()).toEqual({ kind: 'halted' });
    await wait;
  });

  it('carries more than memory ought to hold from machine to machine', async () => {
    let [bytes, wrong] = [0, 0];
    const sink = await create({
      // mov ecx, COUNT; wait: mov dx, 0x3fd; in al, dx; test al, 1; jz wait; mov dx, 0x3f8; in al, dx; out 0xe9, al; dec ecx; jnz wait
      kernel: kernel('b9a0860100 66bafd03 ec a801 74f7 66baf803 ec e6e9 49 75ed', EXIT),
      onDebugConsole: (piece) => {
        for (const byte of piece) if (byte !== ((COUNT - bytes++) & 0xff)) wrong++;
      },
    });
    // A callback may answer with what sendInput says.
    const source = await create({ kernel: kernel(printPolitely(COUNT), EXIT), onConsole: (piece) => sink.sendInput(piece) });
    expect(await Promise.all([sink.run(), source.run()])).toEqual([ENDED, ENDED]);
    expect([bytes, wrong]).toEqual([COUNT, 0]);
  });
});
