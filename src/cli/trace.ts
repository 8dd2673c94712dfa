// The value of --trace: 'FILE', and what of the trace is wanted, 'FILE,cpu=0,address=do_idle,only=exceptions'. A comma of the file's name, or of a text, stands twice.
import { apart } from '../api/clients.ts';
import { parseInteger, type Readable, refuse } from '../api/kind.ts';
import { meant } from '../api/similar.ts';
import { CPU, INSTRUCTIONS, LINES, PART, type TraceAddresses, type TraceFilter, type TracePart } from '../api/trace.ts';
import { TRACE_RANGES } from '../layout/memory.ts';
import { parsePlace } from './place.ts';

export interface TraceChoice {
  readonly path: string;
  /** Undefined: all of it. */
  readonly filter: TraceFilter | undefined;
}

/** 'A', or 'A-B'. */
function addresses(text: string, option: string): TraceAddresses {
  const [from = '', to, ...more] = text.split('-');
  if (more.length > 0) refuse(option, `'${text}' is not an address, a name, or two of them as in A-B`);
  return to === undefined ? parsePlace(from, option) : { from: parsePlace(from, option), to: parsePlace(to, option) };
}

/** 'N', or 'N-M'. */
function cpus(text: string, option: string): number[] {
  const [first = '', last = first] = text.split('-');
  const [from, to] = [CPU.read(first, option), CPU.read(last, option)];
  if (to < from) refuse(option, `'${text}': ${to} comes before ${from}`);
  return Array.from({ length: to - from + 1 }, (_, n) => from + n);
}

interface Read {
  cpus?: number[];
  addresses?: TraceAddresses[];
  only?: TracePart[];
  from?: string | number;
  count?: number;
  names?: boolean;
}

/** What each word does. Those that may come again add to what was there. */
const WORDS: Readonly<Record<string, (read: Read, value: string, option: string) => void>> = {
  cpu: (read, value, option) => void (read.cpus = [...(read.cpus ?? []), ...cpus(value, option)]),
  address: (read, value, option) => void (read.addresses = [...(read.addresses ?? []), addresses(value, option)]),
  only: (read, value, option) => void (read.only = [...(read.only ?? []), PART.read(value, option)]),
  from(read, value, option) {
    if (read.from !== undefined) refuse(option, 'from is given twice');
    read.from = parseInteger(value) === undefined ? value : INSTRUCTIONS.read(value, option);
  },
  count(read, value, option) {
    if (read.count !== undefined) refuse(option, 'count is given twice');
    read.count = LINES.read(value, option);
  },
};
/** The one without a value. */
const NAMES = 'names';
const KNOWN = [...Object.keys(WORDS), NAMES];

function readWord(read: Read, word: string, option: string): void {
  const [, name = '', value] = /^([^=]*)(?:=(.*))?$/s.exec(word) ?? [];
  if (name === NAMES) {
    if (value !== undefined) refuse(option, `'${word}': ${NAMES} takes no value`);
    read.names = true;
  } else if (!Object.hasOwn(WORDS, name)) {
    const there = meant(name, KNOWN) || `; there are ${KNOWN.join(', ')}`;
    refuse(option, `a trace has no option '${name}'${there} (a comma of the file's name stands twice)`);
  } else if (value === undefined || value === '') refuse(option, `'${word}': ${name} needs a value, as in ${name}=...`);
  else WORDS[name]!(read, value, option);
}

export const TRACE: Readable<TraceChoice> = {
  read(text, option) {
    const [path = '', ...words] = apart(text);
    if (path === '') refuse(option, `'${text}' names no file`);
    if (words.length === 0) return { path, filter: undefined };
    const filter: Read = {};
    for (const word of words) readWord(filter, word, option);
    if ((filter.addresses ?? []).length > TRACE_RANGES)
      refuse(option, `${filter.addresses!.length} addresses are too many: at most ${TRACE_RANGES}`);
    return { path, filter };
  },
};
