// `dragoman run`: builds a machine from files, connects it to the terminal, and turns the end of the run into an exit status.
import type { Writable } from 'node:stream';
import { describeEnd, type RunResult } from '../api/ending.ts';
import { DragomanError } from '../api/errors.ts';
import type { MachineFactory, MachineHandle, MachineOptions, NetBackend } from '../api/options.ts';
import { loopback } from '../devices/virtio/loopback.ts';
import { checkFolder } from '../host/share-folder.ts';
import { checkRom } from '../machine/boot/rom.ts';
import { Matcher } from '../machine/matcher.ts';
import { userNetwork } from '../net/user-network.ts';
import type { RunArguments } from './arguments.ts';
import { codeCacheFolder } from './code-cache.ts';
import { checkFiles } from './files.ts';
import { flagName, RUN_FLAGS, type RunFlags } from './flags.ts';
import { flameFile, leaveFlame } from './flame.ts';
import { checkDisk, readInitrd, readInput, readRecording } from './inputs.ts';
import { machineKeys } from './machine-keys.ts';
import type { NetChoice } from './net.ts';
import { Patience } from './patience.ts';
import { checkPlace, notSaved, Saving } from './saving.ts';
import { openSink, outputFailure, type Sink, StreamSink } from './sinks.ts';
import { States } from './states.ts';
import { Status } from './status.ts';
import { attach } from './terminal.ts';
import { KEYS } from './usage.ts';

/** The process around a run; tests give their own. */
export interface Surroundings {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: Writable;
  /** Prints one line for people. */
  say(message: string): void;
  /** Calls back with the name of a signal that asks us to end; returns a function that stops listening. */
  onSignal(listener: (signal: NodeJS.Signals) => void): () => void;
  /** The same of SIGQUIT, which asks what the CPUs do. */
  onQuestion(listener: () => void): () => void;
}

/** What ended the run from our side, with its exit status. */
interface Cause {
  readonly status: number;
  readonly text: string;
}

function backendOf(net: NetChoice): NetBackend | undefined {
  if (typeof net === 'object') return userNetwork(net);
  return net === 'loopback' ? loopback() : undefined;
}

const signalNumbers: Readonly<Partial<Record<NodeJS.Signals, number>>> = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 };

/** The machine's options. What a snapshot has is left to it where the user does not say it. */
function machineOptions(args: RunArguments): MachineOptions {
  const all = optionsOf(args);
  const { given } = args;
  if (given === undefined) return all;
  const named = Object.entries(all).filter(
    ([name]) => !Object.hasOwn(RUN_FLAGS, name) || given.has(RUN_FLAGS[name as keyof RunFlags].name),
  );
  return {
    ...Object.fromEntries(named),
    lockstep: all.lockstep,
    net: all.net,
    codeCache: all.codeCache,
    countInstructions: all.countInstructions,
  };
}

function optionsOf(args: RunArguments): MachineOptions {
  const bios = optional('--bios', args.bios, (path) => readInput(path, 'BAD_ROM'));
  if (bios !== undefined) of('--bios', () => of(args.bios, () => checkRom(bios)));
  for (const disk of args.disks) of('--disk', () => checkDisk(disk));
  for (const { path } of args.shares) of('--share', () => checkFolder(path));
  const replay = optional('--replay', args.replay, readRecording);
  return {
    kernel: args.kernel === undefined ? undefined : readInput(args.kernel, 'BAD_KERNEL'),
    initrd: optional('--initrd', args.initrd, readInitrd),
    append: args.append,
    kernelName: args.kernel,
    modules: args.modules.map((path) => ({ data: of('--module', () => readInput(path, 'BAD_OPTION')), string: path })),
    bios,
    cpus: args.cpus,
    memoryBytes: args.memoryBytes,
    disks: args.disks,
    shares: args.shares,
    net: backendOf(args.net),
    engine: args.engine,
    encoder: args.encoder,
    maxRegions: args.maxRegions,
    codeCache: codeCacheFolder(args.codeCache),
    mode: args.mode,
    relax: args.relax,
    countInstructions: args.stats !== undefined,
    clients: args.clients,
    lockstep: args.lockstep ? { seed: args.seed, replay, reverse: args.reverse } : undefined,
    strictOrder: args.strictOrder,
    timerSlackMs: args.timerSlackMs,
    debugExitPort: args.debugExitPort,
    testDevice: args.testDevice,
    traceFilter: args.trace?.filter,
    perfMap: args.perfMap,
    symbols: optional('--symbols', args.symbols, (path) => Buffer.from(readInput(path, 'BAD_OPTION')).toString()),
  };
}

/** Puts the option, or the file's name where only its bytes are known, into the errors of a check. */
function of<T>(name: string | undefined, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof DragomanError)) throw error;
    throw new DragomanError(error.code, error.message, name, { cause: error });
  }
}
const optional = <T>(option: string, path: string | undefined, read: (path: string) => T): T | undefined =>
  path === undefined ? undefined : of(option, () => read(path));

