// Machines that go back: what they were like is what they are like again, with what was typed, what is on disks, and what they print; and what does not go together.
import { afterEach, describe, expect, it } from 'vitest';
import { DragomanError, Machine, type MachineOptions, MiB, type PausedEvent } from '../../../src/api/index.ts';
import { SeededRandom } from '../../../src/machine/lockstep/random.ts';
import { EXIT, image, READS_AND_WRITES } from '../machine/disk-guest.ts';
import { ECHO, ENTRY, kernel, le32, out, SPIN } from '../machine/programs.ts';

const COUNT = 0x200000;
/** mov ebx, COUNT; xor eax, eax; loop: inc dword [ebx]; add eax, 3; jmp loop */
const LOOP = `bb${le32(COUNT)} 31c0 ff03 83c003 ebf9`;
const LOOP_AT = ENTRY + 7;

const all: Machine[] = [];
afterEach(async () => {
  for (const machine of all.splice(0)) await machine.close();
});
async function make(code: Uint8Array, options: MachineOptions = {}, reverse: object | true = { every: 10_000 }): Promise<Machine> {
  const machine = await Machine.create({ kernel: code, memoryBytes: 4 * MiB, lockstep: { paced: false, reverse }, ...options });
  all.push(machine);
  return machine;
}
const paused = (machine: Machine) => new Promise<PausedEvent>((resolve) => machine.addEventListener('paused', resolve, { once: true }));
const until = async (is: () => boolean) => {
  while (!is()) await new Promise((resolve) => setTimeout(resolve, 1));
};
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'none',
    (error: unknown) => (error instanceof DragomanError ? `${error.code} ${error.message}` : error),
  );
const history = (machine: Machine) => machine.stats().lockstep!.history!;
const eip = (machine: Machine) => machine.cpus[0]!.registers.eip;

it('steps back as far as it has come, and on again', async () => {
  const machine = await make(kernel(LOOP), { paused: true });
  const start = paused(machine);
  void machine.run();
  await start;
  const states = [];
  const state = () => ({
    eip: eip(machine),
    eax: machine.cpus[0]!.registers.eax,
    hash: machine.memoryHash(),
    stats: machine.stats().lockstep!.virtualMs,
  });
  for (let n = 0; n < 40; n++) {
    states.push(state());
    expect(await machine.step(0)).toBe(1);
  }
  for (const n of [1, 2, 3, 30]) {
    expect(await machine.stepBack(0, n)).toBe(n);
  }
  expect(state()).toEqual(states[4]);
  expect(await machine.step(0, 10)).toBe(10);
  expect(state()).toEqual(states[14]);
  expect(await machine.stepBack(0, 100)).toBe(14);
  expect(state()).toEqual(states[0]);
  expect(await machine.stepBack(0)).toBe(0);
  expect([machine.state, machine.canGoBack]).toEqual(['paused', true]);
});

it('comes to the same however it is cut: by steps, by breakpoints, or not at all', async () => {
  // What the counter says in the middle of a stretch of code goes to memory: rdtsc; mov [ebx], eax; nop; rdtsc; mov [ebx+4], eax; rep movsb of 20 bytes; ebx goes on, in 64 KiB; in al, 61H; add [ebx+8], al; jmp.
  const code = `bb${le32(COUNT)} 0f31 8903 90 0f31 894304 be00000200 bf00000300 b914000000 f3a4 83c310 81e3ffff0000 81cb${le32(COUNT)} e461 004308 ebd3`;
  const machine = await make(kernel(code));
  void machine.run();
  await until(() => history(machine).checkpoints >= 3);
  await machine.pause();
  await machine.step(0);
  const state = () => ({ eip: eip(machine), hash: machine.memoryHash(), time: machine.stats().lockstep!.virtualMs });
  const [there, count] = [state(), 3000];
  const again = async (steps: () => number) => {
    expect(await machine.stepBack(0, count)).toBe(count);
    for (let left = count; left > 0; ) left -= await machine.step(0, Math.min(left, steps()));
    expect(state()).toEqual(there);
  };
  const random = new SeededRandom(5);
  await again(() => count);
  await again(() => 1 + random.below(12));
  await again(() => 1 + random.below(300));
  const point = await machine.setBreakpoint(ENTRY + 9);
  await again(() => count);
  await point.remove();
  await again(() => 1 + random.below(40));
});

