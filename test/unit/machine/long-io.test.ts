// Long output through a slow reader, long input, and callbacks that fail, as a newcomer's program has them; on threads and in lockstep.
// Cannot prove: how fast that is.
import { describe, expect, it } from 'vitest';
import { Machine, type MachineOptions, MiB } from '../../../src/api/index.ts';
import { AVAIL, DATA, DESC, descriptor, EXIT, NOTIFY, offer, queue, start, store32, USED, WRITE } from '../devices/virtio-guest.ts';
import { kernel, le32, out, outDx, SPIN } from './programs.ts';

const END = out(EXIT, 1) + SPIN;
const ENDED = { kind: 'debug-exit', value: 1 };
const WAYS: readonly (readonly [string, MachineOptions])[] = [
  ['threads', {}],
  ['lockstep', { lockstep: { paced: false } }],
];
const create = (options: MachineOptions): Promise<Machine> =>
  Machine.create({ memoryBytes: 16 * MiB, debugExitPort: EXIT, engine: 'interpreter', ...options });

const bytesOf = (code: string) => code.replaceAll(' ', '').length / 2;
/** `body`, then a jump back to its start for as long as `condition` (of Jcc) holds. */
const again = (body: string, condition: string) => `${body} 0f${condition}${le32(-(bytesOf(body) + 6))}`;
/** MOV [AVAIL + 2], SI; tells the device; waits until it has used as many. */
const request = (n: number) => {
  const used = `66a1${le32(queue(n, USED) + 2)} 6639f0`; // MOV AX, [USED + 2]; CMP AX, SI
  return `668935${le32(queue(n, AVAIL) + 2)} ${store32(NOTIFY + 4 * n, n)} ${again(used, '85')}`;
};

const BUFFER = 0x400000;
/** Each so many bytes of it begin with a number, counted on from one buffer to the next. */
const STAMPED = 1024;

describe.each(WAYS)('%s', (way, options) => {
  it('sends 100 MB through a slow reader, in order', async () => {
    const megabytes = 100;
    // MOV EDI, BUFFER; MOV ECX, stamps; fill: MOV [EDI], EBX; ADD EDI, STAMPED; INC EBX; DEC ECX; JNZ fill; INC ESI
    const fill = `bf${le32(BUFFER)} b9${le32(MiB / STAMPED)} 891f 81c7${le32(STAMPED)} 43 49 75f4 46`;
    const code = `31db 31f6 ${again(`${fill} ${request(1)} 83fe${megabytes.toString(16)}`, '82')}`;
    let [bytes, stamps, wrong, pieces] = [0, 0, 0, 0];
    const machine = await create({
      ...options,
      kernel: kernel(start(64), descriptor(1, 0, BUFFER, MiB), code, END),
      onVirtioConsole: async (piece) => {
        const data = Buffer.from(piece.buffer, piece.byteOffset, piece.length);
        for (; stamps * STAMPED + 4 <= bytes + piece.length; stamps++)
          if (stamps * STAMPED < bytes || data.readUInt32LE(stamps * STAMPED - bytes) !== stamps) wrong++;
        bytes += piece.length;
        // Now and then it is slow.
        if (pieces++ % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
      },
    });
    expect(await machine.run()).toEqual(ENDED);
    expect([bytes, stamps, wrong]).toEqual([megabytes * MiB, (megabytes * MiB) / STAMPED, 0]);
  });

  it('takes 10 MB of input, and sends them back', async () => {
    const [size, length] = [64, 10 * MiB];
    // INC ESI; what came is received, and sent: MOV EAX, ESI; DEC EAX; AND EAX, size - 1; MOV ECX, [USED + 8 + EAX * 8]; MOV [DESC + 8], ECX; until its last byte is 0: MOV AL, [ECX + DATA - 1]; TEST AL, AL
    const received = `89f0 48 83e0${(size - 1).toString(16)} 8b0cc5${le32(queue(0, USED) + 8)} 890d${le32(queue(1, DESC) + 8)}`;
    const code = `31f6 ${again(`46 ${request(0)} ${received} ${request(1)} 8a81${le32(DATA - 1)} 84c0`, '85')}`;
    let [bytes, wrong] = [0, 0];
    const machine = await create({
      ...options,
      kernel: kernel(start(size), descriptor(0, 0, DATA, 0x8000, WRITE), descriptor(1, 0, DATA, 0), code, END),
      onVirtioConsole: (piece) => {
        for (const byte of piece) if (byte !== (bytes++ === length - 1 ? 0 : 1 + ((bytes - 1) % 251))) wrong++;
      },
    });
    const run = machine.run();
    const all = Uint8Array.from({ length }, (_, n) => (n === length - 1 ? 0 : 1 + (n % 251)));
    for (let at = 0; at < length; at += 100_000) await machine.sendVirtioConsole(all.subarray(at, at + 100_000));
    expect(await run).toEqual(ENDED);
    expect([bytes, wrong]).toEqual([length, 0]);
  });

  const fails: readonly (readonly [string, string, (fail: () => never) => MachineOptions])[] = [
    ['onConsole', outDx(0x3f8, 0x41), (onConsole) => ({ onConsole })],
    ['onVirtioConsole', `${start(64)}${descriptor(1, 0, DATA, 1)}${offer(1, 1)}`, (onVirtioConsole) => ({ onVirtioConsole })],
    ['onDebugConsole', out(0xe9, 0x41), (onDebugConsole) => ({ onDebugConsole })],
    ['onPost', out(0x80, 0x41), (onPost) => ({ onPost })],
    ['onTrace', '', (onTrace) => ({ onTrace })],
    ['onFrame', `${start(64)}${descriptor(1, 0, DATA, 12 + 60)}${offer(1, 1)}`, (onFrame) => ({ net: { onFrame } })],
  ];
  it.each(fails)('rejects with what %s throws, and is given back', async (name, code, callback) => {
    const error = new Error(`${name} is broken`);
    const machine = await create({
      ...options,
      kernel: kernel(code, SPIN),
      ...callback(() => {
        throw error;
      }),
    });
    await expect(machine.run()).rejects.toBe(error);
    expect(machine.state).toBe('ended');
    await machine.close();
  });

  // What is told of frames is not waited for. (Threads make no difference, and take their time to start: one of them in flow.test.ts.)
  it.each(fails.filter(([name]) => way === 'lockstep' && name !== 'onFrame'))(
    'rejects with what %s rejects with, and is given back',
    async (name, code, callback) => {
      const error = new Error(`${name} is broken`);
      const machine = await create({ ...options, kernel: kernel(code, SPIN), ...callback((() => Promise.reject(error)) as () => never) });
      await expect(machine.run()).rejects.toBe(error);
      await machine.close();
    },
  );
});
