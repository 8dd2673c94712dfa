// The demo page: a machine and its serial console in a browser. serai is the guest until somebody brings a kernel.
import { FitAddon } from '@xterm/addon-fit';
import { Terminal } from '@xterm/xterm';
import './page.css';
import { largestMemory, Machine, type MachineOptions, MiB, MOST_CPUS, type RunResult } from '../../src/api/index.ts';

/** As many CPUs as `npm start` takes by itself. */
const USUAL_CPUS = 4;
const STATS_MS = 1000;

const element = <T extends HTMLElement>(id: string) => document.getElementById(id) as T;
const input = (id: string) => element<HTMLInputElement>(id);
const [form, start, stop] = [element<HTMLFormElement>('machine'), element<HTMLButtonElement>('start'), element<HTMLButtonElement>('stop')];
const [state, stats] = [element('state'), element('stats')];

const terminal = new Terminal({ scrollback: 10_000, cursorBlink: true });
const fit = new FitAddon();
terminal.loadAddon(fit);
terminal.open(element('screen'));
fit.fit();
new ResizeObserver(() => fit.fit()).observe(element('screen'));

let machine: Machine | undefined;
const keys = new TextEncoder();
terminal.onData((text) => machine?.sendInput(keys.encode(text)));
terminal.onBinary((text) => machine?.sendInput(Uint8Array.from(text, (char) => char.charCodeAt(0))));

async function fileOf(id: string): Promise<Uint8Array | undefined> {
  const file = input(id).files?.[0];
  return file && new Uint8Array(await file.arrayBuffer());
}

async function serai(): Promise<Uint8Array> {
  const response = await fetch(new URL('serai.elf', import.meta.url));
  if (!response.ok) throw new Error(`serai.elf: ${response.status} ${response.statusText}`);
  return new Uint8Array(await response.arrayBuffer());
}

/** What Chromium tells of the processor. */
interface UserAgentData {
  getHighEntropyValues(hints: readonly string[]): Promise<{ architecture?: string }>;
}

/** Whether the browser says that it runs on an x86. */
async function isX86(): Promise<boolean> {
  const { userAgentData } = navigator as { userAgentData?: UserAgentData };
  return (await userAgentData?.getHighEntropyValues(['architecture']))?.architecture === 'x86';
}

async function options(): Promise<MachineOptions> {
  const cpus = input('cpus').valueAsNumber;
  return {
    kernel: (await fileOf('kernel')) ?? (await serai()),
    initrd: await fileOf('initrd'),
    append: input('append').value,
    cpus,
    memoryBytes: input('memory').valueAsNumber * MiB,
    // One CPU alone sees its accesses in order anyhow.
    strictOrder: cpus > 1 && !(await isX86()),
    onConsole: (bytes) => terminal.write(bytes),
  };
}

function say(text: string, isError = false): void {
  state.textContent = text;
  state.classList.toggle('error', isError);
}

function sayEnd(result: RunResult, seconds: number): void {
  const after = ` (${seconds.toFixed(1)} s)`;
  switch (result.kind) {
    case 'power-off':
      return say(`the guest powered off${after}`);
    case 'reset':
      return say(`the guest asked for a reset${after}`);
    case 'halted':
      return say(`the guest halted for good${after}`);
    case 'debug-exit':
      return say(`the guest ended the run with ${result.value}${after}`);
    case 'stopped':
      return say(`${result.reason}${after}`);
    case 'triple-fault':
      return say(`the guest crashed: triple fault${after}\n${result.dump}`, true);
    case 'internal-error':
      return say(`${result.message}${after}\n${result.dump}`, true);
  }
}

function showStats(running: Machine): void {
  const { translator } = running.stats();
  stats.textContent = `${translator.regions} regions in ${translator.modules} modules`;
}

async function run(): Promise<void> {
  start.disabled = true;
  terminal.reset();
  stats.textContent = '';
  say('starting');
  const started = performance.now();
  let timer: ReturnType<typeof setInterval> | undefined;
  try {
    const running = await Machine.create(await options());
    machine = running;
    const end = running.run();
    say('running');
    stop.disabled = false;
    terminal.focus();
    timer = setInterval(() => showStats(running), STATS_MS);
    const result = await end;
    showStats(running);
    sayEnd(result, (performance.now() - started) / 1000);
  } catch (error) {
    say((error as Error).message, true);
  } finally {
    clearInterval(timer);
    machine = undefined;
    stop.disabled = true;
    start.disabled = false;
  }
}

function setLimits(): void {
  const cpus = input('cpus');
  input('memory').max = `${Math.floor(largestMemory(cpus.validity.valid ? cpus.valueAsNumber : 1) / MiB)}`;
}

input('cpus').max = `${MOST_CPUS}`;
input('cpus').value = `${Math.min(navigator.hardwareConcurrency, USUAL_CPUS)}`;
input('cpus').addEventListener('input', setLimits);
setLimits();
form.addEventListener('submit', (event) => {
  event.preventDefault();
  void run();
});
stop.addEventListener('click', () => machine?.stop('stopped'));
void run();
