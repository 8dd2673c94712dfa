// What describeCpus() and the end of a crash say of the CPUs: code, stack, calls by name, who waits, and why a fault became a double or a triple one.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { SERAI } from '../../../guests/serai.ts';
import { Machine, type MachineOptions, MiB } from '../../../src/api/index.ts';
import { kallsymsTable } from '../inspect/kallsyms-table.ts';
import { CLI_HLT, ENTRY, kernel, le32, SPIN, UD2 } from './programs.ts';

const LOCKSTEP = { lockstep: { paced: false }, memoryBytes: 4 * MiB } as const;
const ENGINES = ['jit', 'interpreter'] as const;
/** Where the tests put tables, and a stack. */
const [IDT, GDT, PAGES, POINTERS, STACK] = [0x200000, 0x201000, 0x202000, 0x203000, 0x210000];

/** mov ebp, 0; mov esp, STACK; push 5; call f; f: push ebp; mov ebp, esp; call g; g: push ebp; mov ebp, esp; and `code` at g+3. */
const deep = (code: string) => `bd00000000 bc${le32(STACK)} 6a05 e800000000 55 89e5 e800000000 55 89e5 ${code}`;
const [F, G] = [ENTRY + 17, ENTRY + 25];
const NAMES = [
  [ENTRY, 'start'],
  [F, 'f'],
  [G, 'g'],
].map(([address, name]) => `${(address as number).toString(16).padStart(8, '0')} T ${name}\n`);

async function paused(options: MachineOptions): Promise<{ machine: Machine; text: () => Promise<string>; end: () => Promise<void> }> {
  const machine = await Machine.create({ memoryBytes: 4 * MiB, ...options });
  const run = machine.run();
  const end = async () => {
    machine.stop('seen');
    await run;
  };
  return { machine, text: () => machine.describeCpus(), end };
}

describe.each([
  ...ENGINES.map((engine) => ({ name: `${engine}, in lockstep`, options: { ...LOCKSTEP, engine } })),
  ...ENGINES.map((engine) => ({ name: `${engine}, on threads`, options: { engine } })),
])('of a CPU that spins ($name)', ({ options }) => {
  it('has code, stack and calls, with names, in a pause and behind the end', async () => {
    const { machine, text, end } = await paused({ ...options, kernel: kernel(deep(SPIN)), symbols: NAMES.join('') });
    await expect(text()).rejects.toMatchObject({ code: 'BAD_STATE' });
    for (let at = 0; at !== G + 3; at = machine.cpus[0]!.registers.eip) {
      if (machine.state === 'paused') await machine.resume();
      await new Promise((resolve) => setTimeout(resolve, 5));
      await machine.pause();
    }
    const told = await text();
    expect(told).toMatch(/^CPU 0: exit .*\nEAX=2badb002 /);
    const hex = (n: number) => n.toString(16).padStart(8, '0');
    for (const lines of [
      ['protected mode, 32-bit code, no paging, privilege level 0'],
      [
        `code, next instruction first, at ${hex(G + 3)} g+0x3:`,
        `  ${hex(G + 3)}  eb fe                   jmp short 0x${hex(G + 3)}`,
        `  ${hex(G + 5)}  00 00                   add [eax], al`,
      ],
      [
        'stack from its top:',
        `  ${hex(STACK - 20)}  ${[STACK - 12, G, 0, F, 5].map(hex).join(' ')} 00000000 00000000 00000000`,
        `  ${hex(STACK + 12)}  ${Array(8).fill('00000000').join(' ')}`,
      ],
      [
        'calls, innermost first (by the chain of EBP):',
        `  #0 ${hex(G + 3)} g+0x3`,
        `  #1 ${hex(G)} f+0x8`,
        `  #2 ${hex(F)} start+0x11`,
        'last blocks ',
      ],
      ['last exceptions and interrupts, newest last:', '  none'],
    ])
      expect(told).toContain(`\n${lines.join('\n')}`);
    await end();
    const lasting = (of: string) =>
      of
        .replace(/ pending=.*/, '')
        .split('\n')
        .slice(1, 20);
    expect(lasting(await text())).toEqual(lasting(told));
  });
});

