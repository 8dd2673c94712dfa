// IR as text: a line for each operation, which a test can hold, a reader can follow, and read.ts can read again. Constants appear where
// they are used; operations that define nothing have no number.
import type { Code, Op } from './operations.ts';
import { typeOf } from './operations.ts';
import { impliedType, writeOp } from './text.ts';
import type { Type, Value } from './types.ts';

function constant(type: Type, value: number | bigint | Uint8Array): string {
  if (typeof value === 'object') return `v128:${[...value].map((n) => n.toString(16).padStart(2, '0')).join('')}`;
  if (type === 'f32' || type === 'f64') return `${type}:${value}`;
  const big = value > 255 || value < -255;
  const digits = big ? `0x${(typeof value === 'number' ? value >>> 0 : BigInt.asUintN(64, value)).toString(16)}` : String(value);
  return type === 'i64' ? `i64:${digits}` : digits;
}

const valueText =
  (ops: readonly Op[]) =>
  (value: Value): string => {
    const at = ops[value];
    if (at?.kind === 'const') return constant(at.type, at.value);
    return at?.kind === 'cpu' ? 'cpu' : `%${value}`;
  };

/** One operation, without its number. */
export const printOp = (ops: readonly Op[], op: Op): string => writeOp(op, valueText(ops));

/** An operation's line. */
export interface OpLine {
  readonly op: Op;
  readonly text: string;
}

/** All operations, a line each; constants and the CPU's address are shown where they are used. */
export function printLines({ ops }: Code): OpLine[] {
  const lines: OpLine[] = [];
  ops.forEach((op, i) => {
    if (op.kind === 'const' || op.kind === 'cpu') return;
    const type = typeOf(op);
    const name = type === undefined ? '' : `%${i}${impliedType(op, (v) => typeOf(ops[v]!)!) === type ? '' : `:${type}`} = `;
    lines.push({ op, text: name + printOp(ops, op) });
  });
  return lines;
}

/** The same as text. */
export const print = (code: Code): string =>
  printLines(code)
    .map(({ text }) => text)
    .join('\n');
