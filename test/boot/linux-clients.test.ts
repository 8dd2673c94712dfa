// The clients shadow and races on Debian's Linux, with a module that has planted mistakes (guests/mistakes): each is found, with its stacks by the names of the kernel's and the module's functions; the same
// work without the mistake, and what the kernel does else, is none.
// Cannot prove: that they find what there is. A freed object that was given again is a new one, and races are looked for by samples.
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cpio } from '../../guests/cpio.ts';
import { guestOrSkip, READY } from '../../guests/linux.ts';
import { mistakesOrSkip } from '../../guests/mistakes/build.ts';
import { type AttachedClient, Machine, type MachineOptions, MiB, type RunResult } from '../../src/api/index.ts';
import type { RacesReport } from '../../src/clients/races.ts';
import type { ShadowReport } from '../../src/clients/shadow.ts';
import { GuestConsole } from './console.ts';

const { guest, reason } = await guestOrSkip();
const { module, reason: noModule } = guest === undefined ? { module: undefined, reason } : await mistakesOrSkip(guest.version);
const LONG = process.env.DRAGOMAN_LONG_TESTS === '1';
const BOOT_MS = 180_000;
const COMMAND_MS = 120_000;

const ENTRIES = [{ path: 'lib/modules/mistakes.ko', data: module ?? Buffer.alloc(0), mode: 0o644 }];
const MAKE = '/sys/module/mistakes/parameters/make';
const MISTAKES = ['use-after-free', 'write-after-free', 'out-of-bounds', 'off-by-one', 'cache-use-after-free', 'double-free'];
/** What programs have a kernel do: files, processes, pipes, signals, sockets, mappings, names. */
const WORK = [
  'ls -lR /sys/devices/virtual/tty /proc/self /bin > /tmp/list; wc -l < /tmp/list',
  'for n in 1 2 3; do cat /proc/version | gzip | zcat | wc -c; done | sort -u',
  'mkdir -p /mnt/d; mount -t tmpfs none /mnt/d; cp /bin/stress /mnt/d/a_name_that_is_longer_than_what_a_dentry_has_room_for_itself; rm /mnt/d/*; umount /mnt/d',
  'ifconfig lo up; ping -c 1 127.0.0.1 | grep -c from; sleep 1 & kill $!',
  'echo 3 > /proc/sys/vm/drop_caches; cat /proc/slabinfo | wc -l',
];

class Guest {
  readonly machine: Machine;
  readonly terminal: GuestConsole;
  readonly #run: Promise<RunResult>;

