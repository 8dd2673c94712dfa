// The options of `dragoman run`, a line each: its name, what stands for its value in the help, the kind of that, the help. What parseArgs is told, how
// words become RunArguments, and the text of --help follow from the lines.
import { CLIENTS } from '../api/client-names.ts';
import { CLIENT, checkClients } from '../api/clients.ts';
import type { FileDisk } from '../api/disks.ts';
import { parseDecimal, type Readable, refuse, word } from '../api/kind.ts';
import { DEFAULT_ENCODER, DEFAULT_MEMORY, type EncoderName, type EngineName, MiB, MOST_CPUS, MOST_DISKS } from '../api/options.ts';
import { DEFAULT_MODE, type Mode, RELAXATIONS, type RelaxTerm } from '../api/relax.ts';
import {
  CPUS,
  ENCODER,
  ENGINE,
  FOLDER,
  MAX_REGIONS,
  MODE,
  memoryBeside,
  PATH,
  PORT,
  RELAX,
  SEED,
  TCP_PORT,
  TEXT,
  TIMER_SLACK,
} from '../api/schema.ts';
import { checkTags, DEFAULT_TAG, isTag, MOST_SHARES, type ShareOptions, TAG } from '../api/shares.ts';
import { largestMemory, SMALLEST_REGIONS } from '../layout/memory.ts';
import { NET, type NetChoice } from './net.ts';
import { TRACE, type TraceChoice } from './trace.ts';

/** What the options say; paths are as they were given. */
export interface RunFlags {
  readonly initrd: string | undefined;
  readonly append: string;
  readonly modules: readonly string[];
  readonly bios: string | undefined;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly disks: readonly FileDisk[];
  readonly shares: readonly ShareOptions[];
  readonly net: NetChoice;
  readonly virtioConsole: string | undefined;
  readonly engine: EngineName;
  readonly encoder: EncoderName;
  readonly maxRegions: number | undefined;
  /** 'off', or a folder; undefined: the user's. */
  readonly codeCache: string | undefined;
  readonly mode: Mode;
  readonly relax: readonly RelaxTerm[] | undefined;
  readonly lockstep: boolean;
  readonly seed: number | undefined;
  readonly record: string | undefined;
  readonly replay: string | undefined;
  readonly reverse: boolean;
  /** undefined: as the host wants it. */
  readonly strictOrder: boolean | undefined;
  readonly save: string | undefined;
  readonly saveAt: string | undefined;
  readonly restore: string | undefined;
  readonly base: string | undefined;
  readonly timerSlackMs: number | undefined;
  readonly debugExitPort: number | undefined;
  readonly testDevice: boolean;
  readonly debugcon: string | undefined;
  readonly post: string | undefined;
  readonly until: string | undefined;
  readonly timeoutSeconds: number | undefined;
  readonly stats: string | undefined;
  readonly clients: readonly string[];
  readonly trace: TraceChoice | undefined;
  readonly perfMap: boolean;
  readonly symbols: string | undefined;
  readonly gdb: number | undefined;
  readonly gdbWait: boolean;
}

export interface Flag<T> {
  /** Without its dashes. */
  readonly name: string;
  /** What stands for its value in the help; undefined: it has none. */
  readonly value: string | undefined;
  readonly many: boolean;
  /** May be an empty text. */
  readonly mayBeEmpty: boolean;
  /** `words`: the values that were given. `before`: what the lines above said. */
  readonly read: (words: readonly string[], before: RunFlags) => T;
  readonly help: string;
}

type KindOf<T> = Readable<T> | ((before: RunFlags) => Readable<T>);

/** An option with a value; `otherwise` where it is not given. */
function one<T, D>(name: string, value: string, kind: KindOf<T>, otherwise: D, help: string): Flag<T | D> {
  const read = ([text]: readonly string[], before: RunFlags) =>
    text === undefined ? otherwise : (typeof kind === 'function' ? kind(before) : kind).read(text, `--${name}`);
  return { name, value, many: false, mayBeEmpty: name === 'append', read, help };
}
/** One that may be given several times, up to `most`. */
function many<T>(name: string, value: string, kind: Readable<T>, help: string, most = Number.POSITIVE_INFINITY): Flag<readonly T[]> {
  const read = (words: readonly string[]) => {
    if (words.length > most) refuse(`--${name}`, `${words.length} are too many: at most ${most}`);
    return words.map((text) => kind.read(text, `--${name}`));
  };
  return { name, value, many: true, mayBeEmpty: false, read, help: `${help}; may be given several times` };
}
/** One without a value. */
function there<D>(name: string, otherwise: D, help: string): Flag<true | D> {
  return { name, value: undefined, many: false, mayBeEmpty: false, read: ([text]) => (text === undefined ? otherwise : true), help };
}

