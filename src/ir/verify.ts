// Checks IR: every value is defined before it is used and of the type its user wants, widths exist, an instruction has
// at most one terminator, at its end. Runs in tests and wherever passes are debugged.
import { printOp } from './print.ts';
import { type Code, isTerminator, type Op, operands, type Type, typeOf, type Value } from './types.ts';

type Space = 'i32' | 'i64' | 'f32' | 'f64';

const BYTES: Record<Type, readonly number[]> = { i32: [1, 2, 4], i64: [1, 2, 4, 8], f32: [4], f64: [8], v128: [16] };

/** Types of a Wasm operator's operands; undefined: not known here, so not checked. */
export function operandTypes(name: string, result: Type): readonly Type[] | undefined {
  if (name === 'select') return ['i32', result, result];
  const [space, operator] = name.split('.') as [string, string];
  if (space === 'i32' || space === 'i64' || space === 'f32' || space === 'f64') {
    const from = /_(i32|i64|f32|f64)(_[su])?$/.exec(operator);
    if (from) return [from[1] as Space];
    if (/^(eqz|clz|ctz|popcnt|extend\d+_s|abs|neg|sqrt|ceil|floor|trunc|nearest)$/.test(operator)) return [space];
    return [space, space];
  }
  const lane: Type = space === 'i64x2' ? 'i64' : space === 'f32x4' ? 'f32' : space === 'f64x2' ? 'f64' : 'i32';
  if (operator === 'splat') return [lane];
  if (operator === 'replace_lane') return ['v128', lane];
  if (/^(shl|shr_[su])$/.test(operator)) return ['v128', 'i32'];
  if (operator === 'bitselect') return ['v128', 'v128', 'v128'];
  return undefined;
}

/** Types that an operation asks of its operands, in the order of operands(); undefined where any will do. */
function wanted(op: Op): readonly (Type | undefined)[] {
  switch (op.kind) {
    case 'pure':
      return operandTypes(op.name, op.type) ?? [];
    case 'store':
      return ['i32', undefined];
    case 'ststate':
      return op.address === undefined ? [undefined] : ['i32', undefined];
    case 'helper':
      return [];
    default:
      return operands(op).map(() => 'i32');
  }
}

const hasType = (op: Op): op is Extract<Op, { type: Type }> => typeOf(op) !== undefined;

function checkWidth(op: Op, typeOfValue: (v: Value) => Type): string | undefined {
  switch (op.kind) {
    case 'load':
    case 'ldstate':
      return BYTES[op.type].includes(op.bytes) ? undefined : `${op.bytes} bytes into ${op.type}`;
    case 'store':
    case 'ststate': {
      const type = typeOfValue(op.value);
      return BYTES[type].includes(op.bytes) ? undefined : `${op.bytes} bytes of ${type}`;
    }
    case 'flags':
      return [8, 16, 32].includes(op.width) ? undefined : `width ${op.width}`;
    case 'linear':
      return op.bytes > 0 ? undefined : `${op.bytes} bytes`;
    case 'helper':
      return op.seldom !== undefined && Object.keys(op.effects).some((effect) => effect !== 'result' && effect !== 'changes')
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
    if (op.kind === 'pure' && types.length > 0 && types.length !== values.length)
      complain(`${values.length} operands, not ${types.length}`);
    values.forEach((v, k) => {
      const from = v < i ? ops[v] : undefined;
      if (from === undefined) complain(`operand %${v} is not defined before`);
      else if (!hasType(from)) complain(`operand %${v} defines no value`);
      else if (types[k] !== undefined && from.type !== types[k]) complain(`operand %${v} is ${from.type}, not ${types[k]}`);
    });
    if (values.every((v) => v < i && hasType(ops[v]!))) {
      const width = checkWidth(op, (v) => typeOf(ops[v]!)!);
      if (width !== undefined) complain(width);
    }
    if (isTerminator(op)) ended = i;
  });
  return found;
}

/** Throws if anything is wrong. */
export function verify(code: Code): void {
  const found = problems(code);
  if (found.length > 0) throw new Error(`bad IR:\n${found.join('\n')}`);
}
