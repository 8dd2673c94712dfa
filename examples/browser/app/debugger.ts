// The page's debugger of a machine: what is looked at, what of it has changed, breakpoints, and what is said of a stop. It stays while panels come and go.
import { type Signal, signal } from '@preact/signals';
import {
  type Breakpoint,
  type CpuHandle,
  type CpuRegisters,
  DragomanError,
  type Machine,
  type PausedEvent,
  type StackFrame,
  type WatchAccess,
} from '../../../src/api/index.ts';
import { loadNames } from './kernel-names.ts';
import { placeOf } from './place.ts';
import { type Report, reportOf, type Session } from './session.ts';

const REGISTERS = 'eax ebx ecx edx esi edi ebp esp eip eflags cs ss ds es fs gs cr0 cr2 cr3 cr4'.split(
  ' ',
) as readonly (keyof CpuRegisters)[];
const LINES = 14;
const FRAMES = 16;
export const MEMORY_BYTES = 128;

export interface RegisterView {
  readonly name: string;
  readonly value: number;
  /** Since the last stop. */
  readonly changed: boolean;
}
export interface CpuView {
  readonly index: number;
  /** Linear, of the next instruction. */
  readonly address: number;
  readonly symbol: string | undefined;
  readonly level: number;
}
export interface CodeLine {
  readonly address: number;
  readonly symbol: string | undefined;
  readonly bytes: string;
  readonly text: string;
  /** The name of an address in it. */
  readonly about: string | undefined;
  readonly isNext: boolean;
  readonly point: Breakpoint | undefined;
}
/** What can be seen of a machine that stands still. Parts that cannot be had are why. */
export interface DebugView {
  readonly cpus: readonly CpuView[];
  readonly registers: readonly RegisterView[];
  readonly code: readonly CodeLine[] | string;
  readonly frames: readonly StackFrame[] | string;
  readonly memory: { readonly address: number; readonly bytes: Uint8Array } | string;
}

const valuesOf = ({ registers }: CpuHandle): readonly number[] => REGISTERS.map((name) => registers[name] as number);
const hex = (value: number): string => value.toString(16).padStart(8, '0');

/** What is wrong, where it is the machine that says so. */
async function orWhy<T>(work: () => T | Promise<T>): Promise<T | string> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof DragomanError) || error.code === 'INTERNAL') throw error;
    return error.message;
  }
}

export class Debugger {
  readonly machine: Machine;
  readonly cpu: Signal<number> = signal(0);
  /** Where code is shown from; '': the next instruction of the CPU. */
  readonly codeAt: Signal<string> = signal('');
  readonly memoryAt: Signal<string> = signal('esp');
  readonly isPhysical: Signal<boolean> = signal(false);
  readonly points: Signal<readonly Breakpoint[]> = signal([]);
  readonly view: Signal<DebugView | undefined> = signal(undefined);
  /** What happened last, in a sentence. */
  readonly said: Signal<string> = signal('');
  readonly error: Signal<Report | undefined> = signal(undefined);
  readonly isStepping: Signal<boolean> = signal(false);
  readonly #session: Session;
  /** By CPU: its registers now, and at the stop before. */
  #now: readonly (readonly number[])[] = [];
  #before: readonly (readonly number[])[] = [];
  #looks = 0;

  constructor(session: Session, machine: Machine) {
    this.#session = session;
    this.machine = machine;
    machine.addEventListener('paused', (event) => this.#paused(event));
    void this.#names().then(() => this.look());
  }

  /** '0xc0101052 fault_test+0x12' */
  named(address: number): string {
    const name = this.machine.symbolAt(address);
    return `0x${hex(address)}${name === undefined ? '' : ` ${name}`}`;
  }

  /** Looks at a machine that stands still; at one that runs, there is nothing to be seen. */
  async look(): Promise<void> {
    const { state } = this.machine;
    const mine = ++this.#looks;
    const view = state === 'paused' || state === 'ended' ? await orWhy(() => this.#see()) : undefined;
    // Another look was asked for meanwhile, or the machine goes on.
    if (mine === this.#looks) this.view.value = typeof view === 'string' ? undefined : view;
  }

  /** Runs instructions of the CPU; pause() ends it. */
  async step(count: number): Promise<void> {
    if (this.isStepping.value) return;
    this.isStepping.value = true;
    await this.#try('The CPU could not be stepped', async () => {
      const cpu = this.cpu.value;
      const done = await this.machine.step(cpu, count);
      const where = this.named(this.#next(this.machine.cpus[cpu]!));
      this.said.value = `CPU ${cpu} did ${done} instruction${done === 1 ? '' : 's'}${done === 0 ? ', as it waits' : ''}: next is ${where}`;
    });
    this.isStepping.value = false;
    this.#session.look();
  }

  /** Of those that are being stepped. */
  endSteps(): void {
    void this.machine.pause().catch(() => {});
  }

  /** `length`: of data. */
  break(where: string, kind: 'code' | WatchAccess, length: number): Promise<boolean> {
    return this.#try('There is no breakpoint', async () => {
      await this.#names();
      const place = this.place(where);
      const point =
        kind === 'code' ? await this.machine.setBreakpoint(place) : await this.machine.setWatchpoint(place, { length, access: kind });
      this.points.value = [...this.points.value, point];
      await this.look();
    });
  }

