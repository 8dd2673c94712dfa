// gdb's `monitor` commands: what people ask of the machine beside what gdb knows to ask.
import { DragomanError } from '../api/errors.ts';
import type { CpuHandle, Translation } from '../api/inspect.ts';
import type { CodeRegion, InspectedRegion } from '../api/regions.ts';
import type { Debugged } from './debugged.ts';

const HELP = (canGoBack: boolean) => `help                        this text
info registers [CPU|all]    registers, segments, what the CPU did last (default: the selected thread's CPU)
info tlb ADDRESS [BYTES]    where linear addresses lead by the page tables of the selected CPU
info regions                translated code: how much of it there is, and how often all was dropped
info region NAME|ADDRESS    the translations that begin there: x86, what they rely on, and what each relaxation changes
symbols                     reads the names of a Linux kernel out of its memory, for "monitor symbol" and what else shows names
symbol NAME|ADDRESS         the address of a name, or the name at an address
stats                       statistics of the run, as JSON
reset                       the machine begins anew (gdb still shows the registers from before: "maintenance flush register-cache")
stop                        ends the run
${
  canGoBack
    ? `info history                checkpoints to go back to, and whether the machine is in its past
"reverse-step", "reverse-continue" and so on are there: this machine can go back`
    : `"reverse-step" and so on are not there: a machine that was started with --reverse can go back`
}
Numbers are decimal, or hexadecimal with 0x.
`;

/** Pages of a range that are looked at, and lines that are shown. */
const MOST_PAGES = 16384;
const MOST_LINES = 128;
const PAGE = 4096;
const END = 2 ** 32;

const hex = (n: number): string => `0x${n.toString(16).padStart(8, '0')}`;

function numberOf(text: string | undefined, what: string): number {
  const value = /^(?:0x[0-9a-f]+|\d+)$/i.test(text ?? '') ? Number(text) : Number.NaN;
  if (Number.isInteger(value) && value < END) return value;
  throw new DragomanError('BAD_OPTION', text === undefined ? `${what} is missing` : `'${text}' is no ${what}`);
}

/** Pages side by side that lead to pages side by side, with the same rights. */
interface Stretch {
  readonly linear: number;
  readonly to: Translation | undefined;
  bytes: number;
}
const rightsOf = ({ writable, user, executable, global }: Translation): string =>
  [writable ? 'w' : '-', user ? 'u' : '-', executable ? 'x' : '-', global ? 'g' : '-'].join('');

function continues({ to: before, bytes }: Stretch, to: Translation | undefined): boolean {
  if (before === undefined || to === undefined) return before === to;
  const same = before.pageSize === to.pageSize && rightsOf(before) === rightsOf(to);
  return same && before.physical + bytes === to.physical;
}

const line = ({ linear, to, bytes }: Stretch): string => {
  const range = `${hex(linear)} to ${hex(linear + bytes - 1)}`;
  if (to === undefined) return `${range}  not mapped`;
  return `${range}  ${hex(to.physical)}  ${to.pageSize === END ? 'no paging' : `pages of ${to.pageSize / 1024} KiB`}  ${rightsOf(to)}`;
};

/** By the page tables as they are in memory. */
function mappings(cpu: CpuHandle, first: number, length: number): string {
  const stretches: Stretch[] = [];
  const end = Math.min(first + Math.max(length, 1), END);
  let at = first;
  for (let pages = 0; at < end && pages < MOST_PAGES; pages++) {
    const to = cpu.translate(at);
    const size = to?.pageSize ?? PAGE;
    const bytes = Math.min(size - (at % size), end - at);
    const last = stretches.at(-1);
    if (last !== undefined && continues(last, to)) last.bytes += bytes;
    else if (stretches.length === MOST_LINES) break;
    else stretches.push({ linear: at, to, bytes });
    at += bytes;
  }
  const rest = at < end ? [`... and so on from ${hex(at)}: ask for less`] : [];
  return `${[...stretches.map(line), ...rest].join('\n')}\n`;
}

function regions({ machine }: Debugged): string {
  const { translator, installs, directMapBytes } = machine.stats();
  const { encoder, regions, modules, bytes, cacheHits, cacheMisses, flushes, failed } = translator;
  const now = machine.regions().regions;
  const sum = (of: (region: CodeRegion) => number) => now.reduce((all, region) => all + of(region), 0);
  const kernel = now.filter(({ level }) => level === 'kernel').length;
  const [code, wasm] = [sum(({ codeBytes }) => codeBytes), sum(({ wasmBytes }) => wasmBytes)];
  return [
    `there now: ${now.length} (kernel ${kernel}, user ${now.length - kernel}), made from ${code} bytes of x86: ${wasm} bytes of WebAssembly`,
    `regions translated or taken from the code cache: ${regions} (${cacheHits} from the cache, ${cacheMisses} not there)`,
    `modules: ${modules}, ${bytes} bytes, encoder ${encoder ?? 'none (interpreter alone)'}; installed by CPUs: ${installs.modules}`,
    `dropped altogether: ${flushes} times; regions that could not be translated: ${failed}`,
    `direct map, bytes by CPU: ${directMapBytes.join(', ')}`,
    '',
  ].join('\n');
}

