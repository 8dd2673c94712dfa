// `dragoman run` on a machine that plays a script instead of running a guest, so that the tests reach every way a run can end.
// The script is the kernel file: JSON, a list of steps.
import type { MachineActivity } from '../../../src/api/activity.ts';
import type { RunResult } from '../../../src/api/ending.ts';
import { type MachineHandle, type MachineOptions, type MachineStats, MiB } from '../../../src/api/options.ts';
import type { CodeRegions } from '../../../src/api/regions.ts';
import { parseCommand } from '../../../src/cli/arguments.ts';
import { leave } from '../../../src/cli/leave.ts';
import { run } from '../../../src/cli/run.ts';
import { MachineChannel } from '../../../src/machine/channel.ts';
import { MachineEvents } from '../../../src/machine/events.ts';

export type Step =
  | { readonly print: string }
  | { readonly flood: number }
  | { readonly debug: string }
  | { readonly virtio: string }
  | { readonly frame: number }
  | { readonly post: number }
  | { readonly trace: string }
  | { readonly record: string }
  | { readonly wait: number }
  | { readonly echo: number }
  | { readonly throw: string }
  | { readonly end: RunResult };

const STATS: MachineStats = {
  wallMs: 1,
  instructions: 2,
  instructionsAre: 'counted',
  timesAre: 'measured',
  engines: { interpreter: { ms: 0, samples: 0, instructions: 2 }, jit: { ms: 0, samples: 0, instructions: 0 } },
  idleMs: 0,
  translator: {
    ms: 0,
    publishMs: 0,
    regions: 0,
    modules: 0,
    encoder: null,
    encoderFailed: false,
    modulesBy: { binaryen: 0, direct: 0 },
    bytes: 0,
    cacheHits: 0,
    cacheMisses: 0,
    flushes: 0,
    failed: 0,
  },
  installs: { ms: 0, modules: 0 },
  directMapBytes: [0],
  stackRefusals: 0,
  tlbMisses: 0,
  faults: 0,
  interrupts: 0,
  exits: {},
  exitMs: {},
  hostCalls: null,
  slowPaths: null,
  instructionsByCpu: null,
};

/** What a script has no use for. */
const unscripted = (): Promise<never> => Promise.reject(new Error('a script plays no such part'));

class ScriptedMachine extends MachineEvents implements MachineHandle {
  readonly #options: MachineOptions;
  readonly #typed: number[] = [];
  #stopped: string | undefined;
  constructor(options: MachineOptions) {
    super();
    this.#options = options;
    options.net?.connect?.({ receive: (frame) => this.#say(`a frame of ${frame.length}`) });
  }

  dump(): string {
    return 'of no CPU';
  }

  async describeCpus(): Promise<string> {
    return 'CPU 0: at 00001000';
  }

  screenText(): string {
    return '';
  }

  memoryHash(): string {
    return 'of no memory';
  }

  readonly cpus = [];
  readonly memory = { physical: { read: () => new Uint8Array(), write: () => {} } };
  loadSymbols(): void {}
  loadGuestSymbols = (): number => 0;
  symbol(): undefined {}
  symbolAt(): undefined {}

  #say(text: string): boolean {
    this.#options.onConsole?.(Buffer.from(text));
    return true;
  }

  async run(): Promise<RunResult> {
    const { kernel, onConsole, onVirtioConsole, onDebugConsole, onPost, net } = this.#options;
    for (const step of JSON.parse(Buffer.from(kernel as Uint8Array).toString()) as Step[]) {
      if ('print' in step) this.#say(step.print);
      else if ('flood' in step) onConsole?.(new Uint8Array(step.flood * MiB).fill(0x2e));
      else if ('debug' in step) onDebugConsole?.(Buffer.from(step.debug));
      else if ('virtio' in step) onVirtioConsole?.(Buffer.from(step.virtio));
      else if ('frame' in step) net === undefined ? this.#say('no card') : net.onFrame(new Uint8Array(step.frame));
      else if ('post' in step) onPost?.(Uint8Array.of(step.post));
      else if ('trace' in step) this.#options.onTrace?.(step.trace);
      else if ('record' in step) this.#options.lockstep?.onRecord?.(step.record);
      else if ('wait' in step) await this.#until(() => false, step.wait);
      else if ('throw' in step) throw new Error(step.throw);
      else if ('end' in step) return this.#stopped === undefined ? step.end : { kind: 'stopped', reason: this.#stopped };
      else {
        await this.#until(() => this.#typed.length >= step.echo, 10_000);
        onConsole?.(Uint8Array.from(this.#typed.splice(0)));
      }
      if (this.#stopped !== undefined) break;
    }
    return { kind: 'stopped', reason: this.#stopped ?? 'end of script' };
  }

  async #until(done: () => boolean, ms: number): Promise<void> {
    const end = Date.now() + ms;
    while (Date.now() < end && this.#stopped === undefined && !done()) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  readonly state = 'running';
  readonly pause = unscripted;
  readonly resume = unscripted;
  readonly step = unscripted;
  readonly canGoBack = false;
  readonly stepBack = unscripted;
  readonly runBack = unscripted;
  readonly inspectRegion = unscripted;
  readonly goTo = unscripted;
  readonly mode = 'relaxed';
  readonly relaxations = [];
  readonly reset = unscripted;
  readonly setBreakpoint = unscripted;
  readonly setWatchpoint = unscripted;
  readonly gdb = unscripted;
  readonly attach = unscripted;
  readonly console = new MachineChannel((bytes) => this.sendInput(bytes));
  readonly virtioConsole = undefined;
  async close(): Promise<void> {
    this.stop('closed');
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
  sendInput(bytes: Uint8Array): undefined {
    this.#typed.push(...bytes);
  }
  sendVirtioConsole(): undefined {}
  sendFrame(): boolean {
    return false;
  }
  async snapshot(): Promise<Uint8Array> {
    return new TextEncoder().encode('all of it');
  }
  async flame(): Promise<Uint8Array> {
    return new TextEncoder().encode('a profile');
  }
  relax(): void {}
  setMode(): void {}
  stop(reason: string): void {
    this.#stopped ??= reason;
  }
  regions(): CodeRegions {
    return { generation: 0, whole: true, regions: [], gone: [], cpus: [], heat: [] };
  }

  stats(): MachineStats {
    return STATS;
  }

  activity(): MachineActivity {
    return { state: this.state, ms: 0, cpus: [], regions: 0, installs: 0 };
  }
}

if (import.meta.main) {
  const command = parseCommand(['run', ...process.argv.slice(2)]);
  if (command.name !== 'run') throw new Error('not a run');
  const status = await run(command.arguments, async (options) => new ScriptedMachine(options), {
    stdin: process.stdin,
    stdout: process.stdout,
    say: (message) => void process.stderr.write(`dragoman: ${message}\n`),
    onSignal(listener) {
      process.on('SIGTERM', listener);
      return () => void process.off('SIGTERM', listener);
    },
    onQuestion: () => () => {},
  });
  leave(status);
}
