// The client flame of a machine, from its start or attached while it runs: one at a time. What the last one gathered stays there when it is detached.
import type { ClientRequest } from '../api/clients.ts';
import { DragomanError } from '../api/errors.ts';
import type { AttachedClient, FlameFormat, FlameStats } from '../api/options.ts';
import { FlameClient, type FlameOptions } from '../clients/flame/client.ts';
import { FLAME_FORMAT } from '../clients/flame/options.ts';

/** The CPUs' rings are emptied so often. */
const DRAIN_MS = 100;

export interface MachineFlameOptions extends Omit<FlameOptions, 'sampling'> {
  readonly sampling: () => FlameOptions['sampling'];
  /** Whether CPUs run, or will run on: the run has begun. */
  readonly runs: () => boolean;
}

export class MachineFlame {
  readonly #options: MachineFlameOptions;
  #client: FlameClient | undefined;
  #attached = false;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(options: MachineFlameOptions) {
    this.#options = options;
  }

  /** What it sees of the console (ConsolePart). */
  readonly part = {
    watches: true,
    see: (bytes: Uint8Array): void => {
      if (this.#attached && this.#client!.part.watches) this.#client!.part.see(bytes);
    },
  };

  /** While no CPU runs. Throws BAD_OPTION. */
  attach(request: ClientRequest): AttachedClient {
    if (this.#attached) throw new DragomanError('BAD_OPTION', 'the client flame is attached already', 'clients');
    const client = new FlameClient(request, { ...this.#options, sampling: this.#options.sampling() });
    this.#client = client;
    this.#attached = true;
    if (this.#options.runs()) this.begin();
    return {
      name: request.name,
      report: () => client.stats,
      ask: (question) => client.write(FLAME_FORMAT.take(question, 'ask')),
      detach: async () => {
        if (client === this.#client) this.#detach();
      },
    };
  }

  /** The run begins. */
  begin(): void {
    if (!this.#attached) return;
    this.#client!.begin();
    this.#timer = setInterval(() => this.#client!.drain(), DRAIN_MS);
  }

  #detach(): void {
    this.stop();
    this.#attached = false;
  }

  /** The run is over. */
  stop(): void {
    clearInterval(this.#timer);
    this.#client?.stop();
  }

  /** Undefined: there has been none. */
  get stats(): FlameStats | undefined {
    return this.#client?.stats;
  }

  async write(format?: FlameFormat): Promise<Uint8Array> {
    if (this.#client === undefined) throw new DragomanError('BAD_STATE', 'the client flame was not asked for');
    return this.#client.write(format === undefined ? undefined : FLAME_FORMAT.take(format, 'format'));
  }
}
