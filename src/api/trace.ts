// What of the execution trace is wanted (docs/trace.md): the option, and how it is read.
import { LINEAR } from '../inspect/arguments.ts';
import { TRACE_RANGES } from '../layout/memory.ts';
import { integer, type Kind, list, oneOf, optional, plain, refuse, type Shape, shape } from './kind.ts';

/** A linear address, or a name of the kernel's. */
export type TracePlace = number | string;
/** One place: an address alone, or all of a function. Two: from the one to the other, with all of a function there. */
export type TraceAddresses = TracePlace | { readonly from: TracePlace; readonly to: TracePlace };
/** 'interrupts': from outside, and of INT n and its like. */
export type TracePart = 'blocks' | 'exceptions' | 'interrupts';

/** Of a trace, what fits all that is said here. What does not costs no more than to find that out. */
export interface TraceFilter {
  /** Numbers of CPUs. Default: all. */
  readonly cpus?: readonly number[] | undefined;
  /** Where blocks begin, and where exceptions and interrupts come: up to 16 places. Names need symbols (MachineOptions.symbols, or those of the kernel's file). Default: anywhere. */
  readonly addresses?: readonly TraceAddresses[] | undefined;
  /** Default: all of them. */
  readonly only?: readonly TracePart[] | undefined;
  /** A text: from when the console has printed it. A number: each CPU from when it has executed so many instructions. Default: the start. */
  readonly from?: string | number | undefined;
  /** So many lines, and nothing more. Default: without end. */
  readonly count?: number | undefined;
  /** Behind each line the name of the code at its EIP, where one is known. Default: false. */
  readonly names?: boolean | undefined;
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';
const place = (value: unknown, name: string): TracePlace => (isText(value) ? value : LINEAR.take(value, name));
const ADDRESSES: Kind<TraceAddresses> = {
  what: 'an address, a name, or an object with from and to',
  take(value, name) {
    if (typeof value !== 'object' || value === null) return place(value, name);
    const { from, to, ...others } = value as { from?: unknown; to?: unknown };
    for (const other of Object.keys(others)) refuse(`${name}.${other}`, 'there is no such option; there are from, to');
    return { from: place(from, `${name}.from`), to: place(to, `${name}.to`) };
  },
};
export const PART = oneOf('blocks', 'exceptions', 'interrupts');
export const LINES = integer('a number of lines', 1, Number.MAX_SAFE_INTEGER, '1 or more');
export const INSTRUCTIONS = integer('a number of instructions', 1, Number.MAX_SAFE_INTEGER, '1 or more');
export const FROM: Kind<string | number> = {
  what: 'a text, or a number of instructions',
  take: (value, name) => (isText(value) ? value : INSTRUCTIONS.take(value, name)),
};
export const CPU = integer('the number of a CPU', 0, 255);

const BOOLEAN = plain<boolean>('true or false', (value) => typeof value === 'boolean');
export const TRACE_FILTER = shape({
  cpus: optional(list(CPU)),
  addresses: optional(list(ADDRESSES, TRACE_RANGES)),
  only: optional(list(PART)),
  from: optional(FROM),
  count: optional(LINES),
  names: optional(BOOLEAN),
});
export type ReadTraceFilter = Shape<typeof TRACE_FILTER>;

/** Throws BAD_OPTION where a filter names a CPU that there is not, or has no trace to be of. */
export function checkTraceFilter(filter: TraceFilter | undefined, cpus: number, isTraced: boolean, name = 'traceFilter'): void {
  if (filter === undefined) return;
  if (!isTraced) refuse(name, 'is of a trace, and nobody takes one (onTrace)');
  for (const cpu of filter.cpus ?? [])
    if (cpu >= cpus) refuse(`${name}.cpus`, `there is no CPU ${cpu}: ${cpus === 1 ? 'there is CPU 0 alone' : `they are 0 to ${cpus - 1}`}`);
}
