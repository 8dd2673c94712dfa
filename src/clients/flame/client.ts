// The client flame of a machine: has its CPUs sampled in the part of the run that it is asked for, gathers what they leave in their rings, and writes it in one of the forms.
import type { ClientRequest } from '../../api/clients.ts';
import type { FlameFormat, FlameStats } from '../../api/options.ts';
import type { SharedMemory } from '../../cpu/state.ts';
import { host } from '../../host/node.ts';
import { Cpu } from '../../layout/cpu.ts';
import { Control, controlWord, cpuBase } from '../../layout/memory.ts';
import { Standstill } from '../../machine/board/standstill.ts';
import { ConsolePart } from '../../machine/console-part.ts';
import { folded } from './folded.ts';
import { type CodeNames, named } from './names.ts';
import { type FlameSettings, flameSettings } from './options.ts';
import { pprof } from './pprof.ts';
import { Profile } from './profile.ts';
import { drainSamples, type Sample } from './rings.ts';
import type { SliceSampling } from './slices.ts';
import { speedscope } from './speedscope.ts';

export interface FlameOptions {
  readonly shared: SharedMemory;
  /** What the guest is called in profiles. */
  readonly kernelName: string | undefined;
  /** Who knows the guest's names when a profile is written. */
  readonly names: () => CodeNames;
  /** Of a lockstep machine; undefined: CPUs are threads. */
  readonly sampling: SliceSampling | undefined;
}

/** What of a CPU is in the profile: its time in HLT until its last sample, and how many it had lost then. */
interface Seen {
  readonly idleNs: number;
  readonly lost: number;
}

const TEXT = new TextEncoder();
const gzip = async (bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> =>
  new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(new CompressionStream('gzip'))).arrayBuffer());

export class FlameClient {
  readonly settings: FlameSettings;
  readonly part: ConsolePart;
  readonly #options: FlameOptions;
  readonly #profile: Profile;
  readonly #seen: Seen[] = [];
  #samples = 0;
  #lost = 0;
  #on = false;

  constructor({ options: texts }: ClientRequest, options: FlameOptions) {
    this.settings = flameSettings(texts, 'clients');
    this.#options = options;
    this.#profile = new Profile(options.shared.plan.cpuCount);
    this.part = new ConsolePart(texts, { onBegin: () => this.#start(), onEnd: () => this.stop() });
  }

  /** The run begins, or the client is attached to one that has. */
  begin(): void {
    if (this.part.begun) this.#start();
  }

  #start(): void {
    this.drain();
    for (let cpu = 0; cpu < this.#options.shared.plan.cpuCount; cpu++)
      this.#seen[cpu] = { idleNs: this.#idleNs(cpu), lost: this.#lostBy(cpu) };
    this.#set(true);
  }

  /** The part is over, or the run. */
  stop(): void {
    if (!this.#on) return;
    this.drain();
    this.#catchUp();
    this.#set(false);
  }

  #set(on: boolean): void {
    this.#on = on;
    const { sampling } = this.#options;
    if (sampling !== undefined) {
      sampling.want(on ? { hz: this.settings.hz, onSample: () => this.drain() } : undefined);
      return;
    }
    const { i32 } = this.#options.shared;
    const signal = controlWord(Control.at.timerSignal);
    Atomics.store(i32, controlWord(Control.at.flameHz), on ? this.settings.hz : 0);
    Atomics.add(i32, signal, 1);
    Atomics.notify(i32, signal);
  }

  #lostBy(cpu: number): number {
    const { i32, plan } = this.#options.shared;
    return i32[(cpuBase(plan, cpu) + Cpu.at.flameLost) >> 2]! >>> 0;
  }

  /** That a CPU has waited in HLT until now. */
  #idleNs(cpu: number): number {
    const { shared, sampling } = this.#options;
    if (sampling !== undefined) return sampling.idleNs(cpu);
    const word = (offset: number) => {
      const at = (cpuBase(shared.plan, cpu) + offset) >> 2;
      return (shared.i32[at]! >>> 0) + (shared.i32[at + 1]! >>> 0) * 2 ** 32;
    };
    const since = word(Cpu.at.idleSinceNs);
    const now = new Standstill(shared.memory).since(host.monotonicNs);
    return word(Cpu.at.idleNs) + (since === 0 ? 0 : Math.max(Math.round(now) - since, 0));
  }

  /** Takes what is in the rings. */
  drain(): void {
    drainSamples(this.#options.shared, (sample) => this.#take(sample));
  }

  #take({ cpu, user, cr3, frames, cut, ns, idleNs, lost }: Sample): void {
    if (!this.#on) return;
    const { level } = this.settings;
    this.#account(cpu, idleNs, lost);
    if (level !== 'both' && user !== (level === 'user')) return;
    this.#samples++;
    this.#profile.add(cpu, { frames, process: user ? cr3 : undefined, cut }, ns || this.#periodNs);
  }

  /** What a CPU has waited and lost since it was last looked at. */
  #account(cpu: number, idleNs: number, lost: number): void {
    const seen = this.#seen[cpu]!;
    const missed = Math.max((lost - seen.lost) | 0, 0);
    if (this.settings.idle) this.#profile.addSpecial(cpu, 'idle', Math.max(idleNs - seen.idleNs, 0), 0);
    this.#profile.addSpecial(cpu, 'lost', missed * this.#periodNs, missed);
    this.#lost += missed;
    this.#seen[cpu] = { idleNs: Math.max(idleNs, seen.idleNs), lost: seen.lost + missed };
  }

  /** What no sample has told yet. */
  #catchUp(): void {
    for (const cpu of this.#seen.keys()) this.#account(cpu, this.#idleNs(cpu), this.#lostBy(cpu));
  }

  get #periodNs(): number {
    return 1e9 / this.settings.hz;
  }

  get stats(): FlameStats {
    const { hz } = this.settings;
    return {
      begun: this.part.begun,
      ended: this.part.ended,
      hz,
      samples: this.#samples,
      lost: this.#lost,
      stacks: this.#profile.stacks.length,
    };
  }

  /** The profile so far, as the bytes of a file. */
  async write(format: FlameFormat = this.settings.format): Promise<Uint8Array> {
    if (this.#on) {
      this.drain();
      this.#catchUp();
    }
    const profile = this.#profile;
    const names = named(profile, this.#options.names());
    const guest = this.#options.kernelName ?? 'guest';
    switch (format) {
      case 'folded':
        return TEXT.encode(folded(profile, names));
      case 'speedscope':
        return TEXT.encode(speedscope(profile, names, guest));
      case 'pprof':
        return gzip(pprof(profile, names, guest, this.#periodNs));
    }
  }
}
