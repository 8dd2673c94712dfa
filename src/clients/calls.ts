// What code of a CPU calls of its clients on the CPU's thread: functions that a client's hooks named (ClientBuilder.callIf), and what a client wants to know of each way into the kernel and out of it.

import type { SharedMemory } from '../cpu/state.ts';
import { codeLevel } from '../instrument/places.ts';
import { ClientWords, CROSSED_BY, CrossedBy } from '../layout/clients.ts';
import { Cpu } from '../layout/cpu.ts';
import { CpuArea } from '../layout/memory.ts';
import { CALL_BITS } from './builder.ts';
import type { Crossing } from './client.ts';
import type { MadeClient } from './instruments.ts';
import { ClientView, NO_NAMES } from './view.ts';

/** By CrossedBy. */
const BY: Readonly<Record<number, NonNullable<Crossing['delivery']>['by']>> = {
  [CrossedBy.EXCEPTION]: 'exception',
  [CrossedBy.INTERRUPT]: 'interrupt',
  [CrossedBy.INSTRUCTION]: 'instruction',
};

interface Called extends Pick<MadeClient, 'client'> {
  readonly view: ClientView;
}

export class ClientCalls {
  readonly #shared: SharedMemory;
  /** Of the CPU's state. */
  readonly #base: number;
  readonly #index: number;
  readonly #byId = new Map<number, Called>();
  readonly #crossed: Called[] = [];

  constructor(shared: SharedMemory, base: number, clients: readonly MadeClient[]) {
    this.#shared = shared;
    this.#base = base;
    this.#index = this.#word(Cpu.at.index);
    for (const { entry, client } of clients) {
      const called = { client, view: new ClientView(shared, entry.placed, client.room ?? {}, NO_NAMES) };
      this.#byId.set(entry.id, called);
      if (client.crossed !== undefined) this.#crossed.push(called);
    }
  }

  #word(offset: number): number {
    return this.#shared.i32[(this.#base + offset) >> 2]! >>> 0;
  }

  call(which: number, eip: number, eflags: number, ...values: readonly number[]): void {
    const called = this.#byId.get(which >>> CALL_BITS);
    const number = which & ((1 << CALL_BITS) - 1);
    called?.client.called?.(called.view, {
      cpu: this.#index,
      number,
      values: values.map((value) => value >>> 0),
      eip: eip >>> 0,
      eflags: eflags >>> 0,
    });
  }

  /** The CPU's code has been told of it (wasm/clients/told.ts). */
  crossing(): void {
    const to = codeLevel(this.#word(Cpu.at.mode));
    const told = this.#word(CpuArea.at.clientWords + ClientWords.at.by);
    const by = BY[told >>> CROSSED_BY];
    const delivery = by && { vector: told & 0xff, eip: this.#word(CpuArea.at.clientWords + ClientWords.at.at), by };
    for (const { client, view } of this.#crossed) client.crossed!(view, { cpu: this.#index, to, delivery });
  }
}