it('goes to any instruction of all CPUs, and on again to where it was', async () => {
  const machine = await make(kernel(LOOP));
  void machine.run();
  await until(() => history(machine).checkpoints >= 4);
  await machine.pause();
  await machine.step(0);
  const state = () => ({ eip: eip(machine), hash: machine.memoryHash(), at: history(machine).at });
  const there = state();
  const { last, first } = history(machine);
  expect([first, last]).toEqual([0, there.at]);
  expect(await machine.goTo(last - 5)).toBe(last - 5);
  const near = state();
  expect([await machine.goTo(25_001), history(machine)]).toMatchObject([25_001, { at: 25_001, last, inPast: true }]);
  // The way on is that of the steps.
  await machine.goTo(last - 6);
  expect(await machine.step(0)).toBe(1);
  expect(state()).toEqual(near);
  expect(await machine.goTo(last + 1000)).toBe(last);
  expect([state(), history(machine).inPast]).toEqual([there, false]);
  expect(await machine.goTo(0)).toBe(0);
  expect([state().at, history(machine).inPast]).toEqual([0, true]);
  expect(await codeOf(machine.goTo(-1))).toMatch(/^BAD_OPTION goTo: /);
  await machine.resume();
  expect(await codeOf(machine.goTo(1))).toMatch(/^BAD_STATE/);
});

it('types what was typed, prints nothing twice, and takes what is typed then for another future', async () => {
  let text = '';
  const machine = await make(kernel(ECHO, out(EXIT, 9), SPIN), {
    debugExitPort: EXIT,
    onConsole: (bytes) => void (text += Buffer.from(bytes).toString()),
  });
  const run = machine.run();
  for (const typed of ['abc', 'def', 'ghi']) {
    await machine.console.type(typed);
    await until(() => text.endsWith(typed));
  }
  await machine.pause();
  const there = machine.memoryHash();
  const end = machine.stats().lockstep!;
  expect(await machine.runBack()).toEqual([]);
  expect(machine.stats().lockstep!.turns).toBe(0);
  expect(history(machine).inPast).toBe(true);
  await machine.resume();
  await until(() => !history(machine).inPast);
  await machine.pause();
  expect(machine.stats().lockstep!.turns).toBeGreaterThanOrEqual(end.turns);
  expect([text, machine.memoryHash()]).toEqual(['abcdefghi', there]);
  // Back, and somebody types something else.
  await machine.runBack();
  await machine.console.type('xyzq');
  await machine.resume();
  expect(await run).toEqual({ kind: 'debug-exit', value: 9 });
  expect(text).toBe('abcdefghixyzq');
});

it('has on its disk what was there then', async () => {
  const shown: number[] = [];
  const machine = await make(READS_AND_WRITES, {
    disks: [{ bytes: image(), snapshot: true }],
    onDebugConsole: (bytes) => void shown.push(...bytes),
  });
  void machine.run();
  await until(() => shown.length > 0);
  await machine.pause();
  await machine.step(0);
  const there = machine.memoryHash();
  // What it reads first it would find written, were the disk not as it was.
  for (let way = 0; way < 2; way++) {
    await machine.runBack();
    expect(machine.memoryHash()).not.toBe(there);
    await machine.resume();
    await until(() => !history(machine).inPast);
    await machine.pause();
    expect([machine.memoryHash(), shown]).toEqual([there, [0]]);
  }
});

it('stops at the last breakpoint, and tells of it as of any', async () => {
  const machine = await make(kernel(LOOP));
  void machine.run();
  await until(() => history(machine).checkpoints >= 4);
  await machine.pause();
  const code = await machine.setBreakpoint(LOOP_AT);
  const data = await machine.setWatchpoint(COUNT);
  const word = () => Buffer.from(machine.memory.physical.read(COUNT, 4)).readUInt32LE();
  const before = word();
  const events: number[] = [];
  machine.addEventListener('breakpoint', ({ cpu }) => events.push(cpu));
  // The store is undone before its instruction is come to.
  const stop = paused(machine);
  const hits = await machine.runBack();
  expect((await stop).hits).toEqual(hits);
  expect(hits.map(({ breakpoint }) => breakpoint)).toEqual([data]);
  expect([eip(machine), word()]).toEqual([LOOP_AT, before - 1]);
  await data.remove();
  for (let back = 2; back < 5; back++) {
    expect((await machine.runBack()).map(({ breakpoint }) => breakpoint)).toEqual([code]);
    expect([eip(machine), word()]).toEqual([LOOP_AT, before - back]);
  }
  expect([code.hits, data.hits, events]).toEqual([3, 1, [0, 0, 0, 0]]);
});

