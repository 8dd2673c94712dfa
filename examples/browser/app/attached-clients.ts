// The clients that panels have attached to the session's machine: they stay when a panel is closed, and are gone with the machine.
import { effect, type Signal, signal } from '@preact/signals';
import type { AttachedClient, Machine } from '../../../src/api/index.ts';
import { type Report, reportOf, type Session } from './session.ts';

export interface Attached {
  /** As it was asked for: 'sharing:granule=4096'. */
  readonly word: string;
  readonly client: AttachedClient;
}

/** The client's name, without options. */
export const nameOfWord = (word: string): string => word.split(':')[0]!;

export class AttachedClients {
  readonly list: Signal<readonly Attached[]> = signal([]);
  /** Names of those that are being attached or detached. */
  readonly busy: Signal<readonly string[]> = signal([]);
  readonly error: Signal<Report | undefined> = signal(undefined);
  readonly #session: Session;
  #machine: Machine | undefined;

  constructor(session: Session) {
    this.#session = session;
    effect(() => {
      const machine = session.machine.value;
      if (machine === this.#machine) return;
      this.#machine = machine;
      this.list.value = [];
      this.error.value = undefined;
    });
  }

  /** The one of a name. */
  of(name: string): Attached | undefined {
    return this.list.value.find(({ word }) => nameOfWord(word) === name);
  }

  attach(word: string): Promise<void> {
    return this.#work(nameOfWord(word), async (machine) => {
      const client = await machine.attach(word);
      if (machine === this.#machine) this.list.value = [...this.list.value, { word, client }];
    });
  }

  detach(name: string): Promise<void> {
    return this.#work(name, async () => {
      const attached = this.of(name);
      if (attached === undefined) return;
      await attached.client.detach();
      this.list.value = this.list.value.filter((one) => one !== attached);
    });
  }

  /** Somebody has read it. */
  forgetError(): void {
    this.error.value = undefined;
  }

  /** One thing at a time with each client. What goes wrong is a report. */
  async #work(name: string, what: (machine: Machine) => Promise<void>): Promise<void> {
    const machine = this.#session.machine.value;
    if (machine === undefined || this.busy.value.includes(name)) return;
    this.busy.value = [...this.busy.value, name];
    this.error.value = undefined;
    try {
      await what(machine);
    } catch (error) {
      this.error.value = reportOf(`The client ${name}`, error);
    } finally {
      this.busy.value = this.busy.value.filter((one) => one !== name);
    }
  }
}

const known = new WeakMap<Session, AttachedClients>();

/** Those of a session. */
export function clientsOf(session: Session): AttachedClients {
  let clients = known.get(session);
  if (clients === undefined) {
    clients = new AttachedClients(session);
    known.set(session, clients);
  }
  return clients;
}
