// Reads what print.ts writes. Values keep their numbers where there is room for the constants that are written where they are used; a
// text by hand may name its values as it likes.
import type { Code, Op } from './operations.ts';
import { typeOf } from './operations.ts';
import { impliedType, readOp } from './text.ts';
import type { Type, Value } from './types.ts';

const LINE = /^(?:%(\d+)(?::(i32|i64|f32|f64|v128))? = )?(.*)$/;

function constant(text: string): Op {
  if (text === 'cpu') return { kind: 'cpu', type: 'i32' };
  const [, prefix, digits] = /^(?:(\w+):)?(.*)$/.exec(text) as unknown as [string, Type | undefined, string];
  const negative = digits.startsWith('-');
  const plain = negative ? digits.slice(1) : digits;
  switch (prefix) {
    case 'v128':
      return { kind: 'const', type: 'v128', value: Uint8Array.from(digits.match(/../g)!, (byte) => Number.parseInt(byte, 16)) };
    case 'i64':
      return { kind: 'const', type: 'i64', value: BigInt.asIntN(64, negative ? -BigInt(plain) : BigInt(plain)) };
    case 'f32':
    case 'f64':
      return { kind: 'const', type: prefix, value: Number(digits) };
    default:
      return { kind: 'const', type: 'i32', value: (negative ? -Number(plain) : Number(plain)) | 0 };
  }
}

/** Lines of operations; empty ones, and what begins with `;`, are left out. Throws an error that names the line. */
export function read(text: string): Code {
  const ops: Op[] = [];
  const named = new Map<string, Value>();
  const constants = new Map<string, Value>();
  /** Places without an operation so far: constants of the original, which stand where they are used. */
  const spare: Value[] = [];
  const value = (name: string): Value => {
    const known = name.startsWith('%') ? named.get(name) : constants.get(name);
    if (known !== undefined) return known;
    if (name.startsWith('%')) throw new Error(`${name} is not defined before`);
    const at = spare.pop() ?? ops.length;
    ops[at] = constant(name);
    constants.set(name, at);
    return at;
  };
  for (const full of text.split('\n')) {
    const trimmed = full.trim();
    if (trimmed === '' || trimmed.startsWith(';')) continue;
    try {
      const [, name, type, rest] = LINE.exec(trimmed)!;
      let op = readOp(rest!, value);
      if (name !== undefined) {
        const given = (type as Type | undefined) ?? impliedType(op, (v) => typeOf(ops[v]!)!);
        if (given === undefined) throw new Error('it gives no value');
        op = { ...op, type: given } as Op;
        if (op.kind === 'helper') op = { ...op, effects: { ...op.effects, result: given } };
        while (ops.length < Number(name)) spare.push(ops.push({ kind: 'const', type: 'i32', value: 0 }) - 1);
        named.set(`%${name}`, ops.length);
      } else if (op.kind === 'helper') op = { ...op, type: undefined };
      else if (typeOf(op) !== undefined || op.kind === 'pure') throw new Error('its value has no name');
      ops.push(op);
    } catch (error) {
      throw new Error(`IR: "${trimmed}": ${(error as Error).message}`, { cause: error });
    }
  }
  return { ops };
}
