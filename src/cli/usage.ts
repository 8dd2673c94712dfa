// The texts of --help, and the version.
import { readFileSync } from 'node:fs';
import { RUN_HELP } from './flags.ts';

export const GENERAL = `Usage: dragoman COMMAND [OPTIONS]

Runs x86 operating-system kernels by translating them into WebAssembly.

Commands:
  run      boot a kernel with its serial console on this terminal
  disasm   show what a piece of a kernel is translated into

Options:
  -h, --help     show this text; 'dragoman COMMAND --help' shows a command's own
  -V, --version  show the version
`;

export const RUN = `Usage: dragoman run [KERNEL] [OPTIONS]

Boots KERNEL (a Linux bzImage or a multiboot kernel), or a ROM image, or goes on from a snapshot, with the first serial port on
standard input and output. Messages of dragoman itself go to standard error. FILE '-' is standard output.

Options:
${RUN_HELP}

Keys, where standard input is a terminal (SIGQUIT does what Ctrl-A i does, anywhere):
  Ctrl-A x  quit                   Ctrl-A h  help      Ctrl-A Ctrl-A  send Ctrl-A
  Ctrl-A i  what the CPUs do       Ctrl-A p  pause, and go on
  Ctrl-A r  reset                  Ctrl-A s  save the machine, to the FILE of --save

Exit status:
  0          the guest powered off (or reset, without --until), TEXT was printed, or Ctrl-A x
  2          bad usage or input, or a host that gives too little; or an output that cannot be written, however the guest ended (that is told as well)
  3          the guest stopped, or the reader of standard output went away, before TEXT; or the guest can never run again; or it was not saved
  4          time-out
  5          triple fault, or an internal error; the state of the machine is on standard error
  V * 2 + 1  a write of V to the debug-exit port (modulo 256)
  128 + N    ended by signal N; 141 (SIGPIPE): the reader of standard output went away
`;

export const DISASM = `Usage: dragoman disasm KERNEL ADDRESS [OPTIONS]
       dragoman disasm KERNEL --at NAME|ADDRESS|FROM-TO [OPTIONS]

Shows the region of code that starts at ADDRESS: the x86 instructions, the IR that they are lifted to, and the
WebAssembly that they become. KERNEL is an ELF32 file (ADDRESS is virtual or physical), a multiboot kernel or a
Linux bzImage (ADDRESS is physical; a bzImage holds its decompressor at 0x100000). Instead of an address there may be
a name of the file's symbol table. FROM-TO shows the x86 instructions alone, from an address or a name to an address
or the end of a name's code: NAME-NAME is one function.

Options:
  --at PLACE  the address, the name or the stretch
  --16        the code is 16-bit
  -h, --help  show this text
`;

export const KEYS = 'Ctrl-A x quits, i shows what the CPUs do, p pauses, s saves, r resets, Ctrl-A sends Ctrl-A, h shows this';

/** The version in package.json. Its place relative to this file is the same in src/cli and in dist/cli. */
export function version(): string {
  return JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version;
}