it('keeps what there is room for: fewer checkpoints the further back, and the way is right all the same', async () => {
  // A page is filled in each pass: mov edi, 210000H; mov ecx, 400H; rep stosd; inc eax; and edi back to where it was, 64 pages around.
  const fill = `bf00002100 b900040000 f3ab 40 81e7ff3f2400 81cf00002100 ebec`;
  const memoryBytes = 1 * MiB;
  const machine = await make(kernel(fill), {}, { every: 10_000, memoryBytes });
  void machine.run();
  await until(() => (machine.stats().instructions ?? 0) > 1_500_000);
  await machine.pause();
  const { checkpoints, bytes } = history(machine);
  expect(bytes).toBeLessThanOrEqual(memoryBytes);
  expect(checkpoints).toBeGreaterThan(3);
  expect(checkpoints).toBeLessThan(100);
  await machine.step(0);
  const [there, count] = [machine.memoryHash(), 400_000];
  expect(await machine.stepBack(0, count)).toBe(count);
  expect(machine.memoryHash()).not.toBe(there);
  expect(await machine.step(0, count)).toBe(count);
  expect(machine.memoryHash()).toBe(there);
});

it('ends on its way back where somebody pauses it', async () => {
  const machine = await make(kernel(LOOP), {}, { every: 2 ** 40 });
  void machine.run();
  await until(() => (machine.stats().instructions ?? 0) > 300_000);
  await machine.pause();
  const back = machine.runBack();
  await machine.pause();
  expect(await back).toEqual([]);
  expect(machine.state).toBe('paused');
  const closing = machine.runBack();
  await machine.close();
  expect(await codeOf(closing)).toMatch(/^ENDED/);
});

describe('what does not go together', () => {
  const disk = { bytes: image() };
  it.each<[string, MachineOptions, RegExp]>([
    ['a disk that is written through', { disks: [disk] }, /^NOT_SUPPORTED disks\[0\]: .*written through/],
    ['a disk of a program', { disks: [{ size: 512, read: () => new Uint8Array(512) }] }, /^NOT_SUPPORTED disks\[0\]: .*when it likes/],
    ['a Blob', { disks: [{ blob: new Blob([image()]) }] }, /^NOT_SUPPORTED disks\[0\]/],
    ['a network', { net: { onFrame: () => {} } }, /^NOT_SUPPORTED net: /],
    ['a client', { clients: [{ name: 'prof' }] } as unknown as MachineOptions, /^(NOT_SUPPORTED|BAD_OPTION) clients/],
    ['a share', { shares: [{ path: '.' }] }, /^NOT_SUPPORTED shares/],
    ['a recording', { lockstep: { reverse: true, onRecord: () => {} } }, /^NOT_SUPPORTED lockstep.onRecord/],
    ['too many checkpoints', { lockstep: { reverse: { every: 10 } } }, /^BAD_OPTION lockstep.reverse.every/],
  ])('%s', async (_, options, message) => {
    expect(await codeOf(make(kernel(SPIN), options))).toMatch(message);
  });
  it('read-only disks and overlays do', async () => {
    await make(kernel(SPIN), { disks: [{ ...disk, readOnly: true }] });
    await make(kernel(SPIN), { disks: [{ bytes: image(), snapshot: true }] }, true);
  });
  it('a machine without the option', async () => {
    const machine = await make(kernel(SPIN), { lockstep: { paced: false, reverse: false } });
    expect([await codeOf(machine.stepBack(0)), machine.canGoBack]).toEqual([expect.stringMatching(/^BAD_STATE/), false]);
    void machine.run();
    expect(await codeOf(machine.runBack())).toMatch(/^BAD_STATE/);
    await machine.pause();
    expect(await codeOf(machine.stepBack(0))).toMatch(/^NOT_SUPPORTED/);
  });
});
