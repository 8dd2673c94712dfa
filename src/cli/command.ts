// The `dragoman` command itself: reads the arguments, runs a command, and ends the process with its exit status.
import { DragomanError } from '../api/errors.ts';
import type { MachineFactory } from '../api/options.ts';
import { type Command, parseCommand } from './arguments.ts';
import { writeCompiled } from './compiled.ts';
import { disasm } from './disasm.ts';
import { launched } from './job.ts';
import { leave, writesAtEnd } from './leave.ts';
import { Patience } from './patience.ts';
import { run, type Surroundings } from './run.ts';
import { outputFailure, StreamSink } from './sinks.ts';
import { Status } from './status.ts';
import { DISASM, GENERAL, RUN, version } from './usage.ts';

// It may lose its reader as well; there is nobody left to tell.
const errors = new StreamSink(process.stderr, () => {});
const say = (message: string) => void errors.write(message === '' ? '\n' : `dragoman: ${message}\n`);

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

const surroundings: Surroundings = {
  stdin: process.stdin,
  stdout: process.stdout,
  say,
  onSignal(listener) {
    for (const signal of SIGNALS) process.on(signal, listener);
    return () => SIGNALS.forEach((signal) => void process.off(signal, listener));
  },
  onQuestion(listener) {
    if (process.platform === 'win32') return () => {};
    process.on('SIGQUIT', listener);
    return () => void process.off('SIGQUIT', listener);
  },
};

async function print(text: string): Promise<number> {
  let status: number = Status.OK;
  const output = new StreamSink(process.stdout, (error) => {
    const failure = outputFailure(error, Status.NO_READER);
    status = failure.status;
    if (status !== Status.NO_READER) say(failure.text);
  });
  output.write(text);
  await output.close(new Patience());
  return status;
}

/** Large parts are loaded only by the commands that need them. */
async function execute(command: Command): Promise<number> {
  switch (command.name) {
    case 'help':
      return print({ general: GENERAL, run: RUN, disasm: DISASM }[command.of]);
    case 'version':
      return print(`${version()}\n`);
    case 'disasm': {
      const { explain, listing } = await import('./explain.ts');
      return print(await disasm(command.arguments, { region: explain, listing }));
    }
    case 'run': {
      const { restore, base } = command.arguments;
      const create: MachineFactory = async (options) => {
        const { Machine } = await import('../machine/machine.ts');
        return restore === undefined ? Machine.create(options) : Machine.restore(restore, { ...options, base });
      };
      if (command.arguments.perfMap) writesAtEnd();
      return run(command.arguments, create, surroundings);
    }
  }
}

async function main(args: readonly string[]): Promise<number> {
  try {
    return await execute(parseCommand(args));
  } catch (error) {
    if (!(error instanceof DragomanError) || error.code === 'INTERNAL') {
      say(`internal error: ${(error as Error)?.stack ?? error}`);
      return Status.FAILED;
    }
    say(error.message);
    if (error.code === 'BAD_OPTION' && error.where === undefined) {
      const help = ['run', 'disasm'].includes(args[0]) ? `dragoman ${args[0]} --help` : 'dragoman --help';
      errors.write(`Try '${help}'.\n`);
    }
    return Status.USAGE;
  }
}

// The launcher on an older Node holds a channel to us: where it dies, even by SIGKILL, so do we.
if (launched) {
  delete process.env.DRAGOMAN_LAUNCHER;
  process.on('disconnect', () => leave(129));
  process.channel?.unref();
}
const status = await main(process.argv.slice(2));
const patience = new Patience();
patience.hurry();
await errors.close(patience);
writeCompiled();
leave(status);
