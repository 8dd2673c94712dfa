// A CPU's handlers with hooks of clients: made from the same lifts as all others when its first block with such an instruction is decoded, and put into its table behind everything else. The
// handlers that were built know nothing of it.

import type { CodeHooks } from '../cache/blocks.ts';
import type { Instance } from '../cpu/runtime.ts';
import type { SharedMemory } from '../cpu/state.ts';
import type { Instruction } from '../decode/instruction.ts';
import { addHandler, addHead, addOperations } from '../emit/interpreter/handlers.ts';
import { Emitter } from '../emit/module.ts';
import { hasHooks, type Level } from '../instrument/hooks.ts';
import type { Instrument } from '../instrument/instrument.ts';
import { codeLevel } from '../instrument/places.ts';
import { accessParts, crossingParts, type RuntimePart } from '../instrument/runtime-places.ts';
import { ClientWords, NOTED_ACCESSES, NotedAccess } from '../layout/clients.ts';
import { Mode } from '../layout/cpu.ts';
import { CLIENT_HANDLERS, TABLE_ENTRIES } from '../layout/memory.ts';

const hasBlock = ({ block }: Instrument): boolean => block !== undefined;
const hasAny = (client: Instrument): boolean => hasBlock(client) || hasHooks(client);

/** Entries that the table grows by. */
const GROWTH = 1024;

export class ClientHandlers implements CodeHooks {
  readonly #instance: Instance;
  readonly #ramBytes: number;
  /** What the machine asks for beside clients. */
  readonly #others: readonly Instrument[];
  readonly #clients: readonly Instrument[];
  /** Table indices by what a handler is of: its form, or 'head', its level, and which clients are in it. */
  readonly #known = new Map<string, number>();
  #next: number = TABLE_ENTRIES;
  readonly perInstruction: boolean;

  /** At most 31 clients. */
  constructor(instance: Instance, { plan }: SharedMemory, others: readonly Instrument[], clients: readonly Instrument[]) {
    this.#instance = instance;
    this.#ramBytes = plan.ramBytes;
    this.#others = others;
    this.#clients = clients;
    this.perInstruction = clients.some(hasHooks);
  }

  /** A bit for each client that gets what is at an EIP. */
  #covering(level: Level, eip: number, wants: (client: Instrument) => boolean): number {
    let bits = 0;
    this.#clients.forEach((client, n) => {
      if (wants(client) && client.covers!(level, eip)) bits |= 1 << n;
    });
    return bits;
  }
  #of(bits: number): Instrument[] {
    return [...this.#others, ...this.#clients.filter((_, n) => (bits & (1 << n)) !== 0)];
  }

  head(eip: number, mode: number): number | undefined {
    const level = codeLevel(mode);
    const bits = this.#covering(level, eip, hasBlock);
    if (bits === 0) return undefined;
    const key = `head ${level} ${bits}`;
    return this.#known.get(key) ?? this.#make([[key, (e, name) => addHead(e, name, this.#of(bits), level)]])[0];
  }

  handlers(list: readonly Instruction[], mode: number): (number | undefined)[] {
    const level = codeLevel(mode);
    const step = (mode & Mode.STEP) !== 0;
    const missing = new Map<string, (e: Emitter, name: string) => void>();
    const keys = list.map(({ eip, key, form, spec }) => {
      const bits = spec === undefined ? 0 : this.#covering(level, eip, step ? hasAny : hasHooks);
      if (bits === 0) return undefined;
      const whole = `${key} | ${level} ${bits}${step ? ' step' : ''}`;
      if (!this.#known.has(whole)) {
        const place = { imports: true, step, level, ramBytes: this.#ramBytes };
        missing.set(whole, (e, name) => addHandler(e, name, form, spec!, this.#of(bits), place));
      }
      return whole;
    });
    if (missing.size > 0) this.#make([...missing]);
    return keys.map((key) => (key === undefined ? undefined : this.#known.get(key)));
  }

  /** What the runtime is to call (layout/clients.ts): table indices by where they stand in ClientWords. One that is not here is 0. */
  forRuntime(): ReadonlyMap<number, number> {
    const wanted = new Map<number, readonly RuntimePart[]>();
    (['kernel', 'user'] as const).forEach((to, n) => {
      wanted.set(ClientWords.at.crossing + n * 4, crossingParts(this.#clients, to));
    });
    for (let kind = 0; kind < NOTED_ACCESSES; kind++)
      if ((kind & NotedAccess.RUN) === 0 || (kind & NotedAccess.WORD) === 0)
        wanted.set(ClientWords.at.access + kind * 4, accessParts(this.#clients, kind, this.#ramBytes));
    const some = [...wanted]
      .map(([at, parts]) => [at, parts.filter(({ ops }) => ops.length > 0)] as const)
      .filter(([, parts]) => parts.length > 0);
    if (some.length === 0) return new Map();
    const indices = this.#make(some.map(([at, parts]) => [`runtime ${at}`, (e, name) => addOperations(e, name, parts)]));
    return new Map(some.map(([at], n) => [at, indices[n]!]));
  }

  /** Makes functions, as one module; their table indices. */
  #make(functions: readonly (readonly [key: string, add: (e: Emitter, name: string) => void])[]): number[] {
    const { table, stub, imports } = this.#instance;
    this.#instance.reach(TABLE_ENTRIES);
    const e = new Emitter();
    functions.forEach(([, add], n) => add(e, `f${n}`));
    const code = new WebAssembly.Instance(new WebAssembly.Module(e.finish() as Uint8Array<ArrayBuffer>), imports).exports;
    return functions.map(([key], n) => {
      const index = this.#next++;
      if (index >= TABLE_ENTRIES + CLIENT_HANDLERS) throw new Error('too many handlers for clients');
      if (index >= table.length) table.grow(Math.min(GROWTH, TABLE_ENTRIES + CLIENT_HANDLERS - table.length), stub);
      table.set(index, code[`f${n}`]);
      this.#known.set(key, index);
      return index;
    });
  }

  /** Takes all of them out of the table: nothing leads to them any more. */
  drop(): void {
    const { table, stub } = this.#instance;
    for (let index: number = TABLE_ENTRIES; index < this.#next; index++) table.set(index, stub);
    this.#known.clear();
    this.#next = TABLE_ENTRIES;
  }
}
