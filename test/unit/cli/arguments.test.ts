// The words of the command line: what they mean, and that every wrong one is named.
import { describe, expect, it } from 'vitest';
import { MOST_CPUS } from '../../../src/api/options.ts';
import { parseCommand } from '../../../src/cli/arguments.ts';
import { EscapeFilter } from '../../../src/cli/terminal.ts';
import { RUN } from '../../../src/cli/usage.ts';
import { largestMemory } from '../../../src/layout/memory.ts';
import { expectError } from '../loaders/images.ts';

const MiB = 1024 * 1024;
const run = (...args: string[]) => {
  const command = parseCommand(['run', ...args]);
  if (command.name !== 'run') throw new Error('not a run');
  return command.arguments;
};

describe('dragoman run', () => {
  it('has defaults', () => {
    expect(run('k')).toMatchObject({
      kernel: 'k',
      append: '',
      cpus: 1,
      memoryBytes: 256 * MiB,
      engine: 'jit',
      encoder: 'binaryen',
      modules: [],
      disks: [],
    });
    expect(run('k')).toMatchObject({ net: 'none', virtioConsole: undefined });
  });

  it('takes clients, each once, and leaves their words to the machine', () => {
    expect(run('k').clients).toEqual([]);
    expect(run('k', '--client', 'prof:from=a,,b,until=c: d').clients).toEqual(['prof:from=a,,b,until=c: d']);
    expectError(
      () => run('k', '--client', 'heap'),
      'BAD_OPTION',
      /--client: there is no client 'heap'; there are prof, inscount.*, and a path is one of your own$/,
    );
    expectError(
      () => run('k', '--client', 'prof:to=x'),
      'BAD_OPTION',
      /--client: the client prof has no option 'to'; there are from, until$/,
    );
    expectError(() => run('k', '--client', 'prof', '--client', 'prof'), 'BAD_OPTION', /--client: the client prof is there twice$/);
  });

  it('lets gdb attach, and waits for it only where it can', () => {
    expect(run('k')).toMatchObject({ gdb: undefined, gdbWait: false });
    expect(run('k', '--gdb', '0', '--gdb-wait')).toMatchObject({ gdb: 0, gdbWait: true });
    expectError(() => run('k', '--gdb-wait'), 'BAD_OPTION', /--gdb-wait: waits for gdb: give it a port by --gdb$/);
  });

  it('takes folders to share, each by its own tag', () => {
    expect(run('k').shares).toEqual([]);
    expect(
      run(...'k --share a --share b/c,ro,tag=src --share d,tag=out,ro --share e,,ro,tag=x --share f,,tag=y,tag=z'.split(' ')).shares,
    ).toEqual([
      { path: 'a', readOnly: false, tag: 'share' },
      { path: 'b/c', readOnly: true, tag: 'src' },
      { path: 'd', readOnly: true, tag: 'out' },
      { path: 'e,ro', readOnly: false, tag: 'x' },
      { path: 'f,tag=y', readOnly: false, tag: 'z' },
    ]);
    expectError(
      () => run(...'k --share a --share b'.split(' ')),
      'BAD_OPTION',
      /--share: the tag 'share' is there twice: each share needs its own$/,
    );
    expectError(
      () => run('k', ...Array.from({ length: 9 }, (_, n) => ['--share', `a,tag=${n}`]).flat()),
      'BAD_OPTION',
      /--share: 9 are too many: at most 8$/,
    );
  });

  it('takes every option', () => {
    const args = run(
      ...'k --append=a --cpus 1 --memory 1G --disk a --disk b,ro --engine interpreter --encoder direct --module x --module y'.split(' '),
    );
    expect(args).toMatchObject({ append: 'a', memoryBytes: 1024 * MiB, engine: 'interpreter', encoder: 'direct', modules: ['x', 'y'] });
    expect(args.disks).toEqual([
      { path: 'a', readOnly: false, snapshot: false },
      { path: 'b', readOnly: true, snapshot: false },
    ]);
    expect(run(...'k --net loopback --virtio-console v'.split(' '))).toMatchObject({ net: 'loopback', virtioConsole: 'v' });
    expect(run(...'k --net user'.split(' ')).net).toEqual({ forward: [], restrict: false });
    expect(run('k', '--net', 'user,hostfwd=tcp:127.0.0.1:8080-:80,restrict,hostfwd=tcp::0x16-10.0.2.15:22').net).toEqual({
      forward: [
        { hostPort: 8080, guestPort: 80 },
        { hostPort: 22, guestPort: 22 },
      ],
      restrict: true,
    });
    expect(run('k', '--net', 'user,restrict=off').net).toEqual({ forward: [], restrict: false });
    expect(run(...'k --net none --virtio-console - --timer-slack 0'.split(' '))).toMatchObject({
      net: 'none',
      virtioConsole: '-',
      timerSlackMs: 0,
    });
    const more = run(
      ...'--bios r --debug-exit 0xf4 --test-device --debugcon - --post p --until t --timeout 2.5 --stats s --trace u'.split(' '),
    );
    expect(more).toMatchObject({
      bios: 'r',
      debugExitPort: 0xf4,
      testDevice: true,
      debugcon: '-',
      post: 'p',
      until: 't',
      timeoutSeconds: 2.5,
      stats: 's',
      trace: { path: 'u', filter: undefined },
    });
  });

  it.each([
    ['t,cpu=1', { path: 't', filter: { cpus: [1] } }],
    ['t,cpu=2-4,cpu=0', { path: 't', filter: { cpus: [2, 3, 4, 0] } }],
    ['a,,b,names,count=0x10', { path: 'a,b', filter: { names: true, count: 16 } }],
    [
      '-,address=do_idle,address=0xc0100000-0xc01fffff',
      { path: '-', filter: { addresses: ['do_idle', { from: 0xc0100000, to: 0xc01fffff }] } },
    ],
    ['t,address=a-4096', { path: 't', filter: { addresses: [{ from: 'a', to: 4096 }] } }],
    ['t,only=exceptions,only=interrupts', { path: 't', filter: { only: ['exceptions', 'interrupts'] } }],
    ['t,from=~ # ', { path: 't', filter: { from: '~ # ' } }],
    ['t,from=a,,b=c', { path: 't', filter: { from: 'a,b=c' } }],
    ['t,from=1000', { path: 't', filter: { from: 1000 } }],
  ])('reads --trace %s', (text, choice) => {
    expect(run('k', '--trace', text).trace).toEqual(choice);
  });

  it.each([
    [',cpu=1', "',cpu=1' names no file"],
    ['t,cpus=1', "a trace has no option 'cpus'; is 'cpu' meant? (a comma of the file's name stands twice)"],
    ['t,b', "a trace has no option 'b'; there are cpu, address, only, from, count, names (a comma of the file's name stands twice)"],
    ['t,', "a trace has no option ''; there are cpu, address, only, from, count, names (a comma of the file's name stands twice)"],
    ['t,cpu', "'cpu': cpu needs a value, as in cpu=..."],
    ['t,cpu=', "'cpu=': cpu needs a value, as in cpu=..."],
    ['t,cpu=a', "'a' is not the number of a CPU (0 to 255)"],
    ['t,cpu=3-1', "'3-1': 1 comes before 3"],
    ['t,cpu=1-x', "'x' is not the number of a CPU (0 to 255)"],
    ['t,address=c0100000', "'c0100000' is neither an address nor a name; is 0xc0100000 meant?"],
    ['t,address=0x100000-c0100000', "'c0100000' is neither an address nor a name; is 0xc0100000 meant?"],
    ['t,address=0x100000000', "'0x100000000' is not a 32-bit address such as 0x100000"],
    ['t,address=1-2-3', "'1-2-3' is not an address, a name, or two of them as in A-B"],
    ['t,address=0x10-', "'' is neither an address such as 0x100000 nor a name"],
    ['t,address=5x', "'5x' is neither an address such as 0x100000 nor a name"],
    ['t,only=faults', "'faults' is not one of 'blocks' and 'exceptions' and 'interrupts'"],
    ['t,only=exception', "'exception' is not one of 'blocks' and 'exceptions' and 'interrupts'; is 'exceptions' meant?"],
    ['t,from=0', "'0' is not a number of instructions (1 or more)"],
    ['t,from=a,from=b', 'from is given twice'],
    ['t,count=0', "'0' is not a number of lines (1 or more)"],
    ['t,count=1,count=2', 'count is given twice'],
    ['t,names=1', "'names=1': names takes no value"],
    [`t${',address=1'.repeat(17)}`, '17 addresses are too many: at most 16'],
  ])('refuses --trace %s', (text, message) => {
    expect(() => run('k', '--trace', text)).toThrow(`--trace: ${message}`);
  });

  it('gives an option the next word as its value, whatever that begins with', () => {
    expect(run('k', '--append', '--verbose -x', '--until', '-x')).toMatchObject({ append: '--verbose -x', until: '-x' });
    expect(run('--initrd', '--', '--', '-k')).toMatchObject({ kernel: '-k', initrd: '--' });
    expect(run('k', '--append=--until', '--until=--append=')).toMatchObject({ append: '--until', until: '--append=' });
  });

  it.each([
    ['d', { path: 'd' }],
    ['d,ro', { path: 'd', readOnly: true }],
    ['d,,ro', { path: 'd,ro' }],
    ['d,,ro,ro', { path: 'd,ro', readOnly: true }],
    ['d,,,ro', { path: 'd,,ro' }],
    ['a,b,ro.img', { path: 'a,b,ro.img' }],
    ['d,snapshot', { path: 'd', snapshot: true }],
    ['d,,snapshot', { path: 'd,snapshot' }],
    ['d,,snapshot,snapshot', { path: 'd,snapshot', snapshot: true }],
    ['d,,ro,snapshot', { path: 'd,ro', snapshot: true }],
    ['d,snapshot,ro', { path: 'd', readOnly: true, snapshot: true }],
    ['d,ro,snapshot', { path: 'd', readOnly: true, snapshot: true }],
    ['d,format=raw', { path: 'd', format: 'raw' }],
    ['d,snapshot,format=raw,ro', { path: 'd', readOnly: true, snapshot: true, format: 'raw' }],
    ['d,,format=raw', { path: 'd,format=raw' }],
    ['d,,format=qcow2', { path: 'd,format=qcow2' }],
    ['d,snapshots', { path: 'd,snapshots' }],
    ['d,format=', { path: 'd,format=' }],
  ])('knows the name in --disk %s', (text, disk) =>
    expect(run('k', '--disk', text).disks).toEqual([{ readOnly: false, snapshot: false, ...disk }]),
  );

  it.each([
    ['64', 64],
    ['64M', 64],
    ['64MiB', 64],
    ['0.5g', 512],
    ['65536K', 64],
    ['1.5G', 1536],
  ])('understands --memory %s', (text, size) => expect(run('k', '--memory', text).memoryBytes).toBe(size * MiB));

  it.each(['', 'x', '1X', '-5M', '1M', '3G', '1e3', '2097153K', '0', '99999999999999999999', '268435456', '3000.1K'])(
    'refuses --memory %j',
    (text) => {
      expectError(() => run('k', `--memory=${text}`), 'BAD_OPTION', /--memory/);
    },
  );

  it('takes as much memory as there is beside the CPUs', () => {
    for (const cpus of [1, 2, 64]) {
      const most = largestMemory(cpus);
      const size = (bytes: number) => ['k', '--cpus', `${cpus}`, '--memory', `${bytes / 1024}K`];
      expect(run(...size(most)).memoryBytes).toBe(most);
      const range = `2M to ${Math.floor(most / MiB)}M with ${cpus} CPU`;
      const text = new RegExp(`--memory: '${most / 1024 + 64}K' is not a size of memory \\(${range}`);
      expectError(() => run(...size(most + 65536)), 'BAD_OPTION', text);
    }
  });

  it('says in its help how much that is', () => {
    const [one, all] = [1, MOST_CPUS].map((cpus) => Math.floor(largestMemory(cpus) / MiB));
    expect(RUN).toContain(`2M to ${one}M, less with many CPUs (${MOST_CPUS}: ${all}M)`);
  });

  it('takes 1 to 64 CPUs', () => {
    expect(run('k', '--cpus', '64').cpus).toBe(64);
    expectError(() => run('k', '--cpus', '65'), 'BAD_OPTION', /--cpus: '65' is not a number of CPUs \(1 to 64\)/);
  });

  const wrong: [string, RegExp][] = [
    ['', /give a KERNEL/],
    ['a b', /what is 'b'/],
    ['k --bios r', /instead of a KERNEL/],
    ['--bios r --initrd i', /--initrd: is for a KERNEL/],
    ['--bios r --append a', /--append/],
    ['--bios r --module a', /--module/],
    ['k --bogus', /unknown option '--bogus'/],
    ['k -z', /unknown option '-z'/],
    ['k --memory', /^--memory: a value is missing$/],
    ['k --append', /^--append: a value is missing$/],
    ['k --memory -5', /^--memory: '-5' is not a size of memory .*without a unit counts MiB$/],
    ['k --initrd --append x', /^--initrd: a value is missing before '--append' .*'--initrd=--append'/],
    ['k --append --until=x', /^--append: a value is missing before '--until=x' .*'--append=--until=x'/],
    ['k --until -h', /^--until: a value is missing before '-h'/],
    ['k --lockstep=1', /^--lockstep: takes no value, and '1' is given$/],
    ['k --memroy 5', /^unknown option '--memroy'; is '--memory' meant\?$/],
    ['k --mem 5', /^unknown option '--mem'; is '--memory' meant\?$/],
    ['k --re 5', /^unknown option '--re'$/],
    ['k --constructor x', /^unknown option '--constructor'$/],
    ['k --cpu=2', /^unknown option '--cpu'; is '--cpus' meant\?$/],
    ['k --initrd=', /--initrd: the value is empty/],
    ['k --memory 64M --memory 32M', /given more than once/],
    ['k --cpus 0', /--cpus/],
    ['k --cpus many', /--cpus/],
    ['k --disk ,ro', /--disk: ',ro' names no file/],
    ['k --disk ,snapshot,ro', /--disk: ',snapshot,ro' names no file/],
    ['k --disk d,format=qcow2', /--disk: 'd,format=qcow2': there is no format but raw .*qemu-img convert/],
    ['k --disk d,format=qcow2,ro', /--disk: 'd,format=qcow2,ro': there is no format but raw/],
    [`k${' --disk d'.repeat(9)}`, /--disk: 9 are too many: at most 8/],
    ['k --engine fast', /--engine: 'fast' is not one of 'jit' and 'interpreter'$/],
    ['k --encoder wabt', /--encoder: 'wabt' is not one of 'binaryen' and 'direct'$/],
    ['k --engine JIT', /--engine: 'JIT' is not one of .*; is 'jit' meant\?$/],
    ['k --net', /--net/],
    ['k --net=', /--net: the value is empty/],
    ['k --net tap', /--net: 'tap' is not one of 'none' and 'loopback' and 'user'/],
    ['k --net user,', /--net: 'user,': user has no option ''; there are hostfwd and restrict/],
    ['k --net user,hostfw=x', /user has no option 'hostfw'; is 'hostfwd' meant\?$/],
    ['k --net loopback,restrict', /--net: 'loopback,restrict': loopback has no options$/],
    ['k --net user,restrict=yes', /restrict is on or off, not 'yes'$/],
    ['k --net user,restrict,restrict=off', /restrict is given more than once$/],
    ['k --net user,hostfwd', /hostfwd is like tcp:127.0.0.1:8080-:80/],
    ['k --net user,hostfwd=8080-:80', /hostfwd is like tcp:127.0.0.1:8080-:80/],
    ['k --net user,hostfwd=udp::53-:53', /not supported: hostfwd of 'udp'; there is tcp$/],
    ['k --net user,hostfwd=tcp:0.0.0.0:80-:80', /not supported: a port of 0.0.0.0; ports are opened on 127.0.0.1 alone/],
    ['k --net user,hostfwd=tcp:192.168.1.1:80-:80', /not supported: a port of 192.168.1.1;/],
    ['k --net user,hostfwd=tcp:localhost:80-:80', /not supported: a port of localhost;/],
    ['k --net user,hostfwd=tcp::80-10.0.2.16:80', /not supported: a port of 10.0.2.16; the guest is 10.0.2.15$/],
    ['k --net user,hostfwd=tcp::0-:80', /'0' is not a port/],
    ['k --net user,hostfwd=tcp::65536-:80', /'65536' is not a port/],
    ['k --net user,hostfwd=tcp::80-:', /'' is not a port/],
    ['k --net user,hostfwd=tcp::80-:8o', /'8o' is not a port/],
    ['k --net user,hostfwd=tcp::80-:1,hostfwd=tcp::80-:2', /port 80 is forwarded twice/],
    [`k --net user${Array.from({ length: 65 }, (_, n) => `,hostfwd=tcp::${n + 1}-:1`).join('')}`, /65 forwards are too many: at most 64/],
    ['k --net Loopback', /--net: 'Loopback' is not one of .*; is 'loopback' meant\?$/],
    ['k --net none --net loopback', /--net: given more than once/],
    ['k --virtio-console', /--virtio-console/],
    ['k --virtio-console=', /--virtio-console: the value is empty/],
    ['k --debug-exit 0x10000', /--debug-exit/],
    ['k --debug-exit f4', /--debug-exit/],
    ['k --timer-slack -1', /--timer-slack/],
    ['k --timer-slack 1001', /--timer-slack: '1001' is not a number of milliseconds/],
    ['k --timeout 0', /--timeout/],
    ['k --timeout -1', /--timeout/],
    ['k --timeout soon', /--timeout/],
    ['k --timeout 1e9', /--timeout/],
    ['k --until=', /--until: the value is empty/],
    ['k --help=1', /--help/],
  ];
  it.each(wrong)('refuses: run %s', (line, text) => expectError(() => run(...line.split(' ').filter(Boolean)), 'BAD_OPTION', text));
});

