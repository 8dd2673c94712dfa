// The execution trace: its lines in both engines, compared with each other, and its way through a ring that is too small for it.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EngineName, Machine, MiB } from '../../../src/api/index.ts';
import { TRACE_RECORDS } from '../../../src/layout/memory.ts';
import { guestNames, readProgram, runGuest as runProgram } from '../../harness/asm.ts';
import { engineNames, openEngine, type TestEngine } from '../../harness/engine.ts';
import { runGuest } from './crash-guest.ts';
import { CLI_HLT, kernel, out, SPIN, UD2 } from './programs.ts';

const traces = { interpreter: '', jit: '' };
const engines = {} as Record<EngineName, TestEngine>;
beforeAll(async () => {
  for (const name of engineNames)
    engines[name] = await openEngine(name, (text) => {
      traces[name] += text;
    });
});
afterAll(() => engineNames.forEach((name) => engines[name].close?.()));

/** The lines of what `run` runs. */
function traceOf(name: EngineName, run: (engine: TestEngine) => void): string[] {
  traces[name] = '';
  run(engines[name]);
  expect(traces[name]).toMatch(/\n$/);
  return traces[name].trimEnd().split('\n');
}

const engineOf = (line: string) => line[2];
const eipOf = (line: string) => line.slice(4, 12);
const withoutEngine = (line: string) => (engineOf(line) === '!' ? line : `0   ${line.slice(4)}`);

/** Lines of the interpreter that the JIT ought to have as well: deliveries, and blocks that start where one of its blocks does. */
function common(interpreted: readonly string[], translated: readonly string[]): string[] {
  const starts = new Set(translated.map(eipOf));
  return interpreted.filter((line) => engineOf(line) === '!' || starts.has(eipOf(line))).map(withoutEngine);
}

/** The first of `wanted` that `lines` does not have in its place, in order (with others in between). */
function missing(wanted: readonly string[], lines: readonly string[]): string | undefined {
  let at = 0;
  for (const line of wanted) {
    at = lines.indexOf(line, at) + 1;
    if (at === 0) return line;
  }
  return undefined;
}

const REST = 'EBP=00000000 ESI=00000000 EDI=00000000';
const END = 'CPL=0 CS=0008 CR3=00006000';
const block = (engine: string, eip: string, eax: number, esp: string, flags: string) =>
  `0 ${engine} ${eip} EAX=${eax.toString(16).padStart(8, '0')} ECX=00000000 EDX=00000000 EBX=00000000 ESP=${esp} ${REST} EFL=${flags} ${END}`;

it.each([
  ['interpreter', 'I'],
  ['jit', 'J'],
] as const)('has a line for each block and each delivery (%s)', (name, letter) => {
  // sti; int 0x30; out 0x99, al; mov eax, next; jmp eax; next: mov [0xc01234], eax
  const lines = traceOf(name, (engine) => runGuest(engine, 'fb cd30 e699 b80c100000 ffe0 a33412c000'));
  expect(lines).toEqual([
    block(letter, '00001000', 0, '00008000', '00000002'),
    `0 ! 00001001 software  v=30 e=---- CR2=00000000 ${END}`,
    block(letter, '00003000', 0, '00007ff4', '00000002'),
    block(letter, '00001003', 0, '00008000', '00000202'),
    `0 ! 0000100c interrupt v=31 e=---- CR2=00000000 ${END}`,
    block(letter, '00003000', 0x100c, '00007ff4', '00000002'),
    block(letter, '0000100c', 0x100c, '00008000', '00000202'),
    `0 ! 0000100c exception v=0e e=0002 CR2=00c01234 ${END}`,
    `0 ! 0000100c exception v=08 e=0000 CR2=00c01234 ${END}`,
    `0 ! 0000100c shutdown  v=0d e=0043 CR2=00c01234 ${END}`,
  ]);
});

it.each(engineNames)('has a line for each single step (%s)', (name) => {
  // pushf; or dword [esp], TF; popf; nop; nop: the trap behind the first NOP has no handler
  const lines = traceOf(name, (engine) => runGuest(engine, '9c 810c2400010000 9d 90 90'));
  const trap = lines.findIndex((line) => line.includes('v=01'));
  expect(lines[trap - 1]).toBe(block('I', '00001009', 0, '00008000', '00000102'));
  expect(lines[trap]).toBe(`0 ! 0000100a exception v=01 e=---- CR2=00000000 ${END}`);
});

it('sees inside regions what the interpreter sees', () => {
  // mov ecx, 40; loop: push ecx; call leaf; pop ecx; add eax, ecx; adc edx, 0; inc ebx; cmp ecx, 17; jb skip; rol eax, 3; xor edx, eax;
  // skip: dec ecx; jnz loop; hlt; leaf: lea eax, [eax+ecx*2]; test al, 4; jz even; inc eax; even: ret
  const code = 'b928000000 51 e818000000 59 01c8 83d200 43 83f911 7205 c1c003 31c2 49 75e6 f4 90909090 8d0448 a804 7401 40 c3';
  const [interpreted, translated] = (['interpreter', 'jit'] as const).map((name) =>
    traceOf(name, (engine) => expect(runGuest(engine, code).reason).toBe('halted')),
  );
  expect(new Set(interpreted.map(engineOf))).toEqual(new Set('I'));
  expect(new Set(translated.map(engineOf))).toEqual(new Set('J'));
  // Every block of the interpreter starts one in the region, in the copies of the callee as well.
  expect(common(interpreted, translated)).toEqual(interpreted.map(withoutEngine));
  expect(missing(interpreted.map(withoutEngine), translated.map(withoutEngine))).toBeUndefined();
  const calls = (lines: readonly string[]) => lines.filter((line) => eipOf(line) === '00001023').length;
  expect([calls(interpreted), calls(translated)]).toEqual([40, 40]);
});

