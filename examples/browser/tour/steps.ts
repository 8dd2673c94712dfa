// The eight steps of the guided tour: what each says, what it does for who does not want to type, and how it sees that it happened.
import { clientsOf } from '../app/attached-clients.ts';
import { switchMode } from '../app/live-switches.ts';
import type { Needs, WatchedGuest } from './guest.ts';

export interface Step {
  readonly title: string;
  /** Paragraphs. What serai is to be told is in backquotes. */
  readonly text: readonly string[];
  readonly needs?: Needs;
  /** Panels that show it, the best first; the first one that there is is offered. */
  readonly panels: readonly string[];
  /** What the button says that does it. */
  readonly action: string;
  act(guest: WatchedGuest): void | Promise<void>;
  /** A sentence of what happened; undefined: it did not yet. */
  check(guest: WatchedGuest): string | undefined;
  /** What is in the way, where something came and it was not right. */
  hint?(guest: WatchedGuest): string | undefined;
}

const whole = (value: number | string): string => Number(value).toLocaleString('en');
const count = (value: number, one: string): string => `${whole(value)} ${value === 1 ? one : `${one}s`}`;
/** Since the step began. */
const grown = (guest: WatchedGuest, what: 'interrupts' | 'faults'): number =>
  (guest.machine?.stats()[what] ?? 0) - (guest.before?.[what] ?? 0);

const BOOTED = /serai: (\d+) CPUs?[\s\S]*serai> /;
const PRIMES = /\n(\d+) primes up to \d+, on \d+ CPUs?, in ([\d.]+) (\w+)/;
const CALL = /\nbench call-sysenter +([\d.]+) ns/;
const CPUS = /\n\d+ CPUs online/;
const PLAIN = /\nrace plain: (\d+) of (\d+) counted, (\d+) lost/g;
const ATOMIC = /\nrace atomic: \d+ of \d+ counted, 0 lost/;
const FAULT = /\nbench page-fault +([\d.]+) ns/g;

const last = (text: string, pattern: RegExp): RegExpExecArray | undefined =>
  [...text.matchAll(pattern)].at(-1) as RegExpExecArray | undefined;