describe('other commands', () => {
  it('are known', () => {
    expect(parseCommand(['--help'])).toEqual({ name: 'help', of: 'general' });
    expect(parseCommand(['run', 'k', '--help'])).toEqual({ name: 'help', of: 'run' });
    expect(parseCommand(['--version'])).toEqual({ name: 'version' });
    expect(parseCommand(['disasm', 'k', '0x100000'])).toEqual({ name: 'disasm', arguments: { kernel: 'k', place: 0x100000, bits: 32 } });
    expect(parseCommand(['disasm', 'k', '--at', 'a-0x20', '--16'])).toEqual({
      name: 'disasm',
      arguments: { kernel: 'k', place: 'a', to: 0x20, bits: 16 },
    });
  });

  it.each([
    [[]],
    [['walk']],
    [['--walk']],
    [['disasm']],
    [['disasm', 'k']],
    [['disasm', 'k', 'c0100000']],
    [['disasm', 'k', '0x100000000']],
  ])('refuses %j', (args) => expectError(() => parseCommand(args), 'BAD_OPTION', /./));

  it('are guessed where they are misspelt', () => {
    expectError(() => parseCommand(['rnu']), 'BAD_OPTION', /^unknown command 'rnu'; is 'run' meant\?$/);
    expectError(() => parseCommand(['--hlep']), 'BAD_OPTION', /^unknown option '--hlep'; is '--help' meant\?$/);
    expectError(() => parseCommand(['walk']), 'BAD_OPTION', /^unknown command 'walk'$/);
  });
});

describe('keys in a terminal', () => {
  const type = (...chunks: string[]) => {
    const seen: string[] = [];
    const filter = new EscapeFilter({
      input: (bytes) => void seen.push(Buffer.from(bytes).toString()),
      quit: () => seen.push('QUIT'),
      help: () => seen.push('HELP'),
      state: () => seen.push('STATE'),
      pause: () => seen.push('PAUSE'),
      reset: () => seen.push('RESET'),
      save: () => seen.push('SAVE'),
    });
    for (const chunk of chunks) filter.push(Buffer.from(chunk));
    return seen;
  };

  it("are the guest's but for Ctrl-A", () => {
    expect(type('ls\r\x03')).toEqual(['ls\r\x03']);
    expect(type('\x01x')).toEqual(['QUIT']);
    expect(type('s\x01s')).toEqual(['SAVE', 's']);
    expect(type('a\x01', 'h', 'b')).toEqual(['a', 'HELP', 'b']);
    expect(type('\x01i\x01P', 'ipr', '\x01r')).toEqual(['STATE', 'PAUSE', 'ipr', 'RESET']);
    expect(type('\x01\x01', '\x01a', '\x01zq')).toEqual(['\x01', '\x01', 'q']);
  });
});
