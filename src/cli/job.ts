// The process as a job of a shell: what it does about its terminal when it is stopped and goes on.

/** The launcher (bin/dragoman.mjs) started us, and has the shell's attention. Known before command.ts takes the word for it out of the environment. */
export const launched = process.env.DRAGOMAN_LAUNCHER === '1' && process.channel !== undefined;

/** What the launcher is told when we are about to stop. */
const STOPPING = 'stopping';

/**
 * Until the returned function is called, `restore` is called before a SIGTSTP stops the process, and `resume` when it goes on (after a SIGSTOP too). A terminal in
 * raw mode sends Ctrl-Z to the guest, so such a signal comes from another process. Who goes on in the background stops again at the terminal, as any other does.
 */
export function watchStops(restore: () => void, resume: () => void): () => void {
  const stop = () => {
    restore();
    // Without a listener the signal does what it always does.
    process.off('SIGTSTP', stop);
    const now = () => process.kill(process.pid, 'SIGTSTP');
    if (launched && process.connected) process.send?.(STOPPING, now);
    else now();
  };
  const goOn = () => {
    process.off('SIGTSTP', stop);
    process.on('SIGTSTP', stop);
    resume();
  };
  process.on('SIGTSTP', stop);
  process.on('SIGCONT', goOn);
  return () => {
    process.off('SIGTSTP', stop);
    process.off('SIGCONT', goOn);
  };
}