  private constructor(machine: Machine, terminal: GuestConsole) {
    this.machine = machine;
    this.terminal = terminal;
    this.#run = machine.run();
    terminal.attach(machine, this.#run);
  }

  /** `early`: what is done when the kernel has begun to say something. At its prompt, with the module. */
  static async boot(options: Partial<MachineOptions>, early: (machine: Machine) => Promise<unknown> = async () => {}): Promise<Guest> {
    const terminal = new GuestConsole();
    const { kernel, initrd } = guest!;
    const machine = await Machine.create({
      kernel: readFileSync(kernel),
      initrd: Buffer.concat([readFileSync(initrd), gzipSync(cpio(ENTRIES))]),
      append: 'console=ttyS0',
      cpus: 2,
      memoryBytes: 128 * MiB,
      onConsole: terminal.onConsole,
      ...options,
    });
    const made = new Guest(machine, terminal);
    await terminal.waitFor('Linux version', BOOT_MS);
    await early(machine);
    await terminal.waitFor('~ # ', BOOT_MS, await terminal.waitFor(READY, BOOT_MS));
    await made.command('dmesg -n 1; insmod /lib/modules/mistakes.ko');
    return made;
  }

  command(line: string): Promise<string> {
    return this.terminal.command(line, COMMAND_MS);
  }
  async make(names: readonly string[]): Promise<void> {
    for (const name of names) expect(await this.command(`echo '${name}' > ${MAKE}; echo $?`), name).toBe('0');
  }
  /** Does something with the machine standing still, so that names are known of what the kernel has loaded. */
  async still<T>(work: () => T): Promise<T> {
    await this.machine.pause();
    const result = work();
    this.machine.resume();
    return result;
  }
  async close(): Promise<void> {
    this.machine.stop('enough');
    await this.#run;
  }
}

/** Names of functions, without addresses, and without where in them. */
const functions = (stack: readonly string[] | undefined) => stack?.map((line) => line.replace(/^\S+ /, '').replace(/\+0x[0-9a-f]+$/, ''));

/** What is planted: kind, access, bytes, where in an object of which size; the functions that did it, allocated and freed. */
const PLANTED = [
  [
    'use-after-free',
    'read',
    4,
    8,
    40,
    ['request_status', 'use_after_free'],
    ['request_create', 'use_after_free'],
    ['request_free', 'use_after_free'],
  ],
  [
    'use-after-free',
    'write',
    4,
    8,
    40,
    ['request_finish', 'write_after_free'],
    ['request_create', 'write_after_free'],
    ['request_free', 'write_after_free'],
  ],
  ['out-of-bounds', 'write', 1, 40, 40, ['request_fill', 'out_of_bounds'], ['request_create', 'out_of_bounds'], undefined],
  ['out-of-bounds', 'read', 1, 23, 23, ['name_last', 'off_by_one'], ['name_create', 'off_by_one'], undefined],
  [
    'use-after-free',
    'read',
    4,
    0,
    72,
    ['ticket_number', 'cache_use_after_free'],
    ['ticket_create', 'cache_use_after_free'],
    ['ticket_free', 'cache_use_after_free'],
  ],
  ['double-free', 'free', 0, 0, 72, ['ticket_free', 'double_free'], ['ticket_create', 'double_free'], ['ticket_free', 'double_free']],
];
const seen = ({ mistakes }: ShadowReport) =>
  mistakes.map(({ kind, access, bytes, stack, object }) => {
    const [used, allocated, freed] = [stack, object?.allocated, object?.freed].map((each) => functions(each)?.slice(0, 2));
    return [kind, access, bytes, object?.offset, object?.bytes, used, allocated, freed];
  });

async function shadowed(made: Guest, report: () => ShadowReport, more: readonly string[] = []): Promise<void> {
  await made.make(MISTAKES.map((name) => `${name} right`));
  for (const line of [...WORK, ...more]) await made.command(line);
  const before = await made.still(report);
  expect(before.mistakes).toEqual([]);
  expect(before.lost).toBe(0);
  expect(before.freed).toBeGreaterThan(1000);
  await made.make(MISTAKES);
  const after = await made.still(report);
  expect(seen(after)).toEqual(PLANTED);
  // Below the module is the kernel, down to where programs come in.
  expect(functions(after.mistakes[0]!.stack)).toEqual(expect.arrayContaining(['make_set', 'param_attr_store', 'ksys_write']));
  expect(await made.command("dmesg | grep -cE 'BUG|Oops|WARNING'")).toBe('0');
}

async function raced(made: Guest): Promise<void> {
  const [text, modules] = [await made.command('cat /sys/module/mistakes/sections/.text'), await made.command('cat /proc/modules')];
  const from = Number(text);
  const to = from + Number(/^mistakes (\d+)/m.exec(modules)![1]);
  const watch = `0x${from.toString(16)}-0x${to.toString(16)}`;
  const look = async (name: string, rounds: number, times: number): Promise<RacesReport> => {
    const races = await made.machine.attach(`races:every=100,watch=${watch}`);
    await made.command(`echo ${rounds} > /sys/module/mistakes/parameters/rounds`);
    // One of the two CPUs may be done before the host lets the other one begin.
    for (let n = 0; n < times && (n === 0 || (races.report() as RacesReport).races.length === 0); n++) await made.make([name]);
    const report = await made.still(() => races.report() as RacesReport);
    await races.detach();
    return report;
  };
  const right = await look('race right', 1000, 1);
  expect(right.lines).toEqual([]);
  expect(right.windows).toBeGreaterThan(10);
  const wrong = await look('race', 8000, 10);
  expect(wrong.races.length).toBeGreaterThan(0);
  for (const { sides } of wrong.races) expect(functions(sides.map(({ symbol }) => `- ${symbol}`))).toEqual(['count_plain', 'count_plain']);
}

describe.skipIf(module === undefined)(`on Debian's Linux${noModule === '' ? '' : ` (skipped: ${noModule})`}`, () => {
  let made: Guest | undefined;
  beforeAll(async () => {
    made = await Guest.boot({});
  }, BOOT_MS);
  afterAll(() => made?.close());

  it('shadow finds what is planted, and nothing else', { timeout: 5 * COMMAND_MS }, async () => {
    const shadow = await made!.machine.attach('shadow:allocator=linux');
    await shadowed(made!, () => shadow.report() as ShadowReport);
    await shadow.detach();
  });

  it('races finds the race of the module, and none where it has a lock', { timeout: 5 * COMMAND_MS }, () => raced(made!));
});

describe.skipIf(module === undefined || !LONG)('from when Linux has begun', () => {
  it.each<[string, Partial<MachineOptions>, string[]]>([
    ['threads', {}, ['ls -lR /sys | wc -l', 'stress 1 2 | tail -1']],
    // Its seconds are long ones.
    ['lockstep', { lockstep: { paced: false, seed: 3 } }, []],
  ])('on %s shadow and races find what is planted, and nothing else', { timeout: 4 * BOOT_MS }, async (_name, options, more) => {
    let shadow: AttachedClient | undefined;
    const made = await Guest.boot(options, async (machine) => {
      shadow = await machine.attach('shadow:allocator=linux');
    });
    try {
      await shadowed(made, () => shadow!.report() as ShadowReport, more);
      await shadow!.detach();
      await raced(made);
    } finally {
      await made.close();
    }
  });
});
