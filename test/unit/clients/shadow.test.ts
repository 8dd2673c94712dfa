// The client shadow: each mistake of serai's `bug` is found, with where the object was used, allocated and freed, in both engines; a boot, `bug none` and `stress` are none.
// Cannot prove: what it costs; bench/ shows that.
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { build, SERAI, SERAI_MAP, whyNot } from '../../../guests/serai.ts';
import { Machine, type MachineOptions, MiB } from '../../../src/api/index.ts';
import type { ShadowReport } from '../../../src/clients/shadow.ts';

let kernel: Uint8Array;
beforeAll(() => {
  if (whyNot() === undefined) kernel = build({ STRIP: '', CC: 'gcc -fno-omit-frame-pointer' });
}, 120_000);

async function reported(commands: readonly string[], more: Partial<MachineOptions>): Promise<ShadowReport> {
  await using machine = await Machine.create({ kernel, memoryBytes: 64 * MiB, clients: ['shadow'], ...more });
  const run = machine.run();
  await machine.console.until('serai> ', { timeoutMs: 120_000 });
  for (const command of commands) {
    await machine.console.type(`${command}\n`);
    await machine.console.until(/\nserai> /, { timeoutMs: 120_000 });
  }
  machine.stop('enough');
  await run;
  return machine.stats().clients!.shadow as ShadowReport;
}

/** Names of functions, without where in them. */
const functions = (stack: readonly string[] | undefined) => stack?.map((line) => line.replace(/^\S+ /, '').replace(/[+.].*/, ''));

describe.skipIf(whyNot() !== undefined)('in serai', () => {
  it.each<[string, Partial<MachineOptions>]>([
    ['lockstep', { lockstep: { paced: false } }],
    ['lockstep and the interpreter', { lockstep: { paced: false }, engine: 'interpreter' }],
    ['threads', { cpus: 2 }],
  ])(
    'on %s finds what is planted, and nothing else',
    async (_name, more) => {
      const stress = more.engine === 'interpreter' ? [] : ['stress 1'];
      const commands = ['bug none', ...stress, 'bug use-after-free', 'bug write-after-free', 'bug out-of-bounds'];
      const { mistakes, lost, allocated, freed } = await reported(commands, more);
      expect(lost).toBe(0);
      expect(allocated).toBeGreaterThan(freed);
      expect(freed).toBeGreaterThan(3);
      const seen = mistakes.map(({ kind, access, bytes, stack, object }) => ({
        kind,
        access,
        bytes,
        used: functions(stack)!.slice(0, 2),
        offset: object?.offset,
        size: object?.bytes,
        allocated: functions(object?.allocated)!.slice(0, 2),
        freed: functions(object?.freed)?.[0],
      }));
      const made = { size: 40, allocated: ['request_create', 'command_bug'] };
      expect(seen).toEqual([
        {
          ...made,
          kind: 'use-after-free',
          access: 'read',
          bytes: 4,
          used: ['request_status', 'command_bug'],
          offset: 8,
          freed: 'request_free',
        },
        {
          ...made,
          kind: 'use-after-free',
          access: 'write',
          bytes: 4,
          used: ['request_finish', 'command_bug'],
          offset: 8,
          freed: 'request_free',
        },
        { ...made, kind: 'out-of-bounds', access: 'write', bytes: 1, used: ['request_fill', 'command_bug'], offset: 40, freed: undefined },
      ]);
    },
    240_000,
  );
});

describe('from a text on the console on', () => {
  const machineOf = (client: string) =>
    Machine.create({
      kernel: SERAI,
      symbols: readFileSync(SERAI_MAP, 'utf8'),
      memoryBytes: 64 * MiB,
      lockstep: { paced: false },
      clients: [client],
    });

  it('it looks, and not before', async () => {
    await using machine = await machineOf('shadow:from=serai> ');
    expect(machine.stats().clients).toBeUndefined();
    const run = machine.run();
    await machine.console.until('serai> ', { timeoutMs: 120_000 });
    while (machine.stats().clients === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
    await machine.console.type('bug use-after-free\n');
    await machine.console.until(/\nserai> /, { timeoutMs: 120_000 });
    machine.stop('enough');
    await run;
    const { mistakes } = machine.stats().clients!.shadow as ShadowReport;
    expect(mistakes.map(({ kind }) => kind)).toEqual(['use-after-free']);
  }, 120_000);

  it('the run ends where it cannot', async () => {
    await using machine = await machineOf('shadow:allocator=linux,from=serai> ');
    await expect(machine.run()).rejects.toThrow("the kernel has no symbol '__kmalloc'");
    await expect(machine.attach('shadow:from=serai> ')).rejects.toThrow('from, of the client shadow, is for a client of Machine.create');
  }, 120_000);
});

it('refuses what it cannot do', async () => {
  const refused = (client: string) => expect(Machine.create({ kernel: SERAI, clients: [client] })).rejects;
  await refused('shadow').toThrow("the kernel has no symbol 'heap_allocate'");
  await refused('shadow:allocator=slob').toThrow("there is no allocator 'slob'; there are serai");
  await refused('shadow:allocator=linux,smallest=8').toThrow('smallest is known of the allocator linux');
  await refused('shadow:allocate=0xc0101000,free=0xc0101100:0').toThrow("'0xc0101000' is no function of an allocator");
});