export const TOUR: readonly Step[] = [
  {
    title: 'A kernel boots',
    text: [
      'The terminal is the serial port of a whole PC: CPUs, memory, interrupt controllers, timers, all of it in this page. A small kernel, serai, was put into its memory, and the first CPU jumped to it.',
      'serai looked up the other CPUs in the firmware’s tables and woke each of them by an interrupt, as every kernel on a PC does. Boot it once more and read its first line: it says how many came.',
    ],
    panels: ['cpus', 'numbers'],
    action: 'Boot it again',
    act: (guest) => guest.boot(),
    check({ text }) {
      const [, cpus] = BOOTED.exec(text) ?? [];
      return cpus && `serai has started ${count(Number(cpus), 'CPU')}, and waits at its prompt.`;
    },
  },
  {
    title: 'Code is translated',
    text: [
      'serai is x86 code, and a browser runs WebAssembly. What runs for the first time is interpreted, an instruction at a time. A piece that has run often is worth more: it is translated, with what it leads to, into a function of WebAssembly. That is a region.',
      'Type `primes 1000000`. The loop that looks for factors becomes hot within moments, and the rest of the work runs in its translation.',
    ],
    needs: { translates: true },
    panels: ['code-map', 'numbers'],
    action: 'Count primes',
    act: (guest) => guest.type('primes 1000000'),
    check({ text, machine, before }) {
      const [, primes, time, unit] = PRIMES.exec(text) ?? [];
      const regions = machine?.stats().translator.regions ?? 0;
      if (primes === undefined || regions === 0) return undefined;
      const fresh = regions - (before?.translator.regions ?? 0);
      const since =
        fresh > 0 ? `${whole(fresh)} of them since this step began` : 'none of them new: all that this needs was translated before';
      return `${whole(primes)} primes in ${time} ${unit}. There are ${count(regions, 'region')} now, ${since}.`;
    },
  },
  {
    title: 'Regions are chained',
    text: [
      'A region ends somewhere, and something has to find the one that goes on. Asking for it each time would take longer than many a region runs. So where the next one is known, a region jumps straight into it: they are chained, and loops and calls stay in translated code.',
      'Type `primes 500000` and look at how few exits of the run loop there are for so many instructions.',
    ],
    needs: { translates: true },
    panels: ['region', 'code-map', 'numbers'],
    action: 'Run through the chains',
    act: (guest) => guest.type('primes 500000'),
    check({ text, machine }) {
      if (machine === undefined || !PRIMES.test(text)) return undefined;
      const { regions } = machine.regions();
      const links = regions.reduce((sum, region) => sum + region.links.length, 0);
      if (links === 0) return undefined;
      const linked = regions.filter((region) => region.links.length > 0).length;
      return `${whole(linked)} of ${count(regions.length, 'region')} know where they go on: ${count(links, 'chain')}.`;
    },
  },
  {
    title: 'A program calls the kernel',
    text: [
      'Programs run in ring 3 and may touch neither devices nor the kernel’s memory. What they want done they ask for by a system call: SYSENTER takes the CPU into ring 0, at an address that the kernel chose, and SYSEXIT back.',
      'Type `bench call-sysenter`: a program calls the kernel over and over, and serai says how long one call takes. On this PC both instructions are part of translated code, so the way in and out is short.',
    ],
    panels: ['rates', 'cpus', 'numbers'],
    action: 'Measure a system call',
    act: (guest) => guest.type('bench call-sysenter'),
    check({ text }) {
      const [, time] = CALL.exec(text) ?? [];
      return time && `A system call takes ${time} nanoseconds here, there and back.`;
    },
  },
  {
    title: 'A device interrupts',
    text: [
      'Devices do not wait to be asked. For each key that you press, the serial port raises its line, an interrupt controller passes that on, and a CPU drops what it does and enters the kernel. Translated code looks at a word in memory for that, at the ends of its loops.',
      'Type `cpus`: each letter is an interrupt. The table says how many each CPU had; timer and IPIs, by which CPUs call each other, are columns of their own.',
    ],
    panels: ['rates', 'cpus', 'numbers'],
    action: 'Show the interrupts',
    act: (guest) => guest.type('cpus'),
    check(guest) {
      const interrupts = grown(guest, 'interrupts');
      return CPUS.test(guest.text) && interrupts > 0 ? `${count(interrupts, 'interrupt')} came since this step began.` : undefined;
    },
  },
  {
    title: 'Two CPUs race',
    text: [
      'Each CPU is a thread of the browser’s own, and all of them share one memory. `race plain 3000000` lets every CPU add to one counter by a load, an addition and a store. What another CPU adds between the load and the store is lost: a data race, as on real hardware.',
      '`race atomic 3000000` does the same with one locked instruction, which is atomic here as well: nothing is lost.',
    ],
    needs: { cpus: 2 },
    panels: ['sharing', 'cpus', 'numbers'],
    action: 'Let them race',
    act: (guest) => guest.type('race plain 3000000; race atomic 3000000'),
    check({ text }) {
      const [, counted, all, lost] = last(text, PLAIN) ?? [];
      if (lost === undefined || Number(lost) === 0 || !ATOMIC.test(text)) return undefined;
      return `Of ${whole(all!)} additions ${whole(counted!)} counted, and ${whole(lost)} were lost; with atomic ones, none.`;
    },
    hint({ text }) {
      const [, , , lost] = last(text, PLAIN) ?? [];
      return lost === '0' ? 'Nothing was lost this time: a race is not won each time. Let them race again.' : undefined;
    },
  },
  {
    title: 'A relaxation',
    text: [
      'Each access to memory goes through page tables and a TLB, and a faithful translation has to look there each time. Kernels keep to rules, though: their stacks are mapped, most of their memory lies in one linear map. Code that relies on such a rule, and notices when it is broken, is faster. These are relaxations.',
      'Measure with `bench page-fault`, switch the mode to classic, which relies on nothing, and measure again.',
    ],
    needs: { translates: true },
    panels: ['switches', 'region', 'numbers'],
    action: 'Measure with and without',
    async act(guest) {
      const { machine, session } = guest;
      if (machine === undefined) return;
      const { mode, relax } = session.settings.value;
      const measure = async () => {
        const so = [...guest.text.matchAll(FAULT)].length;
        guest.type('bench page-fault');
        await guest.until(() => [...guest.text.matchAll(FAULT)].length > so);
      };
      const change = async (to: () => void) => {
        const { flushes } = machine.stats().translator;
        to();
        await guest.until(() => machine.stats().translator.flushes > flushes);
      };
      await measure();
      await change(() => switchMode(session, mode === 'classic' ? 'relaxed' : 'classic'));
      try {
        await measure();
      } finally {
        switchMode(session, mode);
        if (relax !== undefined) {
          session.change({ relax });
          machine.relax(relax);
        }
      }
    },
    check({ text, machine, before }) {
      const times = [...text.matchAll(FAULT)].map(([, time]) => Number(time));
      const flushes = (machine?.stats().translator.flushes ?? 0) - (before?.translator.flushes ?? 0);
      if (times.length < 2 || flushes === 0) return undefined;
      return `A page fault took ${whole(times[0]!)} nanoseconds before the switch, and ${whole(times.at(-1)!)} behind it. All code was made anew for that.`;
    },
  },
  {
    title: 'A client looks inside',
    text: [
      'Because all code is translated, something can be added to it on the way: a client. inscount adds a counter to every block, and knows how many instructions each CPU executed, in the kernel and in programs.',
      'It comes and goes while the kernel runs: the machine stands still for a moment, its code is made anew with the counters, and the guest notices nothing. Once it is detached, nothing of it is left.',
    ],
    needs: { translates: true },
    panels: ['clients', 'numbers'],
    action: 'Attach inscount',
    async act(guest) {
      await attach(guest, 'inscount');
      guest.type('primes 100000');
    },
    check({ text, machine }) {
      const report = machine?.stats().clients?.inscount;
      return report !== undefined && PRIMES.test(text)
        ? 'inscount counts since then. That was the tour: the panels have more of each.'
        : undefined;
    },
  },
];

/** Nothing where it is attached already; the panel "Clients" knows of it. */
async function attach({ session }: WatchedGuest, name: string): Promise<void> {
  const clients = clientsOf(session);
  if (clients.of(name) !== undefined) return;
  await clients.attach(name);
  const failed = clients.error.value;
  if (failed !== undefined) throw new Error(failed.text);
}