/** 'FILE' and what follows it of ',ro', ',snapshot' and ',format=raw'; a file whose own name ends in one of them has its comma twice there. */
const DISK: Readable<FileDisk> = {
  read(text, name) {
    const given = new Set<string>();
    let path = text;
    for (let found = DISK_WORD.exec(path); found !== null; found = DISK_WORD.exec(path)) {
      given.add(found[1]!);
      path = path.slice(0, found.index);
    }
    path = path.replace(/,(,(?:ro|snapshot|format=\w+))$/, '$1');
    if (path === '') refuse(name, `'${text}' names no file`);
    for (const word of given)
      if (word.startsWith('format=') && word !== RAW)
        refuse(name, `'${text}': there is no format but raw (make a raw image: qemu-img convert -O raw)`);
    return { path, readOnly: given.has('ro'), snapshot: given.has('snapshot'), ...(given.has(RAW) ? { format: 'raw' } : {}) };
  },
};
const DISK_WORD = /(?<!,),(ro|snapshot|format=\w+)$/;
const RAW = 'format=raw';
/** 'DIR' and what follows it of ',ro' and ',tag=TAG'; a folder whose own name ends in one of them has its comma twice there. */
const SHARE: Readable<ShareOptions> = {
  read(text, name) {
    const given = new Map<string, string>();
    let path = text;
    for (let found = SHARE_WORD.exec(path); found !== null; found = SHARE_WORD.exec(path)) {
      const [word, value] = found[1] === 'ro' ? ['ro', ''] : ['tag', found[2]!];
      if (given.has(word!)) refuse(name, `'${text}': ${word} is given more than once`);
      if (word === 'tag' && !isTag(value)) refuse(name, `'${text}': '${value}' is not ${TAG.what}`);
      given.set(word!, value!);
      path = path.slice(0, found.index);
    }
    path = path.replace(/,(,(?:ro|tag=[^,]*))$/, '$1');
    if (path === '') refuse(name, `'${text}' names no folder`);
    return { path, readOnly: given.has('ro'), tag: given.get('tag') ?? DEFAULT_TAG };
  },
};
const SHARE_WORD = /(?<!,),(ro|tag=([^,]*))$/;
/** Each has its own tag. */
const readShares = (words: readonly string[]): readonly ShareOptions[] => {
  if (words.length > MOST_SHARES) refuse('--share', `${words.length} are too many: at most ${MOST_SHARES}`);
  const shares = words.map((text) => SHARE.read(text, '--share'));
  checkTags(shares, '--share');
  return shares;
};
const MOST_SECONDS = 2_000_000;
const SECONDS = word<number>(
  `a number of seconds (up to ${MOST_SECONDS})`,
  (value) => Number(value) > 0 && Number(value) <= MOST_SECONDS,
  parseDecimal,
);

const most = (cpus: number) => Math.floor(largestMemory(cpus) / MiB);
const MEMORY_HELP = `guest memory, 2M to ${most(1)}M, less with many CPUs (${MOST_CPUS}: ${most(MOST_CPUS)}M): a number with K, M or G; M where none is given (${DEFAULT_MEMORY / MiB}M)`;
const CONSOLE_HELP = `virtio console (Linux's /dev/hvc0): write what the guest sends there to FILE`;
const STRICT_HELP = 'memory accesses in the order of x86 whatever the host is (the default with several CPUs on a host that is no x86)';
const RELAX_HELP = `what code of kernels relies on, names with commas: ${Object.keys(RELAXATIONS).join(', ')}, -NAME for all of the mode but that, all, off (default: what the mode has; see docs/relaxations.md)`;
const MODE_HELP =
  'relaxed (default): code of kernels relies on what kernels never do; transparent: on nothing that a guest could see; classic: on nothing, as such translators were built before, to compare with';
const MAX_REGIONS_HELP = `translations that there may be at once, ${SMALLEST_REGIONS} at the least: when there are as many, all are dropped (default: as many as there is room for)`;
const CACHE_HELP = `where translated code is kept for later runs, or off (the default: dragoman in the user's folder for caches, or what DRAGOMAN_CODE_CACHE says)`;
const SLACK_HELP = `how late an idle guest's timer may be, so that it wakes the host less often (50; with more than two CPUs 25 for each, 200 at the most; 0: never late)`;
const NET_HELP =
  "network card: none (default); loopback, which sends each frame back to the guest; or user[,restrict][,hostfwd=tcp:127.0.0.1:PORT-:PORT]..., this machine's network as in QEMU, with ports of this machine that lead to the guest's (docs/network.md)";
