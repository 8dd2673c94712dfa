// The clients of a machine, on the thread of its user: attaches and detaches them while no CPU runs, gives them their room, and asks them for what they found (docs/clients.md).

import { FIXED, LATE } from '../api/client-names.ts';
import type { ClientRequest } from '../api/clients.ts';
import { DragomanError } from '../api/errors.ts';
import type { AttachedClient } from '../api/options.ts';
import type { Client } from '../clients/client.ts';
import { loadClient, ownModule } from '../clients/load.ts';
import { importOwn } from '../clients/own.ts';
import { type ClientEntry, factsOf, writeClients } from '../clients/table.ts';
import { ClientView, type KernelNames } from '../clients/view.ts';
import type { SharedMemory } from '../cpu/state.ts';
import { host } from '../host/node.ts';
import { ClientTells } from '../layout/clients.ts';
import { CLIENT_CPU_BYTES, Control, CpuArea, controlWord, cpuBase } from '../layout/memory.ts';

/** At once. */
const MOST_CLIENTS = 31;
const ROOM_ALIGN = 64;

export interface MachineClientsParts {
  readonly shared: SharedMemory;
  /** Loads what makes code of a client, by its module. */
  readonly prepare: (module: string) => Promise<void>;
  /** Attaches the client flame, which adds nothing to code. While no CPU runs. */
  readonly flame: (request: ClientRequest) => AttachedClient;
  /** Does something while no CPU runs, whatever state the machine is in. Rejects with ENDED where its run has ended, or ends first. */
  readonly atRest: (work: () => void) => Promise<void>;
  readonly names: KernelNames;
  readonly kernel: Uint8Array | undefined;
  /** What of the run comes again, if anything. */
  readonly again: 'reverse' | 'recording' | undefined;
}

interface Attached {
  readonly entry: ClientEntry;
  readonly client: Client;
  readonly view: ClientView;
  /** What it had found when it was detached. */
  last?: unknown;
}

/** A piece of room. */
interface Piece {
  readonly at: number;
  readonly bytes: number;
}

/** Where `bytes` bytes are free between pieces that are taken, from `from` to `to`; undefined: nowhere. */
function findRoom(taken: readonly Piece[], from: number, to: number, bytes: number): number | undefined {
  let at = from;
  for (const piece of [...taken].sort((a, b) => a.at - b.at)) {
    if (piece.at - at >= bytes) return at;
    at = Math.max(at, piece.at + piece.bytes);
  }
  return to - at >= bytes ? at : undefined;
}

const bytesOf = (wanted: number | undefined, what: string): number => {
  if (wanted !== undefined && (!Number.isSafeInteger(wanted) || wanted < 0))
    throw new DragomanError('BAD_OPTION', `a client wants ${String(wanted)} bytes of ${what}`, 'clients');
  return Math.ceil((wanted ?? 0) / ROOM_ALIGN) * ROOM_ALIGN;
};

export class MachineClients {
  readonly #parts: MachineClientsParts;
  readonly #attached: Attached[] = [];
  #nextId = 1;

  constructor(parts: MachineClientsParts) {
    this.#parts = parts;
  }

