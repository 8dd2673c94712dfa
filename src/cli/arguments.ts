// Turns the words of the command line into typed options. Everything wrong with them is a DragomanError BAD_OPTION that names the option.
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { DragomanError } from '../api/errors.ts';
import {
  DEFAULT_MEMORY,
  type DiskOptions,
  type EngineName,
  LARGEST_TIMER_SLACK_MS,
  MEMORY_GRAIN,
  MiB,
  MOST_CPUS,
  MOST_DISKS,
  SMALLEST_MEMORY,
} from '../api/options.ts';
import { largestMemory } from '../layout/memory.ts';
import { similar } from './similar.ts';

/** What the network card is plugged into; 'none': there is no card. */
export type NetName = 'none' | 'loopback';

export interface RunArguments {
  readonly kernel: string | undefined;
  readonly initrd: string | undefined;
  readonly append: string;
  readonly modules: readonly string[];
  readonly bios: string | undefined;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly disks: readonly DiskOptions[];
  readonly net: NetName;
  readonly engine: EngineName;
  /** Implied by a seed, a recording, or one that is run again. */
  readonly lockstep: boolean;
  /** undefined: as the host wants it. */
  readonly strictOrder: boolean | undefined;
  readonly seed: number | undefined;
  readonly record: string | undefined;
  readonly replay: string | undefined;
  readonly timerSlackMs: number | undefined;
  readonly debugExitPort: number | undefined;
  readonly testDevice: boolean;
  readonly virtioConsole: string | undefined;
  readonly debugcon: string | undefined;
  readonly post: string | undefined;
  readonly until: string | undefined;
  readonly timeoutSeconds: number | undefined;
  readonly stats: string | undefined;
  readonly trace: string | undefined;
}

export interface DisasmArguments {
  readonly kernel: string;
  readonly address: number;
  readonly bits: 16 | 32;
}

export type Command =
  | { readonly name: 'run'; readonly arguments: RunArguments }
  | { readonly name: 'disasm'; readonly arguments: DisasmArguments }
  | { readonly name: 'help'; readonly of: 'general' | 'run' | 'disasm' }
  | { readonly name: 'version' };

const bad = (where: string | undefined, message: string): never => {
  throw new DragomanError('BAD_OPTION', message, where);
};

/** 10, 0x10 or 0X10; undefined for anything else. */
function parseNumber(text: string): number | undefined {
  return /^(?:0x[0-9a-f]+|\d+)$/i.test(text) ? Number(text) : undefined;
}

function parseMemory(text: string, cpus: number): number {
  const match = /^(\d+(?:\.\d+)?)\s*([kmg]?)(?:i?b)?$/i.exec(text);
  if (!match) return bad('--memory', `'${text}' is not a size such as 256M`);
  const unit = { k: 1024, m: MiB, g: 1024 * MiB }[match[2].toLowerCase() || 'm'] as number;
  const bytes = Number(match[1]) * unit;
  const most = largestMemory(cpus);
  if (bytes < SMALLEST_MEMORY || bytes > most) {
    const range = `${SMALLEST_MEMORY / MiB}M to ${Math.floor(most / MiB)}M with ${cpus} CPU${cpus === 1 ? '' : 's'}`;
    bad('--memory', `'${text}' is out of range: ${range} (a number without a unit counts MiB)`);
  }
  if (bytes % MEMORY_GRAIN !== 0) bad('--memory', `'${text}' is not a multiple of ${MEMORY_GRAIN / 1024}K`);
  return bytes;
}

function parseCpus(text: string): number {
  const cpus = parseNumber(text);
  if (cpus === undefined || cpus === 0) return bad('--cpus', `'${text}' is not a number of CPUs`);
  if (cpus > MOST_CPUS) return bad('--cpus', `'${text}' CPUs are too many: at most ${MOST_CPUS}`);
  return cpus;
}

/** 'FILE' or 'FILE,ro'; a file whose own name ends in ',ro' has its comma twice there. */
export function parseDisk(text: string): DiskOptions {
  const readOnly = /(?<!,),ro$/.test(text);
  const path = (readOnly ? text.slice(0, -3) : text).replace(/,,ro$/, ',ro');
  if (path === '') bad('--disk', `'${text}' names no file`);
  return { path, readOnly };
}