const EXIT_HELP = `a write of V to this I/O port, or the three behind it (QEMU's isa-debug-exit with iosize=4), ends the run with exit status V * 2 + 1`;
const GDB_HELP =
  'lets gdb attach at this TCP port of 127.0.0.1 (0: one that is free, which standard error tells): "target remote :PORT" (see docs/debugging.md)';

const SHARE_HELP = `a folder that the guest mounts: mount -t 9p -o trans=virtio,version=9p2000.L ${DEFAULT_TAG} /mnt; ',ro': nothing in it can be changed; ',tag=TAG' instead of ${DEFAULT_TAG} (docs/shares.md; ',,ro' and so on: the name ends so)`;
const CLIENT_HELP = `what looks at how the guest runs: ${Object.keys(CLIENTS).join(', ')}; prof counts ways between pieces of code for --stats, prof:from=TEXT,until=TEXT those between two texts on the console; flame:file=FILE,format=FORMAT samples the guest's stacks, for speedscope, pprof or (folded) flamegraph.pl (see docs/clients.md)`;
/** They are the machine's to read: here only whether it can. */
const readClients = (words: readonly string[]) => {
  checkClients(
    words.map((text) => CLIENT.read(text, '--client')),
    '--client',
  );
  return words;
};

export const RUN_FLAGS: { readonly [K in keyof RunFlags]: Flag<RunFlags[K]> } = {
  initrd: one('initrd', 'FILE', PATH, undefined, 'initial RAM disk (Linux)'),
  append: one('append', 'TEXT', TEXT, '', 'command line of the kernel'),
  modules: many('module', 'FILE', PATH, 'module (multiboot)'),
  bios: one('bios', 'ROM', PATH, undefined, 'ROM image of 64 KiB to 1 MiB, started at the reset vector instead of a kernel'),
  cpus: one('cpus', 'N', CPUS, 1, `number of CPUs, 1 to ${MOST_CPUS}, each on a thread of its own (default: 1)`),
  memoryBytes: one('memory', 'SIZE', ({ cpus }) => memoryBeside(cpus), DEFAULT_MEMORY, MEMORY_HELP),
  disks: many(
    'disk',
    'FILE[,ro][,snapshot]',
    DISK,
    "raw disk image as the next virtio disk; ',ro' for read-only; ',snapshot': what the guest writes is gone at the end; ',format=raw': whatever it looks like (',,ro' and so on: the name ends so)",
    MOST_DISKS,
  ),
  shares: { ...many('share', 'DIR[,ro][,tag=TAG]', SHARE, SHARE_HELP), read: readShares },
  net: one('net', 'NAME', NET, 'none', NET_HELP),
  virtioConsole: one('virtio-console', 'FILE', PATH, undefined, CONSOLE_HELP),
  engine: one('engine', 'NAME', ENGINE, 'jit', 'jit (default) or interpreter'),
  encoder: one(
    'encoder',
    'NAME',
    ENCODER,
    DEFAULT_ENCODER,
    "what writes the JIT's WebAssembly: binaryen (default), or direct, a writer of our own",
  ),
  maxRegions: one('max-regions', 'N', MAX_REGIONS, undefined, MAX_REGIONS_HELP),
  codeCache: one('code-cache', 'DIR', FOLDER, undefined, CACHE_HELP),
  mode: one('mode', 'NAME', MODE, DEFAULT_MODE, MODE_HELP),
  relax: one('relax', 'LIST', RELAX, undefined, RELAX_HELP),
  lockstep: there('lockstep', false, "all CPUs in turn on one thread, in the guest's own time: the same run each time"),
  seed: one('seed', 'N', SEED, undefined, 'lockstep with another interleaving of the CPUs (0)'),
  record: one('record', 'FILE', PATH, undefined, 'lockstep; write the inputs of the run to FILE'),
  replay: one('replay', 'FILE', PATH, undefined, 'lockstep; the inputs of a recording come again, others are ignored'),
  reverse: there(
    'reverse',
    false,
    'lockstep that can go back, for gdb (reverse-step, reverse-continue): each instruction by itself, which is slow (see docs/debugging.md)',
  ),
  save: one(
    'save',
    'FILE',
    PATH,
    undefined,
    'write a snapshot of the machine to FILE at --save-at, or when Ctrl-A s is typed; the run goes on',
  ),
  saveAt: one(
    'save-at',
    'TEXT',
    TEXT,
    undefined,
    'save as soon as the console has printed TEXT (to end the run then: --until with the same TEXT)',
  ),
  restore: one(
    'restore',
    'FILE',
    PATH,
    undefined,
    'go on from a snapshot instead of starting a KERNEL; its disks must be given, as they were (see docs/snapshots.md)',
  ),
  base: one(
    'base',
    'FILE',
    PATH,
    undefined,
    'with --save: leave out what is as in the snapshot FILE of the same machine; with --restore: the FILE that was left out',
  ),
  strictOrder: there('strict-order', undefined, STRICT_HELP),
  timerSlackMs: one('timer-slack', 'MS', TIMER_SLACK, undefined, SLACK_HELP),
  debugExitPort: one('debug-exit', 'PORT', PORT, undefined, EXIT_HELP),
  testDevice: there('test-device', false, "a device for tests of machines, as QEMU's pc-testdev (kvm-unit-tests use it)"),
  debugcon: one('debugcon', 'FILE', PATH, undefined, 'write what the guest sends to port 0xE9 or 0x402 to FILE'),
  post: one('post', 'FILE', PATH, undefined, 'write POST codes (port 0x80) to FILE, one hexadecimal number a line'),
  until: one('until', 'TEXT', TEXT, undefined, 'end the run as soon as the console has printed TEXT'),
  timeoutSeconds: one('timeout', 'SECONDS', SECONDS, undefined, 'end the run after this time'),
  stats: one('stats', 'FILE', PATH, undefined, 'write statistics of the run to FILE, as JSON'),
  clients: {
    ...many('client', 'NAME[:OPTIONS]', TEXT, CLIENT_HELP),
    read: readClients,
  },
  trace: one(
    'trace',
    'FILE[,WHAT]...',
    TRACE,
    undefined,
    'write a line for each block of code, exception and interrupt to FILE (slow; see docs/trace.md); WHAT: cpu=N, address=A[-B] (numbers or names), only=blocks, exceptions or interrupts, from=TEXT on the console (or number of instructions), count=N lines, names',
  ),
  perfMap: there(
    'perf-map',
    false,
    "names for profilers: forms of instructions, the runtime's functions, the guest's code (see docs/profiling.md)",
  ),
  symbols: one('symbols', 'FILE', PATH, undefined, "the guest kernel's System.map or /proc/kallsyms, for names of its code"),
  gdb: one('gdb', 'PORT', TCP_PORT, undefined, GDB_HELP),
  gdbWait: there('gdb-wait', false, 'with --gdb: the guest executes nothing before gdb lets it go on'),
};

