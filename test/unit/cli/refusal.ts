// `dragoman run` up to the point where a machine would be built: for inputs that must be refused before that.
import { DragomanError } from '../../../src/api/errors.ts';
import { parseCommand } from '../../../src/cli/arguments.ts';
import { run } from '../../../src/cli/run.ts';
import { Status } from '../../../src/cli/status.ts';

try {
  const command = parseCommand(['run', ...process.argv.slice(2)]);
  if (command.name !== 'run') throw new Error('not a run');
  const create = () => {
    throw new Error('a machine was asked for');
  };
  process.exitCode = await run(command.arguments, create, {
    stdin: process.stdin,
    stdout: process.stdout,
    say: () => {},
    onSignal: () => () => {},
    onQuestion: () => () => {},
  });
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = error instanceof DragomanError ? Status.USAGE : Status.FAILED;
}