function parsePort(text: string): number {
  const port = parseNumber(text);
  if (port === undefined || port > 0xffff) return bad('--debug-exit', `'${text}' is not an I/O port (0 to 0xffff)`);
  return port;
}

function parseSeed(text: string): number {
  const seed = parseNumber(text);
  return seed === undefined || seed > 0xffffffff ? bad('--seed', `'${text}' is not a number from 0 to 4294967295`) : seed;
}

function parseSlack(text: string): number {
  const ms = /^(?:\d+\.?\d*|\.\d+)$/.test(text) ? Number(text) : Number.NaN;
  if (!(ms <= LARGEST_TIMER_SLACK_MS))
    return bad('--timer-slack', `'${text}' is not a number of milliseconds (0 to ${LARGEST_TIMER_SLACK_MS})`);
  return ms;
}

function parseSeconds(text: string): number {
  const seconds = /^(?:\d+\.?\d*|\.\d+)$/.test(text) ? Number(text) : 0;
  if (seconds <= 0 || seconds > 2_000_000) return bad('--timeout', `'${text}' is not a number of seconds (up to 2000000)`);
  return seconds;
}

function parseEngine(text: string): EngineName {
  return text === 'jit' || text === 'interpreter' ? text : bad('--engine', `'${text}' is neither 'jit' nor 'interpreter'`);
}

function parseNet(text: string): NetName {
  return text === 'none' || text === 'loopback' ? text : bad('--net', `'${text}' is neither 'none' nor 'loopback'`);
}

const HELP = { help: { type: 'boolean', short: 'h' } } as const;
const STRING = { type: 'string' } as const;
export const RUN_OPTIONS = {
  ...HELP,
  initrd: STRING,
  append: STRING,
  module: { type: 'string', multiple: true },
  bios: STRING,
  cpus: STRING,
  memory: STRING,
  disk: { type: 'string', multiple: true },
  net: STRING,
  'virtio-console': STRING,
  engine: STRING,
  lockstep: { type: 'boolean' },
  'strict-order': { type: 'boolean' },
  seed: STRING,
  record: STRING,
  replay: STRING,
  'timer-slack': STRING,
  'debug-exit': STRING,
  'test-device': { type: 'boolean' },
  debugcon: STRING,
  post: STRING,
  until: STRING,
  timeout: STRING,
  stats: STRING,
  trace: STRING,
} as const;

type Options = NonNullable<ParseArgsConfig['options']>;

/** Whether a word is one of our options, with or without a value. */
function isOption(word: string, options: Options): boolean {
  const name = /^--([^=]+)/.exec(word)?.[1];
  return name === undefined ? Object.values(options).some(({ short }) => word === `-${short}`) : Object.hasOwn(options, name);
}

/**
 * parseArgs, which gives an option the next word as its value, whatever that begins with (POSIX, guideline 7), and checks of ours with our own
 * messages. A value that is itself an option of ours is one that was forgotten; behind a '=' it is meant. An option given twice that may not be is an error.
 */
function parse<const T extends Options>(args: readonly string[], options: T) {
  const parsed = parseArgs({ args: [...args], options, allowPositionals: true, strict: false, tokens: true });
  const seen = new Set<string>();
  for (const token of parsed.tokens) {
    if (token.kind !== 'option') continue;
    const { name, rawName, value, inlineValue } = token;
    if (!Object.hasOwn(options, name)) {
      const meant = rawName.startsWith('--') ? similar(name, Object.keys(options)) : undefined;
      return bad(undefined, `unknown option '${rawName}'${meant === undefined ? '' : `; is '--${meant}' meant?`}`);
    }
    const { type, multiple } = options[name];
    if (type === 'boolean' && value !== undefined) bad(rawName, `takes no value, and '${value}' is given`);
    if (type === 'string' && value === undefined) bad(rawName, 'a value is missing');
    if (value !== undefined && !inlineValue && isOption(value, options))
      bad(rawName, `a value is missing before '${value}' (where that is the value: '${rawName}=${value}')`);
    if (seen.has(name) && !multiple) bad(rawName, 'given more than once');
    seen.add(name);
  }
  // What parseArgs cannot say of values that it did not check itself.
  return parsed as ReturnType<typeof parseArgs<{ options: T; allowPositionals: true; strict: true }>>;
}

