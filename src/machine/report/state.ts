// The state of the CPUs for whoever develops the kernel that runs on them: what each of them does and how it came there, with names. The registers and what came before are dump.ts's.
import { DragomanError } from '../../api/errors.ts';
import type { CpuHandle, DisassembledInstruction, StackFrame } from '../../api/inspect.ts';
import type { SharedMemory } from '../../cpu/state.ts';
import type { MachineSymbols } from '../../inspect/symbols.ts';
import { Cpu, Eflags, Exit, Mode } from '../../layout/cpu.ts';
import { Cr0, Cr4 } from '../../layout/system.ts';
import { hex, historyLines, lastDeliveries, type ReadFlags, registerLines, wordsOf } from './dump.ts';
import { whyFaults } from './shutdown.ts';

export interface Described {
  readonly shared: SharedMemory;
  readonly cpus: readonly CpuHandle[];
  readonly symbols: MachineSymbols;
  readonly readFlags: ReadFlags;
  /** Looks for names in the guest's memory, where there are none yet and the guest may have some. Throws NO_SYMBOLS. */
  readonly findSymbols: () => void;
}

/** CPUs that are shown in full: what is to be read must have an end. */
const MOST_FULL = 8;
const INSTRUCTIONS = 6;
const FRAMES = 24;
const STACK_WORDS = 32;
const WORDS_IN_LINE = 8;
/** Of an instruction. */
const LONGEST = 15;

type Kind = 'not started' | 'idle' | 'full';

const named = (address: number, symbol: string | undefined): string => (symbol === undefined ? hex(address) : `${hex(address)} ${symbol}`);

/** As much as can be read. */
function readSome(cpu: CpuHandle, address: number, length: number): Uint8Array {
  const whole = Math.min(length, 2 ** 32 - address);
  try {
    return cpu.memory.read(address, whole);
  } catch (error) {
    if (!(error instanceof DragomanError) || error.code !== 'BAD_ADDRESS') throw error;
    const end = Number(error.where) - address;
    return end > 0 && end < whole ? cpu.memory.read(address, end) : new Uint8Array();
  }
}

class CpuText {
  readonly #described: Described;
  readonly #cpu: CpuHandle;
  readonly #get: (offset: number) => number;

  constructor(described: Described, cpu: CpuHandle) {
    this.#described = described;
    this.#cpu = cpu;
    this.#get = wordsOf(described.shared, cpu.index);
  }

