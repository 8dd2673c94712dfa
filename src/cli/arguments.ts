// Turns the words of the command line into typed options. Everything wrong with them is a DragomanError BAD_OPTION that names the option.
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { refuse } from '../api/kind.ts';
import { checkTogether } from '../api/schema.ts';
import { meant } from '../api/similar.ts';
import { flagName, RUN_FLAGS, RUN_OPTIONS, type RunFlags, readFlags } from './flags.ts';
import { parsePlace } from './place.ts';

export interface RunArguments extends RunFlags {
  readonly kernel: string | undefined;
  /** Implied by a seed, a recording, or one that is run again. */
  readonly lockstep: boolean;
  /** With --restore: the names of the options that were given. The snapshot has what the others stand for. */
  readonly given?: ReadonlySet<string>;
}

export interface DisasmArguments {
  readonly kernel: string;
  /** An address, or a name in the kernel's symbol table. */
  readonly place: number | string;
  /** Of a stretch, where it ends: an address, or a name, all of whose code belongs to it. */
  readonly to?: number | string;
  readonly bits: 16 | 32;
}

export type Command =
  | { readonly name: 'run'; readonly arguments: RunArguments }
  | { readonly name: 'disasm'; readonly arguments: DisasmArguments }
  | { readonly name: 'help'; readonly of: 'general' | 'run' | 'disasm' }
  | { readonly name: 'version' };

type Options = NonNullable<ParseArgsConfig['options']>;

/** Whether a word is one of our options, with or without a value. */
function isOption(word: string, options: Options): boolean {
  const name = /^--([^=]+)/.exec(word)?.[1];
  return name === undefined ? Object.values(options).some(({ short }) => word === `-${short}`) : Object.hasOwn(options, name);
}

/**
 * parseArgs, which gives an option the next word as its value, whatever that begins with (POSIX, guideline 7), and checks of ours with our own
 * messages. A value that is itself an option of ours is one that was forgotten; behind a '=' it is meant. An option given twice that may not be is an error.
 * `given`: the values by the options' names; of an option without a value, its name.
 */
function parse(args: readonly string[], options: Options): { given: Map<string, string[]>; positionals: string[] } {
  const { tokens, positionals } = parseArgs({ args: [...args], options, allowPositionals: true, strict: false, tokens: true });
  const given = new Map<string, string[]>();
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    const { name, rawName, value, inlineValue } = token;
    if (!Object.hasOwn(options, name)) {
      const hint = rawName.startsWith('--') ? meant(name, Object.keys(options), (right) => `'--${right}'`) : '';
      refuse(undefined, `unknown option '${rawName}'${hint}`);
    }
    const { type, multiple } = options[name];
    if (type === 'boolean' && value !== undefined) refuse(rawName, `takes no value, and '${value}' is given`);
    if (type === 'string' && value === undefined) refuse(rawName, 'a value is missing');
    if (value !== undefined && !inlineValue && isOption(value, options))
      refuse(rawName, `a value is missing before '${value}' (where that is the value: '${rawName}=${value}')`);
    const words = given.get(name) ?? [];
    if (words.length > 0 && multiple !== true) refuse(rawName, 'given more than once');
    given.set(name, [...words, value ?? name]);
  }
  return { given, positionals };
}

function parseRun(args: readonly string[]): Command {
  const { given, positionals } = parse(args, RUN_OPTIONS);
  if (given.has('help')) return { name: 'help', of: 'run' };
  const flags = readFlags(given);
  if (positionals.length > 1) refuse(undefined, `one KERNEL is enough; what is '${positionals[1]}'?`);
  const [kernel] = positionals;
  const { bios, initrd, modules, seed, record, replay, save, saveAt, restore, base } = flags;
  if (kernel === '') refuse('KERNEL', 'the name is empty');
  if (kernel === undefined && bios === undefined && restore === undefined)
    refuse(undefined, 'give a KERNEL, a ROM by --bios, or a snapshot by --restore');
  if (save === undefined && saveAt !== undefined) refuse('--save-at', 'say where to: --save FILE');
  if (base !== undefined && save === undefined && restore === undefined)
    refuse('--base', 'is for a snapshot that is saved (--save FILE) or restored (--restore FILE)');
  // Whoever gives an empty command line has given one.
  const append = given.has('append') ? 'given' : undefined;
  if (restore !== undefined) checkRestored(kernel, given);
  else checkTogether({ kernel, bios, initrd, append, modules }, (option) => (option === 'kernel' ? 'KERNEL' : flagName(option)));
  if (record !== undefined && replay !== undefined) refuse('--record', 'a recording that is run again cannot be recorded');
  if (flags.gdbWait && flags.gdb === undefined) refuse('--gdb-wait', 'waits for gdb: give it a port by --gdb');
  if (flags.reverse && (record !== undefined || replay !== undefined))
    refuse('--reverse', 'a run that is recorded, or run again, cannot go back');
  const lockstep = flags.lockstep || flags.reverse || [seed, record, replay].some((value) => value !== undefined);
  return { name: 'run', arguments: { ...flags, kernel, lockstep, ...(restore === undefined ? {} : { given: new Set(given.keys()) }) } };
}

/** A snapshot has what a machine starts with. */
function checkRestored(kernel: string | undefined, given: ReadonlyMap<string, unknown>): void {
  if (kernel !== undefined) refuse('KERNEL', 'a machine that is restored runs one already');
  for (const option of ['bios', 'initrd', 'append', 'modules'] as const)
    if (given.has(RUN_FLAGS[option].name)) refuse(flagName(option), 'a machine that is restored has it in its memory already');
}

const DISASM_OPTIONS: Options = { help: { type: 'boolean', short: 'h' }, '16': { type: 'boolean' }, at: { type: 'string' } };

function parseDisasm(args: readonly string[]): Command {
  const { given, positionals } = parse(args, DISASM_OPTIONS);
  if (given.has('help')) return { name: 'help', of: 'disasm' };
  const at = given.get('at')?.[0];
  const wanted = at === undefined ? 2 : 1;
  if (positionals.length !== wanted)
    refuse(undefined, `disasm takes KERNEL and ${at === undefined ? 'ADDRESS' : '--at'}, not ${positionals.length} arguments`);
  const [kernel = '', address = at!] = positionals;
  const option = at === undefined ? 'ADDRESS' : '--at';
  const [from = '', to, ...more] = address.split('-');
  if (more.length > 0) refuse(option, `'${address}' is not an address, a name, or two of them as in A-B`);
  const place = parsePlace(from, option);
  const end = to === undefined ? {} : { to: parsePlace(to, option) };
  return { name: 'disasm', arguments: { kernel, place, ...end, bits: given.has('16') ? 16 : 32 } };
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
      return refuse(undefined, 'no command is given');
    default: {
      const kind = first.startsWith('-') ? 'option' : 'command';
      return refuse(undefined, `unknown ${kind} '${first}'${meant(first, ['run', 'disasm', 'help', '--help', '--version'])}`);
    }
  }
}