/** The translations that begin at an address, in full. */
async function region({ machine }: Debugged, word: string | undefined): Promise<string> {
  const address = /^(?:0x|\d)/.test(word ?? '0') ? numberOf(word, 'name or address') : machine.symbol(word!);
  if (address === undefined) return `there is no name '${word}'\n`;
  const here = machine.regions().regions.filter((one) => !one.floats && one.address === address);
  if (here.length === 0) return `no translation begins at ${hex(address)}\n`;
  return (await Promise.all(here.map(async ({ id }) => inspected(await machine.inspectRegion(id))))).join('\n');
}

const bytesText = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');

function inspected({
  region: { id, address, symbol, level, encoder, fromCache, wasmBytes },
  instructions,
  counts,
  relaxations,
}: InspectedRegion): string {
  const made = fromCache ? 'from the code cache' : `made by ${encoder}`;
  const changes = relaxations.flatMap(({ relaxation, without }) => {
    if (without === undefined) return [];
    const { instructions: count, expressions, wasmBytes: bytes } = without.counts;
    return [`  without ${relaxation}: ${count} instructions, ${expressions} operators, ${bytes} bytes`];
  });
  const lines = instructions.map(({ address: at, bytes, text }) => `  ${hex(at)}  ${bytesText(bytes).padEnd(30)} ${text}`);
  return [
    `region ${id} at ${hex(address)}${symbol === undefined ? '' : ` ${symbol}`}, ${level}, ${made}: ${wasmBytes} bytes of WebAssembly`,
    `  ${counts.instructions} instructions, ${counts.operations} operations, ${counts.expressions} operators, ${counts.wasmBytes} bytes (direct)`,
    ...changes,
    ...lines,
    '',
  ].join('\n');
}

function symbol({ machine }: Debugged, word: string | undefined): string {
  const isAddress = /^(?:0x|\d)/.test(word ?? '0');
  if (isAddress) return `${machine.symbolAt(numberOf(word, 'name or address')) ?? 'no name is near'}\n`;
  const address = machine.symbol(word!);
  return address === undefined ? `there is no name '${word}'\n` : `${hex(address)}\n`;
}

function history({ machine }: Debugged): string {
  const past = machine.stats().lockstep?.history;
  if (past === undefined) return 'there is none: a machine that was started with --reverse has one\n';
  const { checkpoints, bytes, inPast } = past;
  return `checkpoints: ${checkpoints}, ${bytes} bytes; the machine is ${inPast ? 'in its past' : 'where it has come to'}\n`;
}

/** A command of a client that looks at a CPU of a machine that stands still: what it answers. `end`: ends the run, behind the answer. */
export async function monitor(debugged: Debugged, cpu: CpuHandle, text: string, end: () => void): Promise<string> {
  const { machine } = debugged;
  const [command = '', ...words] = text.trim().split(/\s+/);
  const what = command === 'info' ? `info ${words.shift() ?? ''}`.trim() : command;
  try {
    switch (what) {
      case 'help':
      case '':
        return HELP(machine.canGoBack);
      case 'info registers': {
        const [which] = words;
        if (which === 'all' || which === '-a') return `${machine.cpus.map(({ index }) => debugged.dump(index)).join('\n\n')}\n`;
        const index = which === undefined ? cpu.index : numberOf(which, 'number of a CPU');
        if (index >= machine.cpus.length) return `there is no CPU ${index}: they are 0 to ${machine.cpus.length - 1}\n`;
        return `${debugged.dump(index)}\n`;
      }
      case 'info tlb':
        return mappings(cpu, numberOf(words[0], 'address'), words[1] === undefined ? 1 : numberOf(words[1], 'number of bytes'));
      case 'info regions':
        return regions(debugged);
      case 'info region':
        return await region(debugged, words[0]);
      case 'symbols':
        return `${machine.loadGuestSymbols()} names\n`;
      case 'symbol':
        return symbol(debugged, words[0]);
      case 'info history':
        return history(debugged);
      case 'stats':
        return `${JSON.stringify(machine.stats(), null, 2)}\n`;
      case 'stop':
        end();
        return 'the run ends\n';
      case 'reset':
        await machine.reset();
        return 'the machine was reset\n';
      default:
        return `there is no command '${what}'; there are:\n${HELP(machine.canGoBack)}`;
    }
  } catch (error) {
    if (!(error instanceof DragomanError)) throw error;
    return `${what}: ${error.message}\n`;
  }
}
