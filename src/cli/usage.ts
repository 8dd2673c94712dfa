// The texts of --help, and the version.
import { readFileSync } from 'node:fs';
import { MiB, MOST_CPUS } from '../api/options.ts';
import { largestMemory } from '../layout/memory.ts';

const most = (cpus: number) => Math.floor(largestMemory(cpus) / MiB);

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

Boots KERNEL (a Linux bzImage or a multiboot kernel), or a ROM image, with the first serial port on
standard input and output. Messages of dragoman itself go to standard error. FILE '-' is standard output.

Options:
  --initrd FILE      initial RAM disk (Linux)
  --append TEXT      command line of the kernel
  --module FILE      module (multiboot); may be given several times
  --bios ROM         ROM image of 64 KiB to 1 MiB, started at the reset vector instead of a kernel
  --cpus N           number of CPUs, 1 to 64, each on a thread of its own (default: 1)
  --memory SIZE      guest memory, 2M to ${most(1)}M, less with many CPUs (${MOST_CPUS}: ${most(MOST_CPUS)}M): a number with K, M or G; M where none is given (256M)
  --disk FILE[,ro]   raw disk image as the next virtio disk; ',ro' for read-only (',,ro': the name ends so); may be given several times
  --net NAME         network card: none (default), or loopback, which sends each frame back to the guest
  --virtio-console FILE
                     virtio console (Linux's /dev/hvc0): write what the guest sends there to FILE
  --engine NAME      jit (default) or interpreter
  --lockstep         all CPUs in turn on one thread, in the guest's own time: the same run each time
  --seed N           lockstep with another interleaving of the CPUs (0)
  --record FILE      lockstep; write the inputs of the run to FILE
  --replay FILE      lockstep; the inputs of a recording come again, others are ignored
  --strict-order     memory accesses in the order of x86 whatever the host is (the default with several CPUs on a host that is no x86)
  --timer-slack MS   how late an idle guest's timer may be, so that it wakes the host less often (50; with more than two CPUs 25 for each, 200 at the most; 0: never late)
  --debug-exit PORT  a write of V to this I/O port, or the three behind it (QEMU's isa-debug-exit with iosize=4), ends the run with exit status V * 2 + 1
  --test-device      a device for tests of machines, as QEMU's pc-testdev (kvm-unit-tests use it)
  --debugcon FILE    write what the guest sends to port 0xE9 or 0x402 to FILE
  --post FILE        write POST codes (port 0x80) to FILE, one hexadecimal number a line
  --until TEXT       end the run as soon as the console has printed TEXT
  --timeout SECONDS  end the run after this time
  --stats FILE       write statistics of the run to FILE, as JSON
  --trace FILE       write a line for each block of code, exception and interrupt to FILE (slow; see docs/trace.md)
  -h, --help         show this text

Keys, where standard input is a terminal:
  Ctrl-A x  quit      Ctrl-A h  help      Ctrl-A Ctrl-A  send Ctrl-A

Exit status:
  0          the guest powered off (or reset, without --until), TEXT was printed, or Ctrl-A x
  2          bad usage or input, or a host that gives too little; or an output that cannot be written, however the guest ended (that is told as well)
  3          the guest stopped, or the reader of standard output went away, before TEXT; or the guest can never run again
  4          time-out
  5          triple fault, or an internal error; the state of the machine is on standard error
  V * 2 + 1  a write of V to the debug-exit port (modulo 256)
  128 + N    ended by signal N; 141 (SIGPIPE): the reader of standard output went away
`;

export const DISASM = `Usage: dragoman disasm KERNEL ADDRESS [OPTIONS]

Shows the region of code that starts at ADDRESS: the x86 instructions, the IR that they are lifted to, and the
WebAssembly that they become. KERNEL is an ELF32 file (ADDRESS is virtual or physical), a multiboot kernel or a
Linux bzImage (ADDRESS is physical; a bzImage holds its decompressor at 0x100000).

Options:
  --16        the code is 16-bit
  -h, --help  show this text
`;

export const KEYS = 'Ctrl-A x quits, Ctrl-A Ctrl-A sends Ctrl-A, Ctrl-A h shows this';

/** The version in package.json. Its place relative to this file is the same in src/cli and in dist/cli. */
export function version(): string {
  return JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version;
}
