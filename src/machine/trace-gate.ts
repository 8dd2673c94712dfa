// What of a machine's trace is wanted, as its CPUs go by it (wasm/engine/trace.ts): addresses and kinds from the start on, and from a text on the console on.
import { DragomanError } from '../api/errors.ts';
import type { TraceAddresses, TraceFilter, TracePart, TracePlace } from '../api/trace.ts';
import type { SharedMemory } from '../cpu/state.ts';
import type { MachineSymbols } from '../inspect/symbols.ts';
import { Cpu } from '../layout/cpu.ts';
import { CONTROL, Control, controlWord, cpuBase, TraceRange, TraceSkips } from '../layout/memory.ts';
import { ConsolePart } from './console-part.ts';

const BIT: Readonly<Record<TracePart, number>> = {
  blocks: TraceSkips.BLOCKS,
  exceptions: TraceSkips.EXCEPTIONS,
  interrupts: TraceSkips.INTERRUPTS,
};

interface Range {
  readonly first: number;
  readonly last: number;
}

export class TraceGate {
  readonly #shared: SharedMemory;
  readonly #filter: TraceFilter;
  /** Of the console's text that it is to begin at, where there is one. */
  readonly part: ConsolePart | undefined;
  /** By CPU. */
  #skips: (cpu: number) => number = () => 0;

  constructor(shared: SharedMemory, filter: TraceFilter) {
    this.#shared = shared;
    this.#filter = filter;
    const { from } = filter;
    if (typeof from === 'string') this.part = new ConsolePart({ from }, { onBegin: () => this.#open(), onEnd: () => {} });
  }

  /** Whether CPUs must count their instructions. */
  get counts(): boolean {
    return typeof this.#filter.from === 'number';
  }

  /** Before any CPU runs. Throws BAD_OPTION for a name that is not known. */
  begin(symbols: MachineSymbols): void {
    const { i32 } = this.#shared;
    const { addresses = [], from } = this.#filter;
    for (const [n, each] of addresses.entries()) {
      const { first, last } = rangeOf(each, symbols, n);
      const range = Control.at.traceRanges + n * TraceRange.size;
      i32[controlWord(range + TraceRange.at.first)] = first;
      i32[controlWord(range + TraceRange.at.last)] = last;
    }
    i32[controlWord(Control.at.traceRangeCount)] = addresses.length;
    const start = BigInt(typeof from === 'number' ? from : 0);
    new BigUint64Array(i32.buffer, CONTROL + Control.at.traceFrom, 1)[0] = start;
    if (this.part === undefined) this.#open();
    else this.close();
  }

  #open(): void {
    const { cpus, only } = this.#filter;
    const skips = only === undefined ? 0 : TraceSkips.ALL & ~only.reduce((bits, part) => bits | BIT[part], 0);
    this.#set((cpu) => (cpus === undefined || cpus.includes(cpu) ? skips : TraceSkips.ALL));
  }

  /** Nothing is traced any more. */
  close(): void {
    this.#set(() => TraceSkips.ALL);
  }

  #set(skips: (cpu: number) => number): void {
    this.#skips = skips;
    this.apply();
  }

  /** CPUs that were reset have lost it. */
  apply(): void {
    const { i32, plan } = this.#shared;
    for (let cpu = 0; cpu < plan.cpuCount; cpu++) Atomics.store(i32, (cpuBase(plan, cpu) + Cpu.at.traceSkips) >> 2, this.#skips(cpu));
  }
}

function rangeOf(addresses: TraceAddresses, symbols: MachineSymbols, n: number): Range {
  const name = `traceFilter.addresses[${n}]`;
  if (typeof addresses !== 'object') return placeOf(addresses, symbols, name);
  const [{ first }, { last }] = [placeOf(addresses.from, symbols, name), placeOf(addresses.to, symbols, name)];
  if (last < first) throw new DragomanError('BAD_OPTION', `'${addresses.to}' lies before '${addresses.from}'`, name);
  return { first, last };
}

function placeOf(place: TracePlace, symbols: MachineSymbols, name: string): Range {
  if (typeof place === 'number') return { first: place, last: place };
  const found = symbols.extent(place);
  if (found !== undefined) return found;
  const why = symbols.areKnown ? '' : ': the names of the kernel are not known (its System.map, or a file with a symbol table, has them)';
  throw new DragomanError('BAD_OPTION', `there is no name '${place}'${why}`, name);
}
