// A function as text, for people (disasm) and for the ledger.
import type { CodeFunction } from './builder.ts';
import { type Expr, Kind } from './expressions.ts';
import { none, typeName } from './types.ts';

type Node = string | readonly Node[];

const sized = (e: Expr): string[] => [
  ...(e.data === 0 ? [] : [`offset=${e.data as number}`]),
  ...(e.kind !== Kind.ATOMIC && e.align === 0 && !/8(_[su])?$/.test(e.name) ? ['align=1'] : []),
];

function constant({ type, data }: Expr): Node {
  if (typeof data === 'object') return ['v128.const', 'i8x16', ...data.map(String)];
  return [`${typeName[type]}.const`, String(data)];
}

/** Blocks without a name are no more than their contents. */
function list(e: Expr): Node[] {
  return e.kind === Kind.BLOCK && e.name === '' && e.type === none ? e.args.flatMap(list) : [node(e)];
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

function print(n: Node, indent: string, lines: string[]): void {
  if (typeof n === 'string') return;
  const words: string[] = [];
  let k = 0;
  for (; k < n.length && (typeof n[k] === 'string' || (n[k]![0] as string) === 'type'); k++)
    words.push(typeof n[k] === 'string' ? (n[k] as string) : `(${(n[k] as string[]).join(' ')})`);
  const rest = n.slice(k);
  lines.push(`${indent}(${words.join(' ')}${rest.length === 0 ? ')' : ''}`);
  for (const x of rest) print(x, `${indent} `, lines);
  if (rest.length > 0) lines.push(`${indent})`);
}

export function functionText({ name, params, locals, body }: CodeFunction): string {
  const head = [`(func $${name}`, ...params.map((type, k) => `(param $${k} ${typeName[type]})`)].join(' ');
  const lines = [head, ...locals.map((type, k) => ` (local $${params.length + k} ${typeName[type]})`)];
  for (const n of list(body)) print(n, ' ', lines);
  return [...lines, ')'].join('\n');
}