/** The machine knows bytes of files and the API's options: puts the names of the files, and the options of the command line, in front of what it says. */
async function createNamed({ kernel, symbols }: RunArguments, create: MachineFactory, options: MachineOptions): Promise<MachineHandle> {
  try {
    return await create(options);
  } catch (error) {
    if (!(error instanceof DragomanError)) throw error;
    const { code, where, message } = error;
    if (code === 'BAD_KERNEL') throw new DragomanError(code, message, kernel, { cause: error });
    const option = where?.startsWith('traceFilter') ? 'trace' : where;
    if (code !== 'BAD_OPTION' || option === undefined || !Object.hasOwn(RUN_FLAGS, option)) throw error;
    const said = message.slice(`${where}: `.length);
    throw new DragomanError(code, where === 'symbols' ? `${symbols}: ${said}` : said, flagName(option as keyof RunFlags), { cause: error });
  }
}

/** Where gdb is asked for: lets it attach. A machine that cannot have that gives all back. */
async function openGdb({ gdb: port, gdbWait: wait }: RunArguments, machine: MachineHandle, say: (message: string) => void): Promise<void> {
  if (port === undefined) return;
  try {
    const server = await machine.gdb({ port, wait });
    say(`gdb attaches by "target remote 127.0.0.1:${server.port}"${wait ? '; the guest waits for it' : ''}`);
  } catch (error) {
    await machine.close();
    if (!(error instanceof DragomanError) || error.where === undefined) throw error;
    throw new DragomanError(error.code, error.message.slice(`${error.where}: `.length), flagName('gdb'), { cause: error });
  }
}

const postLines = (codes: Uint8Array) => Array.from(codes, (code) => `${code.toString(16).padStart(2, '0')}\n`).join('');

/** Exit status of a run that ended by itself. `early`: a text was asked for and has not come. */
function statusOf(result: RunResult, early: boolean): number {
  switch (result.kind) {
    case 'halted':
      return Status.STOPPED_EARLY;
    case 'debug-exit':
      return (result.value * 2 + 1) & 0xff;
    case 'triple-fault':
    case 'internal-error':
      return Status.FAILED;
    default:
      return early ? Status.STOPPED_EARLY : Status.OK;
  }
}
const verdict = (result: RunResult, early: boolean): Cause => ({ status: statusOf(result, early), text: describeEnd(result) });