function parseRun(args: readonly string[]): Command {
  const { values, positionals } = parse(args, RUN_OPTIONS);
  if (values.help) return { name: 'help', of: 'run' };
  for (const [name, value] of Object.entries(values)) {
    if ([value].flat().includes('') && name !== 'append') bad(`--${name}`, 'the value is empty');
  }
  if (positionals.length > 1) bad(undefined, `one KERNEL is enough; what is '${positionals[1]}'?`);
  const [kernel] = positionals;
  const { bios, initrd, append, module: modules = [] } = values;
  if (kernel === '') bad('KERNEL', 'the name is empty');
  if (kernel === undefined && bios === undefined) bad(undefined, 'give a KERNEL, or a ROM by --bios');
  if (kernel !== undefined && bios !== undefined) bad('--bios', 'a ROM starts instead of a KERNEL: give one of them');
  if (kernel === undefined) {
    const needless = Object.entries({ initrd, append, module: modules[0] }).find(([, value]) => value !== undefined);
    if (needless) bad(`--${needless[0]}`, 'is for a KERNEL, and none is given');
  }
  const disks = (values.disk ?? []).map(parseDisk);
  if (disks.length > MOST_DISKS) bad('--disk', `${disks.length} disks; at most ${MOST_DISKS}`);
  if (values.record !== undefined && values.replay !== undefined) bad('--record', 'a recording that is run again cannot be recorded');
  const cpus = values.cpus === undefined ? 1 : parseCpus(values.cpus);
  const optional = <T>(text: string | undefined, read: (text: string) => T): T | undefined => (text === undefined ? undefined : read(text));
  return {
    name: 'run',
    arguments: {
      kernel,
      initrd,
      append: append ?? '',
      modules,
      bios,
      cpus,
      memoryBytes: optional(values.memory, (text) => parseMemory(text, cpus)) ?? DEFAULT_MEMORY,
      disks,
      net: optional(values.net, parseNet) ?? 'none',
      engine: optional(values.engine, parseEngine) ?? 'jit',
      lockstep: values.lockstep === true || [values.seed, values.record, values.replay].some((value) => value !== undefined),
      strictOrder: values['strict-order'],
      seed: optional(values.seed, parseSeed),
      record: values.record,
      replay: values.replay,
      timerSlackMs: optional(values['timer-slack'], parseSlack),
      debugExitPort: optional(values['debug-exit'], parsePort),
      testDevice: values['test-device'] === true,
      virtioConsole: values['virtio-console'],
      debugcon: values.debugcon,
      post: values.post,
      until: values.until,
      timeoutSeconds: optional(values.timeout, parseSeconds),
      stats: values.stats,
      trace: values.trace,
    },
  };
}

function parseDisasm(args: readonly string[]): Command {
  const { values, positionals } = parse(args, { ...HELP, '16': { type: 'boolean' } });
  if (values.help) return { name: 'help', of: 'disasm' };
  if (positionals.length !== 2) bad(undefined, `disasm takes KERNEL and ADDRESS, not ${positionals.length} arguments`);
  const [kernel, text] = positionals;
  const address = parseNumber(text);
  if (address === undefined || address > 0xffffffff) return bad('ADDRESS', `'${text}' is not a 32-bit address such as 0x100000`);
  return { name: 'disasm', arguments: { kernel, address, bits: values['16'] ? 16 : 32 } };
}

/** The command that `args` (without node and the script) ask for. Throws BAD_OPTION or NOT_SUPPORTED. */
export function parseCommand(args: readonly string[]): Command {
  const [first, ...rest] = args;
  switch (first) {
    case 'run':
      return parseRun(rest);
    case 'disasm':
      return parseDisasm(rest);
    case '--help':
    case '-h':
    case 'help':
      return { name: 'help', of: rest[0] === 'run' || rest[0] === 'disasm' ? rest[0] : 'general' };
    case '--version':
    case '-V':
      return { name: 'version' };
    case undefined:
      return bad(undefined, 'no command is given');
    default: {
      const meant = similar(first, ['run', 'disasm', 'help', '--help', '--version']);
      const kind = first.startsWith('-') ? 'option' : 'command';
      return bad(undefined, `unknown ${kind} '${first}'${meant === undefined ? '' : `; is '${meant}' meant?`}`);
    }
  }
}