  /** Attaches a client. Rejects with BAD_OPTION, and with ENDED where the run has ended. */
  async attach(request: ClientRequest): Promise<AttachedClient> {
    const { name, module, options, level, ranges } = request;
    const { shared, names, kernel } = this.#parts;
    if (module === undefined && name === 'flame') {
      let flame: AttachedClient | undefined;
      await this.#parts.atRest(() => {
        flame = this.#parts.flame(request);
      });
      return flame!;
    }
    const { client, address } = await this.#made(request);
    const { room = {} } = client;
    const [cpu, all] = [bytesOf(room.cpu, 'room of each CPU'), bytesOf(room.shared, 'room')];
    let attached: Attached | undefined;
    await this.#parts.atRest(() => {
      const placed = this.#place(name, cpu, all);
      this.#clear(placed, cpu, all);
      const entry: ClientEntry = { id: this.#nextId++, name, module: address, options, level, ranges, placed };
      const view = new ClientView(shared, placed, { cpu: room.cpu ?? 0, shared: room.shared ?? 0 }, names, kernel);
      client.attached?.(view);
      this.#attached.push((attached = { entry, client, view }));
      this.#tell();
    });
    return this.#handle(attached!);
  }

  /** Loads what is to be attached later. Rejects with BAD_OPTION, as attach() does. */
  async prepare({ options: { from, ...options }, ...request }: ClientRequest): Promise<void> {
    await this.#made({ ...request, options });
  }

  /** A client, and its module's address. */
  async #made({ name, module, options }: ClientRequest): Promise<{ readonly client: Client; readonly address: string }> {
    const { shared, prepare, again } = this.#parts;
    if (again === 'reverse')
      throw new DragomanError('NOT_SUPPORTED', 'not supported with reverse: clients, which would count what comes again', 'attach');
    if (module === undefined && FIXED.includes(name))
      throw new DragomanError('BAD_OPTION', `${name} goes with a run from its start: it is an option of Machine.create`, 'clients');
    if (module === undefined && LATE.includes(name) && options.from !== undefined)
      throw new DragomanError('BAD_OPTION', `from, of the client ${name}, is for a client of Machine.create`, 'clients');
    const address = module === undefined ? ownModule(name) : host.moduleAddress(module);
    const make = await loadClient(address, importOwn);
    await prepare(address);
    let client: Client;
    try {
      client = make(options, factsOf(shared));
    } catch (cause) {
      throw new DragomanError('BAD_OPTION', `the client ${name}: ${(cause as Error).message}`, 'clients', { cause });
    }
    if (again === 'recording' && client.cutsTurns)
      throw new DragomanError(
        'NOT_SUPPORTED',
        `not supported with a recording: the client ${name}, which makes another run of it`,
        'clients',
      );
    return { client, address };
  }

  #handle(attached: Attached): AttachedClient {
    return {
      name: attached.entry.name,
      report: () => this.#report(attached),
      ask: (question) => {
        const { client, view } = attached;
        if (client.ask === undefined)
          throw new DragomanError('BAD_OPTION', `the client ${attached.entry.name} can be asked for nothing`, 'ask');
        return client.ask(view, question);
      },
      detach: () => this.#detach(attached),
    };
  }

  #report(attached: Attached): unknown {
    return this.#attached.includes(attached) ? attached.client.report(attached.view) : attached.last;
  }

  async #detach(attached: Attached): Promise<void> {
    await this.#parts.atRest(() => {
      const at = this.#attached.indexOf(attached);
      if (at < 0) return;
      attached.last = attached.client.report(attached.view);
      this.#attached.splice(at, 1);
      this.#tell();
      attached.client.detached?.(attached.view);
    });
  }

  /** The run has ended. */
  ended(): void {
    for (const { client, view } of this.#attached) client.ended?.(view);
  }

  /** What each has found, by name; of several of a name the last one's. */
  reports(): Readonly<Record<string, unknown>> {
    return Object.fromEntries(this.#attached.map((attached) => [attached.entry.name, this.#report(attached)]));
  }
  get any(): boolean {
    return this.#attached.length > 0;
  }

  /** Throws BAD_OPTION where there is no room. */
  #place(name: string, cpu: number, all: number): ClientEntry['placed'] {
    if (this.#attached.length >= MOST_CLIENTS)
      throw new DragomanError('BAD_OPTION', `there are ${MOST_CLIENTS} clients already`, 'clients');
    const { plan } = this.#parts.shared;
    const taken = this.#attached.map(({ entry: { placed }, client: { room = {} } }) => ({ placed, room }));
    const ofCpu = findRoom(
      taken.map(({ placed, room }) => ({ at: placed.cpu, bytes: bytesOf(room.cpu, '') })),
      CpuArea.at.clients,
      CpuArea.at.clients + CLIENT_CPU_BYTES,
      cpu,
    );
    const shared = findRoom(
      taken.map(({ placed, room }) => ({ at: placed.shared, bytes: bytesOf(room.shared, '') })),
      plan.clients,
      plan.clients + plan.clientBytes,
      all,
    );
    if (ofCpu === undefined || shared === undefined) {
      const what = ofCpu === undefined ? `${cpu} bytes of each CPU` : `${all} bytes`;
      const most = ofCpu === undefined ? CLIENT_CPU_BYTES : plan.clientBytes;
      throw new DragomanError(
        'BAD_OPTION',
        `the client ${name} wants ${what}; all clients together have ${most}, less where guest RAM is large`,
        'clients',
      );
    }
    return { cpu: ofCpu, shared };
  }

  #clear(placed: ClientEntry['placed'], cpu: number, all: number): void {
    const { i32, plan } = this.#parts.shared;
    // What nobody has written to is no memory of the host's, and is to stay so.
    const clear = (at: number, bytes: number) => {
      for (let word = at >> 2; word < (at + bytes) >> 2; word++) if (i32[word] !== 0) i32[word] = 0;
    };
    for (let n = 0; n < plan.cpuCount; n++) clear(cpuBase(plan, n) + placed.cpu, cpu);
    clear(placed.shared, all);
  }

  /** The list has changed: CPUs see it before they run on, and the translator is woken. */
  #tell(): void {
    const { shared } = this.#parts;
    writeClients(
      shared,
      this.#attached.map(({ entry }) => entry),
    );
    const some = (bit: number, wants: (client: Client) => unknown) => (this.#attached.some(({ client }) => wants(client)) ? bit : 0);
    shared.i32[controlWord(Control.at.clientTells)] =
      some(ClientTells.CROSSING, ({ crossing }) => crossing) |
      some(ClientTells.CROSSED, ({ crossed }) => crossed) |
      some(ClientTells.ACCESS, ({ access }) => access);
    shared.i32[controlWord(Control.at.placed)] = this.#attached.length > 0 ? 1 : 0;
    const signal = controlWord(Control.at.heatSignal);
    Atomics.add(shared.i32, signal, 1);
    Atomics.notify(shared.i32, signal);
  }
}