  get #isInHalt(): boolean {
    return this.#get(Cpu.at.halted) !== 0;
  }
  get #takesInterrupts(): boolean {
    return (this.#get(Cpu.at.eflags) & Eflags.IF) !== 0;
  }
  get kind(): Kind {
    if (this.#get(Cpu.at.awaitsStartup) !== 0) return 'not started';
    return this.#isInHalt && this.#takesInterrupts ? 'idle' : 'full';
  }
  get crashed(): boolean {
    return this.#get(Cpu.at.exit) === Exit.TRIPLE_FAULT;
  }

  get #place(): number {
    const { segments, eip } = this.#cpu.registers;
    return (segments.cs.base + eip) >>> 0;
  }

  #where(): string {
    return named(this.#place, this.#described.symbols.at(this.#place));
  }

  line(): string {
    const what = this.#isInHalt ? `waits in HLT, interrupts ${this.#takesInterrupts ? 'on' : 'off'}, goes on at` : 'at';
    return `CPU ${this.#cpu.index}: ${what} ${this.#where()}`;
  }

  #mode(): string {
    const { cr0, cr4, cpl } = this.#cpu.registers;
    const bits = (this.#get(Cpu.at.mode) & Mode.CODE32) !== 0 ? 32 : 16;
    const paging = (cr0 & Cr0.PG) === 0 ? 'no paging' : (cr4 & Cr4.PAE) === 0 ? 'paging' : 'paging by PAE';
    const mode =
      (cr0 & Cr0.PE) === 0
        ? 'real-address mode'
        : (this.#get(Cpu.at.eflags) & Eflags.VM) !== 0
          ? `virtual-8086 mode, ${paging}`
          : `protected mode, ${bits}-bit code, ${paging}, privilege level ${cpl}`;
    if (!this.#isInHalt) return mode;
    return `${mode}; waits in HLT${this.#takesInterrupts ? '' : ' with interrupts off, where only an NMI, INIT or reset ends it'}`;
  }

  /** Instructions are being decoded from what was in memory at the call. */
  async #code(): Promise<string[]> {
    const place = this.#place;
    const where = this.#where();
    const bytes = readSome(this.#cpu, place, LONGEST);
    const instructions = await this.#cpu.disassemble(place, INSTRUCTIONS);
    const line = ({ address, bytes, text }: DisassembledInstruction) =>
      `  ${hex(address)}  ${Array.from(bytes, (byte) => hex(byte, 2))
        .join(' ')
        .padEnd(23)} ${text}`;
    if (bytes.length === 0) return [`code: the next instruction, at ${where}, is not in memory`];
    return [`code, next instruction first, at ${where}:`, ...instructions.map(line)];
  }

  #stack(): string[] {
    const { segments, esp } = this.#cpu.registers;
    const top = (segments.ss.base + (esp & this.#get(Cpu.at.stackMask))) >>> 0;
    const bytes = readSome(this.#cpu, top, STACK_WORDS * 4);
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const words = Array.from({ length: bytes.length >> 2 }, (_, n) => hex(view.getUint32(n * 4, true)));
    if (words.length === 0) return [`stack: ${hex(top)} is not in memory`];
    const rows = Array.from({ length: Math.ceil(words.length / WORDS_IN_LINE) }, (_, n) => {
      const row = words.slice(n * WORDS_IN_LINE, (n + 1) * WORDS_IN_LINE);
      return `  ${hex(top + n * WORDS_IN_LINE * 4)}  ${row.join(' ')}`;
    });
    return ['stack from its top:', ...rows];
  }

  #backtrace(): string[] {
    const frames = this.#cpu.backtrace(FRAMES + 1);
    const line = ({ address, symbol }: StackFrame, n: number) => `  #${n} ${named(address, symbol)}`;
    const rest = frames.length > FRAMES ? ['  ...'] : [];
    return ['calls, innermost first (by the chain of EBP):', ...frames.slice(0, FRAMES).map(line), ...rest];
  }

  /** All is read at the call. */
  full(): Promise<string> {
    const { shared, readFlags } = this.#described;
    const { index } = this.#cpu;
    const why = whyFaults(this.#cpu, lastDeliveries(this.#get));
    const before = [...registerLines(shared, index, readFlags), this.#mode()];
    const reasons = why.length > 0 ? ['double or triple fault, by the tables as they are now:', ...why.map((text) => `  ${text}`)] : [];
    const behind = [...this.#stack(), ...this.#backtrace(), ...historyLines(this.#get), ...reasons];
    return this.#code().then((code) => [...before, ...code, ...behind].join('\n'));
  }
}

/** 'CPUs 2 to 15', 'CPU 1, 3'. */
function namesOf(indices: readonly number[]): string {
  const runs: [number, number][] = [];
  for (const n of indices) {
    const last = runs.at(-1);
    if (last !== undefined && last[1] === n - 1) last[1] = n;
    else runs.push([n, n]);
  }
  const text = runs.map(([a, b]) => (a === b ? `${a}` : `${a} to ${b}`)).join(', ');
  return `CPU${indices.length > 1 ? 's' : ''} ${text}`;
}

/** Where the guest has paging on, it may be a kernel whose names are in memory. */
function lookForNames({ cpus, symbols, findSymbols }: Described): void {
  if (symbols.areKnown || !cpus.some(({ registers }) => (registers.cr0 & Cr0.PG) !== 0)) return;
  try {
    findSymbols();
  } catch (error) {
    if (!(error instanceof DragomanError) || error.code !== 'NO_SYMBOLS') throw error;
  }
}

/**
 * CPUs that do something, or stand with interrupts off, in full (MOST_FULL of them, a crashed one in any case); a line for each of the others that was started, and one for the rest. Of a machine that stands still:
 * all is read at the call.
 */
export async function describeCpus(described: Described): Promise<string> {
  lookForNames(described);
  const texts = described.cpus.map((cpu) => ({ index: cpu.index, text: new CpuText(described, cpu) }));
  const busy = texts.filter(({ text }) => text.kind === 'full');
  const shown = new Set([...busy.filter(({ text }) => text.crashed), ...busy].slice(0, MOST_FULL).map(({ index }) => index));
  const full = texts.filter(({ index }) => shown.has(index)).map(({ text }) => text.full());
  const lines = texts.filter(({ index, text }) => text.kind !== 'not started' && !shown.has(index)).map(({ text }) => text.line());
  const asleep = texts.filter(({ text }) => text.kind === 'not started').map(({ index }) => index);
  if (asleep.length > 0) lines.push(`${namesOf(asleep)}: not started`);
  return [...(await Promise.all(full)), ...(lines.length > 0 ? [lines.join('\n')] : [])].join('\n\n');
}
