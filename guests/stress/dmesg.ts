// Lines of a kernel's log that tell of trouble.
const TROUBLE =
  /\bBUG\b|\bOops\b|general protection|\bstall|lockup|WARNING|Call Trace|blocked for more than|segfault|traps:|I\/O error|Kernel panic/i;
/** What the kernel suggests about PCI windows on any PC. */
const HARMLESS = /please report a bug|and report a bug/;

/** Lines of trouble in what `dmesg` printed. */
export const troubleIn = (log: string): string[] => log.split('\n').filter((line) => TROUBLE.test(line) && !HARMLESS.test(line));