  async remove(point: Breakpoint): Promise<void> {
    await this.#try('The breakpoint could not be taken away', async () => {
      await point.remove();
      this.points.value = this.points.value.filter((one) => one !== point);
      await this.look();
    });
  }

  /** At an instruction: sets a breakpoint, or takes it away. */
  toggle({ address, point }: CodeLine): void {
    void (point === undefined ? this.break(`0x${hex(address)}`, 'code', 1) : this.remove(point));
  }

  /** Names that Linux has in its own memory. */
  async loadGuestNames(): Promise<void> {
    await this.#try('No names were found', async () => {
      this.said.value = `${this.machine.loadGuestSymbols()} names, out of the kernel’s memory`;
      await this.look();
    });
  }

  /** Of a System.map, a /proc/kallsyms, or an ELF file. */
  async loadNames(file: File): Promise<void> {
    await this.#try(`${file.name} has no names`, async () => {
      this.machine.loadSymbols(new Uint8Array(await file.arrayBuffer()));
      this.said.value = `Names are those of ${file.name}`;
      await this.look();
    });
  }

  /** Throws BAD_OPTION, and BAD_STATE for registers of a machine that runs. */
  place(text: string): number {
    const { machine } = this;
    const { registers } = machine.cpus[this.cpu.value]!;
    return placeOf(text, { register: (name) => registers[name], symbol: (name) => machine.symbol(name) });
  }

  #names(): Promise<void> {
    return loadNames(this.#session, this.machine);
  }

  #next({ registers }: CpuHandle): number {
    return (registers.segments.cs.base + registers.eip) >>> 0;
  }

  async #see(): Promise<DebugView> {
    const { machine } = this;
    const now = machine.cpus.map(valuesOf);
    if (String(now) !== String(this.#now)) [this.#before, this.#now] = [this.#now, now];
    const n = this.cpu.value;
    const cpu = machine.cpus[n]!;
    const cpus = machine.cpus.map((one): CpuView => {
      const address = this.#next(one);
      return { index: one.index, address, symbol: machine.symbolAt(address), level: one.registers.cpl };
    });
    const registers = REGISTERS.map((name, k): RegisterView => {
      const before = this.#before[n]?.[k];
      return { name, value: now[n]![k]!, changed: before !== undefined && before !== now[n]![k] };
    });
    const frames = await orWhy(() => cpu.backtrace(FRAMES));
    const memory = await orWhy(() => {
      const address = this.place(this.memoryAt.value);
      const space = this.isPhysical.value ? machine.memory.physical : cpu.memory;
      return { address, bytes: space.read(address, Math.min(MEMORY_BYTES, 2 ** 32 - address)) };
    });
    return { cpus, registers, frames, memory, code: await orWhy(() => this.#code(cpu)) };
  }

  async #code(cpu: CpuHandle): Promise<readonly CodeLine[]> {
    const { machine } = this;
    const next = this.#next(cpu);
    const from = this.codeAt.value.trim() === '' ? next : this.place(this.codeAt.value);
    const lines = await cpu.disassemble(from, LINES);
    return lines.map(({ address, bytes, text }) => {
      const [named] = /0x[0-9a-f]{5,8}/.exec(text) ?? [];
      return {
        address,
        symbol: machine.symbolAt(address),
        bytes: Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' '),
        text,
        about: named === undefined ? undefined : machine.symbolAt(Number(named)),
        isNext: address === next,
        point: this.points.value.find((point) => point.kind === 'code' && point.address === address),
      };
    });
  }

  #paused({ hits, reason }: PausedEvent): void {
    const [first] = hits;
    if (first !== undefined) {
      this.cpu.value = first.cpu;
      this.said.value = hits
        .map(
          ({ cpu, breakpoint: { kind, address } }) =>
            `CPU ${cpu} stopped ${kind === 'code' ? 'at' : 'behind an access to'} ${this.named(address)}`,
        )
        .join('; ');
    } else if (reason === 'asked') this.said.value = 'Paused';
    // Hits have been counted.
    this.points.value = [...this.points.value];
  }

  /** Whether it went well; what did not is a report. */
  async #try(title: string, work: () => Promise<void>): Promise<boolean> {
    this.error.value = undefined;
    try {
      await work();
      return true;
    } catch (error) {
      this.error.value = reportOf(title, error);
      return false;
    }
  }
}

const known = new WeakMap<Machine, Debugger>();
/** That of a machine, for as long as there is one. */
export function debuggerOf(session: Session, machine: Machine): Debugger {
  let one = known.get(machine);
  if (one === undefined) {
    one = new Debugger(session, machine);
    known.set(machine, one);
  }
  return one;
}