/** Runs a machine to its end and returns the exit status. Throws a DragomanError where options or files cannot be used. */
export async function run(args: RunArguments, create: MachineFactory, around: Surroundings): Promise<number> {
  let machine: MachineHandle | undefined;
  let cause: Cause | undefined;
  const end = (because: Cause) => {
    cause ??= because;
    machine?.stop(because.text);
  };
  // People and their time-outs wait for no reader.
  const patience = new Patience();
  const quit = (because: Cause) => {
    end(because);
    patience.hurry();
  };
  const early = () => args.until !== undefined;
  // Output that is lost, other than by a reader's choice.
  let lost: Cause | undefined;
  const lose = (because: Cause) => {
    if (because.status === Status.USAGE) lost ??= because;
    end(because);
  };
  const output = new StreamSink(around.stdout, (error) => lose(outputFailure(error, early() ? Status.STOPPED_EARLY : Status.NO_READER)));
  const failed = (error: DragomanError) => lose({ status: Status.USAGE, text: error.message });

  checkFiles(args);
  const { save, saveAt, base } = args;
  if (save !== undefined) of('--save', () => checkPlace(save));
  if (save !== undefined && saveAt === undefined && !around.stdin.isTTY)
    throw new DragomanError('BAD_OPTION', 'say when: --save-at TEXT (there is no terminal for Ctrl-A s)', '--save');
  const options = machineOptions(args);
  const outputs: [string, string | undefined][] = [
    ['--virtio-console', args.virtioConsole],
    ['--debugcon', args.debugcon],
    ['--post', args.post],
    ['--trace', args.trace?.path],
    ['--stats', args.stats],
    ['--record', args.record],
    ['--client', flameFile(args.clients)],
  ];
  const sinks: (Sink | undefined)[] = outputs.map(([option, path]) => of(option, () => openSink(path, output, failed)));
  const [virtioConsole, debugcon, post, trace, stats, record, flame] = sinks;
  const matcher = args.until === undefined ? undefined : new Matcher(args.until);
  const saving = save === undefined ? undefined : new Saving(save, saveAt, () => machine!.snapshot({ base }));
  const unsavedDisks = save === undefined ? undefined : notSaved(args.disks);
  if (unsavedDisks !== undefined) around.say(unsavedDisks);
  machine = await createNamed(args, create, {
    ...options,
    lockstep: options.lockstep && record ? { ...options.lockstep, onRecord: (text) => record.write(text) } : options.lockstep,
    onConsole(bytes) {
      const taken = output.write(bytes);
      saving?.see(bytes);
      if (matcher !== undefined && matcher.push(bytes) >= 0) {
        const found = () => end({ status: Status.OK, text: `the guest printed '${args.until}'` });
        if (saving === undefined) found();
        else void saving.done().then(found);
      }
      return taken;
    },
    onVirtioConsole: virtioConsole && ((bytes) => virtioConsole.write(bytes)),
    onDebugConsole: debugcon && ((bytes) => debugcon.write(bytes)),
    onPost: post && ((codes) => post.write(postLines(codes))),
    onTrace: trace && ((text) => trace.write(text)),
  });

  await openGdb(args, machine, around.say);
  for (const sink of sinks) sink?.begin();
  const running = machine;
  const states = new States(running, around.say);
  // Who has gdb looks by that, and should not be told of a pause of ours.
  if (args.gdb === undefined) states.watch();
  const offQuestion = around.onQuestion(() => void states.ask());
  const offSignal = around.onSignal((signal) => quit({ status: 128 + (signalNumbers[signal] ?? 0), text: `ended by ${signal}` }));
  const detach = attach(around.stdin, {
    input: (bytes) => running.sendInput(bytes),
    quit: () => quit({ status: early() ? Status.STOPPED_EARLY : Status.OK, text: 'ended by Ctrl-A x' }),
    help: () => around.say(KEYS),
    ...machineKeys(running, states, around.say, saving && (() => saving.now())),
  });
  if (around.stdin.isTTY) around.say(KEYS);
  const timer =
    args.timeoutSeconds === undefined
      ? undefined
      : setTimeout(() => quit({ status: Status.TIME_OUT, text: `time-out after ${args.timeoutSeconds} s` }), args.timeoutSeconds * 1000);
  const started = performance.now();
  let result: RunResult;
  /** Bytes that no reader has taken. */
  const unread = new Map<Sink, number>();
  const close = async (which: (sink: Sink) => boolean) => {
    for (const sink of new Set([...sinks, output])) if (sink !== undefined && which(sink)) unread.set(sink, await sink.close(patience));
  };
  const allUnread = () => [...unread.values()].reduce((sum, bytes) => sum + bytes, 0);
  try {
    if (cause !== undefined) machine.stop((cause as Cause).text);
    result = await machine.run();
  } catch (error) {
    const { message } = error as Error;
    const ours = error instanceof DragomanError && error.code !== 'INTERNAL';
    if (ours) cause = { status: Status.USAGE, text: message };
    result = ours ? { kind: 'stopped', reason: message } : { kind: 'internal-error', message, dump: (error as Error).stack ?? '' };
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  if (flame !== undefined) await leaveFlame(running, flame);
  // The last bytes may fail as well, or wait for their reader.
  await close((sink) => sink !== stats || sink === output);
  const unsaved = await saving?.done();
  // What ended the run from our side counts only where it did end it: a crash that comes first is a crash.
  const mine = cause !== undefined && (result.kind === 'stopped' || (cause as Cause).status === Status.OK);
  let ended = mine ? (cause as unknown as Cause) : verdict(result, early());
  // Who would not wait until its output was read ended a run that the guest had ended, but for one that failed.
  if (cause !== undefined && allUnread() > 0 && ended.status !== Status.FAILED) ended = cause;
  if (unsaved !== undefined && ended.status === Status.OK) ended = { status: Status.STOPPED_EARLY, text: ended.text };
  // A run whose output is lost is one that nobody should build on, however it ended: no end of a guest has this status.
  const status = () => (lost === undefined ? ended.status : Status.USAGE);
  if (stats !== undefined) {
    if (stats === output && !output.atLineStart) output.write('\n');
    const memory = args.lockstep ? { memorySha256: running.memoryHash() } : {};
    stats.write(`${JSON.stringify({ end: result.kind, status: status(), ...running.stats(), ...memory }, null, 2)}\n`);
    await close((sink) => sink === stats);
  }
  clearTimeout(timer);
  detach();
  offSignal();
  offQuestion();
  if (allUnread() > 0) around.say(`nobody read the last ${allUnread()} bytes of output`);
  if (!output.atLineStart && around.stdin.isTTY) around.say('');
  if (result.kind !== 'internal-error') await states.end(result.kind === 'halted' || ended.status === Status.TIME_OUT);
  if (unsaved !== undefined) around.say(unsaved);
  if (lost !== undefined && lost !== ended) around.say(`${(lost as Cause).text} (the exit status would be ${ended.status} otherwise)`);
  around.say(`${ended.text}${ended.text.includes('\n') ? `\nafter ${seconds} s` : ` (${seconds} s)`}`);
  return status();
}