it('of a stack that ends, of calls without end, and of code that is not there, says so and comes to an end', async () => {
  const machine = await Machine.create({ ...LOCKSTEP, kernel: kernel(SPIN), paused: true });
  const { registers, memory } = machine.cpus[0]!;
  registers.esp = 4 * MiB - 8;
  registers.ebp = STACK;
  for (let at = STACK; at < STACK + 100 * 8; at += 8) memory.write(at, new Uint8Array(Uint32Array.of(at + 8, 0x1234).buffer));
  const told = await machine.describeCpus();
  expect(told).toContain('\nstack from its top:\n  003ffff8  00000000 00000000\ncalls');
  expect(told).toMatch(/\n {2}#23 00001234\n {2}\.\.\.\nlast blocks/);
  registers.esp = 8 * MiB;
  registers.eip = 16 * MiB;
  expect(await machine.describeCpus()).toMatch(
    /\ncode: the next instruction, at 01000000, is not in memory\nstack: 00800000 is not in memory\ncalls/,
  );
  await machine.close();
});

it('has the names that are in a Linux kernel, where it has paging on', async () => {
  const symbols = Array.from({ length: 300 }, (_, n) => ({ address: ENTRY + n * 16, kind: 'T', name: `do_it${n}` }));
  const machine = await Machine.create({ ...LOCKSTEP, kernel: kernel(SPIN), paused: true });
  machine.memory.physical.write(0x300000, kallsymsTable(symbols, ENTRY, {}));
  expect(await machine.describeCpus()).not.toContain('do_it');
  machine.memory.physical.write(PAGES, Uint8Array.of(0x83));
  const { registers } = machine.cpus[0]!;
  registers.cr3 = PAGES;
  registers.cr4 = 0x10;
  registers.cr0 = (registers.cr0 | 0x80000000) >>> 0;
  expect(await machine.describeCpus()).toContain(' do_it0:');
  expect(machine.symbol('do_it1')).toBe(ENTRY + 16);
  await machine.close();
});

it('is a line for a CPU in HLT, and one for those that were never started', async () => {
  const { machine, text, end } = await paused({ ...LOCKSTEP, cpus: 3, kernel: readFileSync(SERAI), memoryBytes: 16 * MiB });
  expect(await machine.console.until('> ', { timeoutMs: 60_000 })).toBeDefined();
  for (let idle = 0; idle < 3; ) {
    if (machine.state === 'paused') await machine.resume();
    await new Promise((resolve) => setTimeout(resolve, 5));
    await machine.pause();
    idle = (await text()).split('\n').filter((line) => /^CPU \d: waits in HLT, interrupts on, goes on at c0[0-9a-f]{6}$/.test(line)).length;
  }
  expect((await text()).split('\n').length).toBe(3);
  await end();
  const other = await Machine.create({ ...LOCKSTEP, cpus: 4, kernel: kernel(SPIN) });
  expect(await other.describeCpus()).toMatch(/\n\nCPUs 1 to 3: not started$/);
  await other.close();
});

it.each(ENGINES)('of a CPU on a thread that is stopped in HLT says that it is there (%s)', async (engine) => {
  // sti; again: hlt; jmp again, with all lines masked.
  const { machine, text, end } = await paused({ engine, kernel: kernel('b0ff e621 e6a1 fb f4 ebfd') });
  for (let waits = false; !waits; waits = (await text()).includes('waits in HLT')) {
    if (machine.state === 'paused') await machine.resume();
    await new Promise((resolve) => setTimeout(resolve, 5));
    await machine.pause();
  }
  await machine.resume();
  await new Promise((resolve) => setTimeout(resolve, 20));
  await end();
  expect(await text()).toMatch(/^CPU 0: waits in HLT, interrupts on, goes on at 00100028$/);
});

it('of a CPU that can never go on is all of it', async () => {
  const machine = await Machine.create({ ...LOCKSTEP, kernel: kernel(CLI_HLT) });
  expect((await machine.run()).kind).toBe('halted');
  const told = await machine.describeCpus();
  expect(told).toContain('privilege level 0; waits in HLT with interrupts off, where only an NMI, INIT or reset ends it');
  expect(told).toContain('code, next instruction first, at 00100022:');
});

describe.each(ENGINES)('a triple fault (%s)', (engine) => {
  const gate = (offset: number, selector: number, type = 0x8e00) => [(selector << 16) | (offset & 0xffff), (offset & 0xffff0000) | type];
  const pointer = (limit: number, base: number) => [limit | (base << 16), base >>> 16];
  const DESCRIPTORS = [0, 0, 0xffff, 0x00cf9b00, 0xffff, 0x00cf9300, 0xffff, 0x00cf1b00];
  const PAGING = `b8${le32(PAGES)} 0f22d8 b810000000 0f22e0 0f20c0 0d00000080 0f22c0`;
  const lidt = `0f011d${le32(POINTERS)}`;
  const lgdt = `0f0115${le32(POINTERS + 8)}`;
  const stack = (esp: number) => `bc${le32(esp)}`;

  /** The lines that say why. `entries`: of the IDT. */
  async function why(code: string, entries: Readonly<Record<number, readonly number[]>>, limit = 0x7ff): Promise<string[]> {
    const machine = await Machine.create({ ...LOCKSTEP, engine, memoryBytes: 8 * MiB, kernel: kernel(code), symbols: NAMES.join('') });
    const write = (at: number, words: readonly number[]) =>
      machine.memory.physical.write(at, new Uint8Array(Int32Array.from(words).buffer));
    for (const [vector, words] of Object.entries(entries)) write(IDT + Number(vector) * 8, words);
    write(GDT, DESCRIPTORS);
    // The first 4 MiB by themselves, and the next ones read-only.
    write(PAGES, [0x83, 0x400081]);
    write(POINTERS, [...pointer(limit, IDT), ...pointer(DESCRIPTORS.length * 4 - 1, GDT)]);
    const result = await machine.run();
    if (result.kind !== 'triple-fault') throw new Error(`it ended by ${result.kind}`);
    const lines = result.dump.split('\n');
    expect(lines[0]).toBe('CPU 0: exit triple-fault (0)');
    expect(result.dump).toMatch(/\nstack(?: from its top)?:/);
    expect(result.dump).toContain('\ndevices, what is not 0:\n');
    const first = lines.indexOf('double or triple fault, by the tables as they are now:') + 1;
    return lines.slice(first, lines.indexOf('', first)).map((line) => line.trim());
  }
  const NEVER = 'is not present (all of it is 0)';
  const END = (reason: string, error: string) => `#DF(0x0) was not delivered: ${reason}; so ${error} in a double fault: the CPU shuts down`;

  it('without an IDT', async () => {
    expect(await why(`${lidt} ${UD2}`, {}, 0)).toEqual([
      "#UD was not delivered: IDT entry 6 lies behind the IDT's limit 0x0000; so #GP(0x33)",
      "#GP(0x33) was not delivered: IDT entry 13 lies behind the IDT's limit 0x0000; so #DF(0x0)",
      END("IDT entry 8 lies behind the IDT's limit 0x0000", '#GP(0x43)'),
    ]);
  });

  it('by gates that are none, are not present, and lead to no code', async () => {
    expect(await why(`${lidt} ${lgdt} ${UD2}`, { 6: gate(ENTRY, 8, 0x0e00), 11: gate(ENTRY, 8, 0x8200), 8: gate(ENTRY, 0x10) })).toEqual([
      '#UD was not delivered: IDT entry 6 is not present; so #NP(0x33)',
      '#NP(0x33) was not delivered: IDT entry 11 is no interrupt, trap or task gate (type 0x02); so #DF(0x0)',
      END('IDT entry 8 has selector 0x0010, which is no code segment', '#GP(0x11)'),
    ]);
    expect(await why(`${lidt} ${lgdt} ${UD2}`, { 6: gate(ENTRY, 0x40), 13: gate(ENTRY, 0x18), 8: gate(ENTRY, 0) })).toEqual([
      "#UD was not delivered: IDT entry 6 has selector 0x0040, which lies behind the GDT's limit 0x001f; so #GP(0x41)",
      '#GP(0x41) was not delivered: IDT entry 13 has selector 0x0018, which is a code segment that is not present; so #DF(0x0)',
      END('IDT entry 8 has a null selector', '#GP(0x1)'),
    ]);
  });

  it('by page 0xe, whose entry nobody made', async () => {
    expect(await why(`${PAGING} ${lidt} a100000050`, { 13: gate(ENTRY, 8), 8: gate(ENTRY, 0x40) })).toEqual([
      `#PF(0x0) was not delivered: IDT entry 14 ${NEVER}; so #DF(0x0)`,
      END("IDT entry 8 has selector 0x0040, which lies behind the GDT's limit 0x0017", '#GP(0x41)'),
    ]);
  });

  it.each([
    ['not mapped', 0x10000000],
    ['read-only', 0x500000],
  ])('by a stack that is %s', async (what, esp) => {
    // With CR0.WP.
    const protect = '0f20c0 0d00000100 0f22c0';
    const all = Object.fromEntries([6, 8, 14].map((vector) => [vector, gate(ENTRY, 8)]));
    const reason = (vector: number) =>
      `IDT entry ${vector} is fine, but its handler needs room on the stack, and 0x${(esp - 4).toString(16).padStart(8, '0')} (SS:ESP) is ${what}`;
    const error = what === 'not mapped' ? '#PF(0x2)' : '#PF(0x3)';
    expect(await why(`${PAGING} ${protect} ${lidt} ${stack(esp)} ${UD2}`, all)).toEqual([
      `#UD was not delivered: ${reason(6)}; so ${error}`,
      `${error} was not delivered: ${reason(14)}; so #DF(0x0)`,
      END(reason(8), error),
    ]);
  });

  it('by an interrupt that had no gate', async () => {
    expect(await why(`${lidt} cd30`, {})).toEqual([
      `interrupt 30 was not delivered: IDT entry 48 ${NEVER}; so #GP(0x182)`,
      `#GP(0x182) was not delivered: IDT entry 13 ${NEVER}; so #DF(0x0)`,
      END(`IDT entry 8 ${NEVER}`, '#GP(0x43)'),
    ]);
  });
});
