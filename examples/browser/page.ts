// The demo page: a machine and its serial console in a browser. serai is the guest until somebody brings a kernel.
import { FitAddon } from '@xterm/addon-fit';
import { Terminal } from '@xterm/xterm';
import './page.css';
import { describeEnd, largestMemory, Machine, type MachineOptions, MiB, MOST_CPUS } from '../../src/api/index.ts';
import { usualCpus } from '../serai/cpus.ts';

const STATS_MS = 1000;
/** Some browsers have files of a page's origin that they cannot write: there each run starts cold. */
const KEEPS_FILES = typeof FileSystemFileHandle === 'function' && 'createWritable' in FileSystemFileHandle.prototype;

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
terminal.onData((text) => void machine?.console.type(text));
terminal.onBinary((text) => machine?.sendInput(Uint8Array.from(text, (char) => char.charCodeAt(0))));

/** So much may wait for the terminal, which drops what is far more, before the guest waits for it. */
const SHOWN_LATER = 64 * 1024;
let shownLater = 0;

/** Writes to the terminal; a promise where it is behind. */
function show(bytes: Uint8Array): Promise<void> | undefined {
  shownLater += bytes.length;
  const shown = new Promise<void>((resolve) => {
    terminal.write(bytes, () => {
      shownLater -= bytes.length;
      resolve();
    });
  });
  return shownLater > SHOWN_LATER ? shown : undefined;
}

const fileOf = (id: string): File | undefined => input(id).files?.[0];

const options = (): MachineOptions => ({
  kernel: fileOf('kernel') ?? new URL('serai.elf', import.meta.url),
  initrd: fileOf('initrd'),
  append: input('append').value,
  cpus: input('cpus').valueAsNumber,
  memoryBytes: input('memory').valueAsNumber * MiB,
  onConsole: show,
  codeCache: KEEPS_FILES ? 'page' : undefined,
});

function say(text: string, isError = false): void {
  state.textContent = text;
  state.classList.toggle('error', isError);
}

function showStats(running: Machine): void {
  const { regions, modules, cacheHits } = running.stats().translator;
  stats.textContent = `${regions} regions in ${modules} modules${cacheHits > 0 ? `, ${cacheHits} of runs before` : ''}`;
}

async function run(): Promise<void> {
  start.disabled = true;
  terminal.reset();
  stats.textContent = '';
  say('starting');
  const started = performance.now();
  let timer: ReturnType<typeof setInterval> | undefined;
  try {
    const running = await Machine.create(options());
    machine = running;
    const end = running.run();
    say('running');
    stop.disabled = false;
    terminal.focus();
    timer = setInterval(() => showStats(running), STATS_MS);
    const result = await end;
    showStats(running);
    const seconds = (performance.now() - started) / 1000;
    say(`${describeEnd(result)} (${seconds.toFixed(1)} s)`, result.kind === 'triple-fault' || result.kind === 'internal-error');
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
input('cpus').value = `${usualCpus(navigator.hardwareConcurrency)}`;
input('cpus').addEventListener('input', setLimits);
setLimits();
form.addEventListener('submit', (event) => {
  event.preventDefault();
  void run();
});
stop.addEventListener('click', () => machine?.stop('stopped'));
void run();
