// A whole machine with its threads runs small multiboot kernels to every kind of end.
import { describe, expect, it } from 'vitest';
import { DragomanError, largestMemory, Machine, type MachineOptions, MiB } from '../../../src/api/index.ts';
import { CLI_HLT, ECHO, kernel, out, outDx, SPIN, UD2 } from './programs.ts';

const text = (chunks: readonly Uint8Array[]) => Buffer.concat(chunks).toString();

async function machine(options: MachineOptions) {
  return Machine.create({ memoryBytes: 16 * MiB, ...options });
}

describe.each(['interpreter', 'jit'] as const)('%s', (engine) => {
  it('carries serial output, debug output and POST codes, and ends at the debug-exit port', async () => {
    const [serial, debug, post]: Uint8Array[][] = [[], [], []];
    const m = await machine({
      engine,
      kernel: kernel(outDx(0x3f8, 0x48), out(0xe9, 0x41), out(0x80, 0x55), out(0xf4, 5), SPIN),
      debugExitPort: 0xf4,
      onConsole: (bytes) => serial.push(bytes),
      onDebugConsole: (bytes) => debug.push(bytes),
      onPost: (codes) => post.push(codes),
    });
    expect(await m.run()).toEqual({ kind: 'debug-exit', value: 5 });
    expect([text(serial), text(debug), text(post)]).toEqual(['H', 'A', 'U']);
  });

  it('takes serial input', async () => {
    const serial: Uint8Array[] = [];
    const m = await machine({
      engine,
      kernel: kernel(ECHO, out(0xf4, 3), SPIN),
      debugExitPort: 0xf4,
      onConsole: (bytes) => serial.push(bytes),
    });
    const line = 'all that is typed, any length of it; '.repeat(20);
    m.sendInput(Buffer.from(line));
    const run = m.run();
    m.sendInput(Buffer.from('q'));
    expect(await run).toEqual({ kind: 'debug-exit', value: 3 });
    expect(text(serial)).toBe(`${line}q`);
  });

  it('ends by HLT with interrupts off, by a reset, by a triple fault', async () => {
    expect(await (await machine({ engine, kernel: kernel(CLI_HLT) })).run()).toEqual({ kind: 'halted' });
    expect(await (await machine({ engine, kernel: kernel(outDx(0xcf9, 6), SPIN) })).run()).toEqual({ kind: 'reset' });
    const fault = await (await machine({ engine, kernel: kernel(UD2) })).run();
    expect(fault).toMatchObject({
      kind: 'triple-fault',
      dump: expect.stringMatching(/newest last:\n {2}00100020\n[\s\S]*#UD\) at 00100020\n/),
    });
  });

  it('runs an instruction in the last byte of the linear space', async () => {
    const bios = new Uint8Array(0x10000).fill(0x90);
    bios.set([0xfa, 0xeb, 0x0c], 0xfff0); // cli; jmp to the last byte
    bios[0xffff] = 0xf4; // hlt
    expect(await (await machine({ engine, bios })).run()).toEqual({ kind: 'halted' });
  });

  it('runs at the largest size of memory', async () => {
    const last = Buffer.alloc(4);
    last.writeUInt32LE(largestMemory(1) - 4096);
    // mov edi, last; mov dx, 0x3fd; loop: mov byte [edi + 0xfff], 5; mov bl, [edi + 0xfff]; in al, dx; test al, 1; jz loop; mov al, bl; out 0xf4, al
    const code = `bf${last.toString('hex')} 66bafd03 c687ff0f000005 8a9fff0f0000 ec a801 74ee 88d8 e6f4`;
    const m = await machine({ engine, kernel: kernel(code, SPIN), debugExitPort: 0xf4, memoryBytes: largestMemory(1) });
    const run = m.run();
    // It goes on when a key is pressed: once some code is translated, where any will be.
    while (engine === 'jit' && m.stats().translator.regions === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    await new Promise((resolve) => setTimeout(resolve, 20));
    m.sendInput(Buffer.from('q'));
    expect(await run).toEqual({ kind: 'debug-exit', value: 5 });
  });

  it('counts instructions where it is asked to', async () => {
    const turns = 0x30000;
    const loop = 'b9 00 00 03 00 49 75 fd'; // MOV ECX; DEC ECX; JNZ
    const m = await machine({ engine, kernel: kernel(loop, CLI_HLT), countInstructions: true });
    expect(await m.run()).toEqual({ kind: 'halted' });
    const { instructions, instructionsAre, engines } = m.stats();
    expect([instructions, instructionsAre]).toEqual([2 * turns + 3, 'counted']);
    expect(engines.interpreter.instructions! + engines.jit.instructions!).toBe(instructions);
  });

  it('counts and times what it asks of JavaScript', async () => {
    const m = await machine({
      engine,
      kernel: kernel(out(0xe9, 0x41), out(0xe9, 0x42), out(0xe9, 0x43), CLI_HLT),
      countInstructions: true,
    });
    expect(await m.run()).toEqual({ kind: 'halted' });
    const { hostCalls, exits, exitMs } = m.stats();
    expect(hostCalls).toMatchObject({ portOut: { count: 3, ms: expect.any(Number) } });
    expect(hostCalls!.portOut!.ms).toBeGreaterThan(0);
    expect(hostCalls!.portIn).toBeUndefined();
    expect(exits.lookup).toBeGreaterThan(0);
    expect(exitMs.lookup).toBeGreaterThan(0);
    expect(exitMs.halt).toBeUndefined();
  });

  it('counts and times ways of the engine that are slow', async () => {
    // IRET behind PUSHF, PUSH CS and CALL, 100 times.
    const turns = 'b9 64 00 00 00 fa 9c 0e e8 06 00 00 00 49 75 f6 f4'; // MOV ECX, 100; CLI; L: PUSHF; PUSH CS; CALL M; DEC ECX; JNZ L; HLT
    const back = '90 cf'; // M is behind HLT: NOP; IRET
    const m = await machine({ engine, kernel: kernel(`bc 00 00 20 00 ${turns} 90 90 ${back}`), countInstructions: true });
    expect(await m.run()).toEqual({ kind: 'halted' });
    const { slowPaths, tlbMisses } = m.stats();
    expect(slowPaths).toMatchObject({ return: { count: 100, ms: expect.any(Number) }, 'tlb-miss': { count: tlbMisses } });
    expect(slowPaths!.return!.ms).toBeGreaterThan(0);
    expect(slowPaths!.far).toBeUndefined();
  });

  it('is stopped while it spins', async () => {
    // It runs for certain once it has printed.
    const m = await machine({ engine, kernel: kernel(outDx(0x3f8, 0x48), SPIN), onConsole: () => setTimeout(() => m.stop('enough'), 60) });
    expect(await m.run()).toEqual({ kind: 'stopped', reason: 'enough' });
    const stats = m.stats();
    expect(stats.wallMs).toBeGreaterThan(50);
    expect(stats.instructions).toBeNull();
    expect(stats.hostCalls).toBeNull();
    expect(stats.slowPaths).toBeNull();
    expect(Object.keys(stats.exits).length).toBeGreaterThan(0);
  });
});

it('answers at the debug ports only where that is asked for', async () => {
  const m = await machine({ kernel: kernel(out(0xe9, 0x41), out(0xf4, 5), CLI_HLT) });
  expect(await m.run()).toEqual({ kind: 'halted' });
});

it('takes for the debug-exit port what is free of four ports', async () => {
  // The port behind it is COM1's.
  const m = await machine({ kernel: kernel(outDx(0x3f8, 0x48), outDx(0x3f7, 9), SPIN), debugExitPort: 0x3f7 });
  expect(await m.run()).toEqual({ kind: 'debug-exit', value: 9 });
});

it('ends at once where it was stopped before', async () => {
  const m = await machine({ kernel: kernel(SPIN) });
  m.stop('first');
  m.stop('second');
  expect(await m.run()).toEqual({ kind: 'stopped', reason: 'first' });
  expect(m.stats().wallMs).toBe(0);
  await expect(m.run()).rejects.toThrow(/once/);
});

it.each<[string, MachineOptions, string]>([
  ['too many CPUs', { kernel: kernel(SPIN), cpus: 65 }, 'BAD_OPTION'],
  ['no kernel', {}, 'BAD_OPTION'],
  ['a timer slack below 0', { kernel: kernel(SPIN), timerSlackMs: -1 }, 'BAD_OPTION'],
  ['a debug-exit port that is a serial port', { kernel: kernel(SPIN), debugExitPort: 0x3f8 }, 'BAD_OPTION'],
  ['a debug-exit port that is the debug console', { kernel: kernel(SPIN), debugExitPort: 0xe9, onDebugConsole() {} }, 'BAD_OPTION'],
  ['an odd memory size', { kernel: kernel(SPIN), memoryBytes: 16 * MiB + 1 }, 'BAD_OPTION'],
  ['more memory than there is beside one CPU', { kernel: kernel(SPIN), memoryBytes: largestMemory(1) + 65536 }, 'BAD_OPTION'],
  ['more memory than there is beside 64 CPUs', { kernel: kernel(SPIN), memoryBytes: largestMemory(64) + 65536, cpus: 64 }, 'BAD_OPTION'],
  ['noise for a kernel', { kernel: new Uint8Array(4096) }, 'BAD_KERNEL'],
])('refuses %s', async (_name, options, code) => {
  const error = await machine(options).then(
    () => undefined,
    (e) => e,
  );
  expect(error).toBeInstanceOf(DragomanError);
  expect(error.code).toBe(code);
});