const LINES = Object.entries(RUN_FLAGS) as [keyof RunFlags, Flag<unknown>][];

/** For parseArgs. */
export const RUN_OPTIONS: Readonly<Record<string, { type: 'string' | 'boolean'; multiple?: boolean; short?: string }>> = {
  help: { type: 'boolean', short: 'h' },
  ...Object.fromEntries(
    LINES.map(([, { name, value, many }]) => [name, { type: value === undefined ? 'boolean' : 'string', multiple: many }]),
  ),
};

/** An option as its user writes it. */
export const flagName = (option: keyof RunFlags): string => `--${RUN_FLAGS[option].name}`;

/** `values`: the words that were given, by the names of the options; without a value, the option's own name. Throws BAD_OPTION. */
export function readFlags(values: ReadonlyMap<string, readonly string[]>): RunFlags {
  const flags: Partial<Record<keyof RunFlags, unknown>> = {};
  for (const [key, { name, mayBeEmpty, read }] of LINES) {
    const words = values.get(name) ?? [];
    if (words.includes('') && !mayBeEmpty) refuse(`--${name}`, 'the value is empty');
    flags[key] = read(words, flags as unknown as RunFlags);
  }
  return flags as unknown as RunFlags;
}

/** Where the second column begins. */
const COLUMN = 21;
function helpLine(left: string, help: string): string {
  const start = `  ${left}`;
  return start.length > COLUMN - 2 ? `${start}\n${' '.repeat(COLUMN)}${help}` : `${start.padEnd(COLUMN)}${help}`;
}
/** The lines of --help. */
export const RUN_HELP = [
  ...LINES.map(([, { name, value, help }]) => helpLine(`--${name}${value === undefined ? '' : ` ${value}`}`, help)),
  helpLine('-h, --help', 'show this text'),
].join('\n');
