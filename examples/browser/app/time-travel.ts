// Ways through the past of the session's machine, one at a time: whoever asks for another one meanwhile ends the one that is being gone.
import { type Signal, signal } from '@preact/signals';
import { DragomanError, type Machine } from '../../../src/api/index.ts';
import { loadNames } from './kernel-names.ts';
import { type Report, reportOf, type Session } from './session.ts';

type Way = (machine: Machine) => Promise<string | undefined>;

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
export const instructions = (count: number): string => `${whole.format(count)} instruction${count === 1 ? '' : 's'}`;

export class TimeTravel {
  readonly isOnTheWay: Signal<boolean> = signal(false);
  /** How the last way ended, in a sentence. */
  readonly said: Signal<string> = signal('');
  readonly error: Signal<Report | undefined> = signal(undefined);
  readonly #session: Session;
  readonly #machine: Machine;
  #next: Way | undefined;

  constructor(session: Session, machine: Machine) {
    this.#session = session;
    this.#machine = machine;
    void loadNames(session, machine).then(() => session.look());
  }

  /** To where all CPUs together had executed so many. A machine that runs is paused for it. */
  goTo(instruction: number): void {
    this.#go(async (machine) => {
      await machine.goTo(instruction);
      return undefined;
    });
  }

  stepBack(cpu: number, count: number): void {
    this.#go(async (machine) => `CPU ${cpu} went back by ${instructions(await machine.stepBack(cpu, count))}`);
  }

  step(cpu: number, count: number): void {
    this.#go(async (machine) => `CPU ${cpu} went on by ${instructions(await machine.step(cpu, count))}`);
  }

  /** To where the last breakpoint before now was met. */
  runBack(): void {
    this.#go(async (machine) => {
      const [hit] = await machine.runBack();
      if (hit === undefined) return 'No breakpoint was met before: this is where the history begins';
      const { address } = hit.breakpoint;
      return `CPU ${hit.cpu} met the breakpoint at ${machine.symbolAt(address) ?? `0x${address.toString(16)}`} here`;
    });
  }

  /** Ends the way: the machine stands where it has come to. */
  end(): void {
    this.#next = undefined;
    void this.#machine.pause().catch(() => {});
  }

  #go(way: Way): void {
    this.#next = way;
    if (this.isOnTheWay.value) void this.#machine.pause().catch(() => {});
    else void this.#run();
  }

  async #run(): Promise<void> {
    this.isOnTheWay.value = true;
    this.error.value = undefined;
    try {
      if (this.#machine.state === 'running') await this.#session.pause();
      for (let way = this.#next; way !== undefined; way = this.#next) {
        this.#next = undefined;
        this.said.value = (await way(this.#machine)) ?? '';
        this.#session.look();
      }
    } catch (error) {
      this.#next = undefined;
      // The run was ended meanwhile, which the page says.
      if (!(error instanceof DragomanError && error.code === 'ENDED')) this.error.value = reportOf('There is no way there', error);
    } finally {
      this.isOnTheWay.value = false;
      this.#session.look();
    }
  }
}

const known = new WeakMap<Machine, TimeTravel>();
/** That of a machine, for as long as there is one. */
export function travelOf(session: Session, machine: Machine): TimeTravel {
  let travel = known.get(machine);
  if (travel === undefined) {
    travel = new TimeTravel(session, machine);
    known.set(machine, travel);
  }
  return travel;
}
