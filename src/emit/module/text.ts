// A function as text, for people (disasm, the region inspector) and for the ledger: lines, each with the guest's instruction that it is of where that is noted.
import type { CodeFunction } from './builder.ts';
import { type Expr, Kind } from './expressions.ts';
import { none, typeName } from './types.ts';

/** Statements that an instruction's are. */
interface Noted {
  readonly eip: number;
  readonly nodes: readonly Node[];
}
type Node = string | readonly Node[] | Noted;

/** A line of a function. `eip`: of the instruction whose code it is, as the region knows it; undefined: of none. */
export interface FunctionLine {
  readonly text: string;
  readonly eip: number | undefined;
}

const sized = (e: Expr): string[] => [
  ...(e.data === 0 ? [] : [`offset=${e.data as number}`]),
  ...(e.kind !== Kind.ATOMIC && e.align === 0 && !/8(_[su])?$/.test(e.name) ? ['align=1'] : []),
];

function constant({ type, data }: Expr): Node {
  if (typeof data === 'object') return ['v128.const', 'i8x16', ...data.map(String)];
  return [`${typeName[type]}.const`, String(data)];
}

const isNameless = (e: Expr): boolean => e.kind === Kind.BLOCK && e.name === '' && e.type === none;

/** Blocks without a name are no more than their contents. */
function list(e: Expr): Node[] {
  if (!isNameless(e)) return [node(e)];
  const nodes = e.args.flatMap(list);
  return e.data === undefined ? nodes : [{ eip: e.data as number, nodes }];
}

function node(e: Expr): Node {
  const args = () => e.args.map(node);
  switch (e.kind) {
    case Kind.OP:
      return [e.name, ...((e.data as readonly number[] | undefined) ?? []).map(String), ...args()];
    case Kind.CONST:
      return constant(e);
    case Kind.GET:
      return ['local.get', `$${e.n}`];
    case Kind.SET:
      return ['local.set', `$${e.n}`, ...args()];
    case Kind.TEE:
      return ['local.tee', `$${e.n}`, ...args()];
    case Kind.LOAD:
    case Kind.STORE:
    case Kind.ATOMIC:
      return [e.name, ...sized(e), ...args()];
    case Kind.BLOCK: {
      const result = e.type === none ? [] : [['result', typeName[e.type]]];
      return ['block', ...(e.name === '' ? [] : [`$${e.name}`]), ...result, ...e.args.flatMap(list)];
    }
    case Kind.LOOP:
      return ['loop', `$${e.name}`, ...e.args.flatMap(list)];
    case Kind.IF: {
      const [cond, then, otherwise] = e.args;
      return ['if', node(cond!), ['then', ...list(then!)], ...(otherwise === undefined ? [] : [['else', ...list(otherwise)]])];
    }
    case Kind.BR:
      return [e.args.length === 0 ? 'br' : 'br_if', `$${e.name}`, ...args()];
    case Kind.CALL:
      return [e.n === 0 ? 'call' : 'return_call', `$${e.name}`, ...args()];
    case Kind.CALL_INDIRECT:
      return [e.n === 0 ? 'call_indirect' : 'return_call_indirect', '$table', ['type', '$0'], ...args()];
    case Kind.DROP:
      return ['drop', ...args()];
    case Kind.RETURN:
      return ['return'];
    case Kind.UNREACHABLE:
      return ['unreachable'];
    case Kind.SELECT:
      return ['select', ...args()];
    case Kind.HINT:
      return [e.n === 0 ? 'unlikely' : 'likely', ...args()];
  }
}

function print(n: Node, indent: string, eip: number | undefined, lines: FunctionLine[]): void {
  if (typeof n === 'string') return;
  if ('nodes' in n) {
    for (const x of n.nodes) print(x, indent, n.eip, lines);
    return;
  }
  const isWord = (x: Node): x is string | readonly string[] => typeof x === 'string' || ('length' in x && x[0] === 'type');
  const words: string[] = [];
  let k = 0;
  for (let x = n[k]; x !== undefined && isWord(x); x = n[++k]) words.push(typeof x === 'string' ? x : `(${x.join(' ')})`);
  const rest = n.slice(k);
  lines.push({ text: `${indent}(${words.join(' ')}${rest.length === 0 ? ')' : ''}`, eip });
  for (const x of rest) print(x, `${indent} `, eip, lines);
  if (rest.length > 0) lines.push({ text: `${indent})`, eip });
}

export function functionLines({ name, params, locals, body }: CodeFunction): FunctionLine[] {
  const head = [`(func $${name}`, ...params.map((type, k) => `(param $${k} ${typeName[type]})`)].join(' ');
  const heads = [head, ...locals.map((type, k) => ` (local $${params.length + k} ${typeName[type]})`)];
  const lines: FunctionLine[] = heads.map((text) => ({ text, eip: undefined }));
  for (const n of list(body)) print(n, ' ', undefined, lines);
  lines.push({ text: ')', eip: undefined });
  return lines;
}

/** Operations of a function: all expressions but blocks, loops and hints. */
export function operationsOf(e: Expr): number {
  const own = e.kind === Kind.BLOCK || e.kind === Kind.LOOP || e.kind === Kind.HINT ? 0 : 1;
  return e.args.reduce((sum, x) => sum + operationsOf(x), own);
}
