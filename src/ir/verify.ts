// Checks IR by the lines of its operations: every value is defined before it is used and of the type its user wants, widths exist, an
// instruction has at most one terminator, at its end. Runs in tests, and between passes where these are debugged (translate/pipeline.ts).
import { type Code, isTerminator, lineOf, type Op, operands, typeOf } from './operations.ts';
import { OPERATORS, resultType, wantedTypes } from './operators.ts';
import { printOp } from './print.ts';
import type { HelperEffects, Type, Value } from './types.ts';

/** Effects that a call may have which is not always made. */
const SELDOM: readonly (keyof HelperEffects)[] = ['result', 'changes', 'mayFault', 'eip', 'forgets', 'reads', 'flags'];
const BYTES: Record<Type, readonly number[]> = { i32: [1, 2, 4], i64: [1, 2, 4, 8], f32: [4], f64: [8], v128: [4, 8, 16] };

/** Types that an operation asks of its operands, in the order of operands(); undefined where any will do. */
function wanted(op: Op): readonly (Type | undefined)[] {
  if (op.kind === 'pure') return wantedTypes(op.name).map((type) => type ?? op.type);
  const out: (Type | undefined)[] = [];
  for (const [field, want] of Object.entries(lineOf(op.kind).values)) {
    const v = (op as unknown as Record<string, Value | readonly Value[] | undefined>)[field];
    const type = want.replace(/[*?]+$/, '');
    if (v !== undefined)
      out.push(...Array<Type | undefined>(typeof v === 'number' ? 1 : v.length).fill(type === 'any' ? undefined : (type as Type)));
  }
  return out;
}

/** What else is wrong with an operation whose operands are all right. */
function wrong(op: Op, typeOfValue: (v: Value) => Type): string | undefined {
  const { result } = lineOf(op.kind);
  if (result !== 'any' && result !== 'any?' && typeOf(op) !== result) return `of type ${typeOf(op)}, not ${result}`;
  switch (op.kind) {
    case 'pure': {
      if (op.name !== 'select' && !OPERATORS.has(op.name)) return 'no such operator';
      const type = resultType(op.name, op.args, typeOfValue);
      return type === op.type ? undefined : `of type ${op.type}, not ${type}`;
    }
    case 'load':
    case 'ldstate':
    case 'ldstack':
      return BYTES[op.type].includes(op.bytes) ? undefined : `${op.bytes} bytes into ${op.type}`;
    case 'store':
    case 'ststate':
    case 'ststack': {
      const type = typeOfValue(op.value);
      return BYTES[type].includes(op.bytes) ? undefined : `${op.bytes} bytes of ${type}`;
    }
    case 'flags':
      return [8, 16, 32].includes(op.width) ? undefined : `width ${op.width}`;
    case 'linear':
      return op.bytes > 0 ? undefined : `${op.bytes} bytes`;
    case 'helper':
      if (op.type !== op.effects.result) return `of type ${op.type}, with a result of type ${op.effects.result}`;
      return op.when !== undefined &&
        (op.effects.flags === 'w' ||
          op.effects.flags === 'rw' ||
          Object.keys(op.effects).some((effect) => !SELDOM.includes(effect as keyof HelperEffects)))
        ? 'effects of a call that may not be made'
        : undefined;
    default:
      return undefined;
  }
}

/** Everything that is wrong, a line each; empty where all is well. */
export function problems(code: Code): string[] {
  const { ops } = code;
  const found: string[] = [];
  let ended: number | undefined;
  ops.forEach((op, i) => {
    const complain = (what: string) => found.push(`%${i} ${printOp(ops, op)}: ${what}`);
    if (op.kind === 'insn') ended = undefined;
    else if (ended !== undefined) complain(`after the terminator %${ended}`);
    const types = wanted(op);
    const values = operands(op);
    if (op.kind === 'pure' && types.length !== values.length) complain(`${values.length} operands, not ${types.length}`);
    let sound = true;
    values.forEach((v, k) => {
      const from = v < i ? ops[v] : undefined;
      const type = from && typeOf(from);
      if (type !== undefined && (types[k] === undefined || type === types[k])) return;
      sound = false;
      if (from === undefined) complain(`operand %${v} is not defined before`);
      else if (type === undefined) complain(`operand %${v} defines no value`);
      else complain(`operand %${v} is ${type}, not ${types[k]}`);
    });
    const other = sound ? wrong(op, (v) => typeOf(ops[v]!)!) : undefined;
    if (other !== undefined) complain(other);
    if (isTerminator(op)) ended = i;
  });
  return found;
}

/** Throws if anything is wrong; `what` was verified. */
export function verify(code: Code, what = 'IR'): void {
  const found = problems(code);
  if (found.length > 0) throw new Error(`bad ${what}:\n${found.join('\n')}`);
}
