// The end of the process.
import { accessSync, constants } from 'node:fs';

const SHELL = '/bin/sh';
/** Of Node's own options: those by which it writes something at its end. */
const WRITES_AT_END = /prof|coverage|inspect|report|trace-event/;

let writes = false;
/** V8 was told meanwhile to write something that must not be cut off. */
export function writesAtEnd(): void {
  writes = true;
}

/** What libuv did to a stream that others may share (a pipe is one for all who write to it), Node undoes when it ends by itself. */
function letGo(stream: object): void {
  (stream as { _handle?: { setBlocking?: (blocking: boolean) => number } | null })._handle?.setBlocking?.(true);
}

/**
 * Ends the process with a status, once all output is where it should be. Node's own end waits for V8's compiler threads, and one of those may wait for a
 * garbage collection on the main thread, which never comes (nodejs/node issue 54918): some few processes of a thousand hang for ever. So the process
 * becomes a shell that has nothing to do but to end with the status, and the kernel ends its threads wherever they are.
 */
export function leave(status: number): never {
  process.exitCode = status;
  const options = [...process.execArgv, process.env.NODE_OPTIONS ?? '', process.env.NODE_V8_COVERAGE === undefined ? '' : 'coverage'];
  if (process.execve !== undefined && !writes && !options.some((option) => WRITES_AT_END.test(option))) {
    try {
      accessSync(SHELL, constants.X_OK);
      process.emit('exit', status);
      for (const stream of [process.stdin, process.stdout, process.stderr]) letGo(stream);
      process.execve(SHELL, ['sh', '-c', `exit ${status}`], {});
    } catch {
      // No such shell, or no such call on this system.
    }
  }
  process.exit(status);
}