/** Those that both engines can run alike. */
const BOTH = guestNames().filter((name) => readProgram(name).header.engines === undefined);

it.each(BOTH)('agrees in both engines on %s', (name) => {
  const program = readProgram(name);
  const [interpreted, translated] = (['interpreter', 'jit'] as const).map((engine) =>
    traceOf(engine, (running) => expect(runProgram(running, program)).toEqual([])),
  );
  const wanted = common(interpreted, translated);
  expect(wanted.length).toBeGreaterThan(0.9 * interpreted.length);
  // An interrupt that a store to a port raises may be taken a turn of the loop sooner or later, with the flags of then.
  const asWell = (line: string) => (program.header.interrupt === undefined ? line : line.replace(/ EFL=\w+/, ''));
  expect(missing(wanted.map(asWell), translated.map(withoutEngine).map(asWell))).toBeUndefined();
});

describe.each(engineNames)('of a machine (%s)', (engine) => {
  const TURNS = 3 * TRACE_RECORDS;
  const wait = (ms: number) => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

  async function trace(code: string[], slow: boolean) {
    let text = '';
    const m = await Machine.create({
      engine,
      memoryBytes: 16 * MiB,
      kernel: kernel(...code),
      debugExitPort: 0xf4,
      onTrace(lines) {
        if (slow) wait(3);
        text += lines;
      },
    });
    const result = await m.run();
    return { result, lines: text.trimEnd().split('\n') };
  }

  it('arrives whole where it is larger than the ring and its reader slow', async () => {
    const turns = Buffer.alloc(4);
    turns.writeUInt32LE(TURNS);
    // mov ecx, TURNS; again: dec ecx; jnz again; mov al, 5; out 0xf4, al; jmp $
    const { result, lines } = await trace([`b9${turns.toString('hex')} 49 75fd`, out(0xf4, 5), SPIN], true);
    expect(result).toEqual({ kind: 'debug-exit', value: 5 });
    // A block that starts at the beginning of the loop sees each value but perhaps the first.
    const counters = lines.filter((line) => eipOf(line) === '00100025').map((line) => Number.parseInt(/ECX=(\w+)/.exec(line)![1]!, 16));
    expect(counters).toEqual(Array.from({ length: TURNS - 1 }, (_, n) => TURNS - 1 - n));
    // Translated code comes to the jump behind OUT before it looks whether it is to stop.
    const before = lines.filter((line) => eipOf(line) !== '0010002c');
    expect(new Set(before.slice(1, -1).map(eipOf))).toEqual(new Set(['00100025']));
    expect(eipOf(before.at(-1)!)).toBe('00100028');
  });

  it('has the end of a crash', async () => {
    const { result, lines } = await trace([UD2], false);
    expect(result.kind).toBe('triple-fault');
    expect(lines.map((line) => line.slice(0, 32))).toEqual([
      '0 I 00100020 EAX=2badb002 ECX=00',
      '0 ! 00100020 exception v=06 e=--',
      '0 ! 00100020 exception v=0d e=00',
      '0 ! 00100020 exception v=08 e=00',
      '0 ! 00100020 shutdown  v=0d e=00',
    ]);
  });

  it('comes also where little happens', async () => {
    // The guest masks all lines and halts with interrupts on, for ever: only the trace can end the run.
    let text = '';
    const m = await Machine.create({
      engine,
      memoryBytes: 16 * MiB,
      kernel: kernel('b0ff e621 fbf4', CLI_HLT),
      onTrace(lines) {
        text += lines;
        if (text.includes(' I 00100020 ')) m.stop('seen');
      },
    });
    expect(await m.run()).toEqual({ kind: 'stopped', reason: 'seen' });
  });

  it('lets a machine stop whose CPU waits for room', async () => {
    let lines = 0;
    const m = await Machine.create({
      engine,
      memoryBytes: 16 * MiB,
      kernel: kernel(SPIN),
      onTrace(text) {
        lines += text.split('\n').length - 1;
        // Long enough for the guest to fill the ring again.
        wait(20);
        if (lines > 2 * TRACE_RECORDS) m.stop('enough');
      },
    });
    expect(await m.run()).toEqual({ kind: 'stopped', reason: 'enough' });
  });
});

it('ends the run where its reader fails', async () => {
  const m = await Machine.create({
    memoryBytes: 16 * MiB,
    kernel: kernel(SPIN),
    onTrace() {
      throw new Error('no room left');
    },
  });
  await expect(m.run()).rejects.toThrow('no room left');
});
