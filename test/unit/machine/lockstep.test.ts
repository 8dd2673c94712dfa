// The lockstep executor: runs repeat to the bit, with inputs by their recording; what a recording refuses.
import { describe, expect, it } from 'vitest';
import { DragomanError, Machine, type MachineOptions, MiB } from '../../../src/api/index.ts';
import { eventLine, headerLine, parseRecording } from '../../../src/machine/lockstep/recording.ts';
import { CLI_HLT, ECHO, kernel, out, outDx, SPIN, UD2 } from './programs.ts';

interface Run {
  readonly text: string;
  readonly end: string;
  readonly instructions: number | null;
  readonly hash: string;
  readonly turns: number | undefined;
  readonly virtualMs: number | undefined;
}

/** Runs a machine; `type`: called with it as soon as it runs. */
async function run(options: MachineOptions, type?: (machine: Machine) => void): Promise<Run> {
  const serial: Uint8Array[] = [];
  const machine = await Machine.create({
    memoryBytes: 4 * MiB,
    debugExitPort: 0xf4,
    ...options,
    lockstep: { ...options.lockstep },
    onConsole: (bytes) => serial.push(bytes),
  });
  const running = machine.run();
  type?.(machine);
  const result = await running;
  const { instructions, lockstep } = machine.stats();
  return {
    text: Buffer.concat(serial).toString(),
    end: result.kind === 'debug-exit' ? `debug-exit ${result.value}` : result.kind === 'stopped' ? result.reason : result.kind,
    instructions,
    hash: machine.memoryHash(),
    turns: lockstep?.turns,
    virtualMs: lockstep?.virtualMs,
  };
}

/** mov edi, 200000H; rdtsc; stosd; inc ecx; cmp ecx, 20000; jb rdtsc: the guest's time goes into its memory. */
const TIMES = 'bf 00002000 0f31 ab 41 81f9 204e0000 72f4';

describe.each(['interpreter', 'jit'] as const)('%s', (engine) => {
  it('repeats a run with its seed, and with another one runs otherwise', async () => {
    const options: MachineOptions = { engine, kernel: kernel(TIMES, out(0xf4, 5), SPIN) };
    const [first, again, other] = [
      await run({ ...options, lockstep: { seed: 7 } }),
      await run({ ...options, lockstep: { seed: 7 } }),
      await run({ ...options, lockstep: { seed: 8 } }),
    ];
    expect(first).toMatchObject({ end: 'debug-exit 5' });
    expect(again).toEqual(first);
    // Slices end elsewhere, and what the host's devices were asked for comes at other times; the guest alone ran the same instructions.
    expect(other.turns).not.toBe(first.turns);
  });

  it('gives all inputs again from a recording', async () => {
    const options: MachineOptions = { engine, kernel: kernel(ECHO, out(0xf4, 3), SPIN) };
    let recording = '';
    const recorded = await run({ ...options, lockstep: { seed: 3, onRecord: (text) => (recording += text) } }, (machine) => {
      machine.sendInput(Buffer.from('typed '));
      setTimeout(() => machine.sendInput(Buffer.from('later')), 20);
      setTimeout(() => machine.sendInput(Buffer.from(', and the end: q')), 50);
    });
    expect(recorded).toMatchObject({ end: 'debug-exit 3', text: 'typed later, and the end: q' });
    expect(parseRecording(recording)).toMatchObject({ seed: 3, events: [{ kind: 'serial' }, { kind: 'serial' }, { kind: 'serial' }] });
    const replayed = await run({ ...options, lockstep: { replay: recording } }, (machine) => {
      machine.sendInput(Buffer.from('nobody hears this'));
    });
    expect(replayed).toEqual(recorded);
  });

  it.each([
    ['where it was stopped', (stop: () => void) => void setTimeout(stop, 30)],
    ['before its first turn', (stop: () => void) => stop()],
  ])('ends a recording that was stopped %s', async (_name, soon) => {
    let recording = '';
    const options: MachineOptions = { engine, kernel: kernel(SPIN) };
    const recorded = await run({ ...options, lockstep: { onRecord: (text) => (recording += text) } }, (machine) =>
      soon(() => machine.stop('enough')),
    );
    expect(recorded.end).toBe('enough');
    expect(await run({ ...options, lockstep: { replay: recording } })).toEqual(recorded);
  });

  it('ends as other machines do', async () => {
    expect((await run({ engine, kernel: kernel(CLI_HLT) })).end).toBe('halted');
    expect((await run({ engine, kernel: kernel(UD2) })).end).toBe('triple-fault');
    expect((await run({ engine, kernel: kernel(outDx(0xcf9, 6), SPIN) })).end).toBe('reset');
  });
});

describe('a recording that does not fit', () => {
  const machine = kernel(ECHO, out(0xf4, 3), SPIN);
  const record = async () => {
    let recording = '';
    await run({ kernel: machine, lockstep: { onRecord: (text) => (recording += text) } }, (m) => m.sendInput(Buffer.from('q')));
    return recording;
  };
  const refusal = async (options: MachineOptions, replay: string) => {
    try {
      await run({ ...options, lockstep: { replay } });
    } catch (error) {
      if (error instanceof DragomanError) return `${error.code} ${error.message}`;
      throw error;
    }
    return 'none';
  };

  it('is refused', async () => {
    const good = await record();
    expect(await refusal({ kernel: kernel(CLI_HLT) }, good)).toMatch(/^BAD_RECORDING .*another machine: kernel was/);
    expect(await refusal({ kernel: machine, cpus: 2 }, good)).toMatch(/^BAD_RECORDING .*cpus was 1, and is 2/);
    expect(await refusal({ kernel: machine }, '')).toMatch(/^BAD_RECORDING/);
    expect(await refusal({ kernel: machine }, good.slice(0, -1))).toMatch(/^BAD_RECORDING line 2 is cut off/);
    expect(await refusal({ kernel: machine }, `${good}{"turn":1}\n`)).toMatch(/^BAD_RECORDING line 3 is not an event/);
    expect(await refusal({ kernel: machine }, 'nonsense\n')).toMatch(/^BAD_RECORDING line 1 is not a JSON object/);
    expect(await refusal({ kernel: machine }, headerLine(0, {}).replace('1', '99'))).toMatch(/^BAD_RECORDING .*version 99/);
  });

  it('ends the run where it runs otherwise', async () => {
    const good = await record();
    const [header] = good.split('\n');
    const wrong = `${header}\n${eventLine({ turn: 5, time: 1, kind: 'serial', data: 'cQ==' })}`;
    expect((await run({ kernel: machine, lockstep: { replay: wrong } })).end).toBe('internal-error');
  });
});
