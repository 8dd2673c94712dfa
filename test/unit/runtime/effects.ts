// What the functions of the runtime do to the CPU's state, found in the compiled module: which fields of Cpu each loads and stores, itself or by those that it calls. The module
// is compiled without optimizations, so that each value has a local of its own. An address is known where it is the CPU's own plus numbers; what is added beside (an index) stays in
// its field. Who gets a pointer to a record of the CPU (a SegCache) from emitted code is seen as one that knows no CPU.
import binaryen from 'binaryen';
import { Cpu } from '../../../src/layout/cpu.ts';

/** What a value may be: `c5` the number, `p160` the address of the CPU and 160, `p160+` the same and something unknown, `t` an address in its TLB; `?` anything else. */
type Value = ReadonlySet<string>;
const UNKNOWN: Value = new Set(['?']);
const TLB: Value = new Set(['t']);
/** More possible values than this are no longer told apart. */
const MOST_VALUES = 8;

type Node =
  | { readonly kind: 'const'; readonly value: number }
  | { readonly kind: 'get' | 'global'; readonly name: string }
  | { readonly kind: 'set'; readonly name: string; readonly value: Node; readonly gives: boolean }
  | { readonly kind: 'math'; readonly op: string; readonly left: Node; readonly right: Node }
  | { readonly kind: 'access'; readonly does: 'r' | 'w' | 'rw'; readonly at: Node; readonly offset: number; readonly rest: readonly Node[] }
  | { readonly kind: 'call'; readonly target: string; readonly args: readonly Node[] }
  | { readonly kind: 'label'; readonly name: string; readonly body: readonly Node[] }
  | { readonly kind: 'leave'; readonly name: string; readonly value: Node | undefined; readonly rest: readonly Node[] }
  | { readonly kind: 'either'; readonly first: readonly Node[]; readonly values: readonly Node[] }
  | { readonly kind: 'all'; readonly parts: readonly Node[] };

const b = binaryen as unknown as Record<string, number> & typeof binaryen;
const MATH = new Map([
  [b.AddInt32, '+'],
  [b.SubInt32, '-'],
  [b.MulInt32, '*'],
  [b.ShlInt32, '<<'],
]);
/** Fields of an expression that hold others. */
const CHILDREN = [
  ...[
    'ptr',
    'value',
    'left',
    'right',
    'condition',
    'ifTrue',
    'ifFalse',
    'expected',
    'replacement',
    'timeout',
    'notifyCount',
    'dest',
    'source',
    'size',
  ],
  ...['vec', 'a', 'b', 'c', 'shift', 'mask', 'delta', 'body'],
];

/** An expression of `fn` as a tree of ours; locals and labels are named by their function. */
function tree(fn: string, ref: number): Node {
  const id = binaryen.getExpressionId(ref);
  if (id === b.NopId || id === b.UnreachableId) return { kind: 'all', parts: [] };
  const info = binaryen.getExpressionInfo(ref) as unknown as Record<string, unknown>;
  const sub = (x: unknown) => tree(fn, x as number);
  const subs = (xs: unknown) => (xs as number[]).map(sub);
  const maybe = (x: unknown) => (x ? [sub(x)] : []);
  const label = (name: unknown) => `${fn} ${name}`;
  const others = () => CHILDREN.flatMap((field) => (typeof info[field] === 'number' && info[field] !== 0 ? [sub(info[field])] : []));
  switch (id) {
    case b.ConstId:
      return typeof info.value === 'number' ? { kind: 'const', value: info.value } : { kind: 'all', parts: [] };
    case b.LocalGetId:
      return { kind: 'get', name: `${fn} ${info.index}` };
    case b.LocalSetId:
      return { kind: 'set', name: `${fn} ${info.index}`, value: sub(info.value), gives: info.isTee as boolean };
    case b.GlobalGetId:
      return { kind: 'get', name: info.name as string };
    case b.GlobalSetId:
      return { kind: 'set', name: info.name as string, value: sub(info.value), gives: false };
    case b.BinaryId:
      return { kind: 'math', op: MATH.get(info.op as number) ?? '', left: sub(info.left), right: sub(info.right) };
    case b.LoadId:
      return { kind: 'access', does: 'r', at: sub(info.ptr), offset: info.offset as number, rest: [] };
    case b.StoreId:
      return { kind: 'access', does: 'w', at: sub(info.ptr), offset: info.offset as number, rest: [sub(info.value)] };
    case b.AtomicRMWId:
      return { kind: 'access', does: 'rw', at: sub(info.ptr), offset: info.offset as number, rest: [sub(info.value)] };
    case b.AtomicCmpxchgId:
      return {
        kind: 'access',
        does: 'rw',
        at: sub(info.ptr),
        offset: info.offset as number,
        rest: [sub(info.expected), sub(info.replacement)],
      };
    case b.MemoryFillId:
      return { kind: 'access', does: 'w', at: sub(info.dest), offset: 0, rest: [sub(info.value), sub(info.size)] };
    case b.MemoryCopyId: {
      const source: Node = { kind: 'access', does: 'r', at: sub(info.source), offset: 0, rest: [sub(info.size)] };
      return { kind: 'access', does: 'w', at: sub(info.dest), offset: 0, rest: [source] };
    }
    case b.CallId:
      return { kind: 'call', target: info.target as string, args: subs(info.operands) };
    case b.BlockId:
      return { kind: 'label', name: info.name ? label(info.name) : '', body: subs(info.children) };
    case b.LoopId:
      return { kind: 'all', parts: [sub(info.body)] };
    case b.BreakId:
      return { kind: 'leave', name: label(info.name), value: maybe(info.value)[0], rest: maybe(info.condition) };
    case b.ReturnId:
      return { kind: 'leave', name: `${fn} return`, value: maybe(info.value)[0], rest: [] };
    case b.IfId:
    case b.SelectId:
      return { kind: 'either', first: [sub(info.condition)], values: [sub(info.ifTrue), ...maybe(info.ifFalse)] };
    case b.CallIndirectId:
      // Code of clients, which changes nothing of the guest's (wasm/clients/told.ts).
      return { kind: 'all', parts: [sub(info.target), ...subs(info.operands)] };
    case b.SIMDLoadId:
    case b.SIMDLoadStoreLaneId:
      throw new Error(`${fn}: an expression that is not looked into`);
    default:
      return { kind: 'all', parts: others() };
  }
}

const FIELDS = (Object.entries(Cpu.at) as [string, number][]).sort(([, x], [, y]) => y - x);
const fieldOf = (offset: number) => FIELDS.find(([, start]) => start <= offset);
/** An address anywhere in the field at an offset. */
const somewhere = (offset: number): string => `p${fieldOf(offset)?.[1] ?? offset}+`;

function arithmetic(op: string, left: Value, right: Value): Value {
  const out = new Set<string>();
  for (const x of left)
    for (const y of right) {
      const [p, q] = x[0] === 'p' ? [x, y] : [y, x];
      const [m, n] = [Number(x.slice(1)), Number(y.slice(1))];
      if (x[0] === 'c' && y[0] === 'c' && op !== '') {
        const result = op === '+' ? m + n : op === '-' ? m - n : op === '*' ? Math.imul(m, n) : m << n;
        out.add(`c${result | 0}`);
      } else if (p[0] === 'p' && q[0] !== 'p' && (op === '+' || (op === '-' && p === x))) {
        const known = Number.parseInt(p.slice(1), 10);
        const step = q[0] === 'c' ? Number(q.slice(1)) * (op === '-' ? -1 : 1) : 0;
        out.add(q === '?' || p.endsWith('+') ? somewhere(known + step) : `p${known + step}`);
      } else out.add(x === 't' || y === 't' ? 't' : '?');
    }
  return out;
}

/** What a function does: `r` or `w`, and a field of Cpu (`w fault`) or the TLB (`w TLB`); of the general registers which (`r gpr.2`), or any (`r gpr`). Also `asks`, and
 * what it asks the host for. */
export type Deeds = ReadonlySet<string>;

function fieldAt(place: string): string | undefined {
  if (place === 't') return 'TLB';
  if (place[0] !== 'p') return undefined;
  const offset = Number.parseInt(place.slice(1), 10);
  if (offset < 0 || offset >= Cpu.size) return undefined;
  const [name, at] = fieldOf(offset)!;
  return name === 'gpr' && !place.endsWith('+') ? `gpr.${(offset - at) >> 3}` : name;
}

/** By the names of exported functions. `knows`: whether its first parameter is the CPU. `except`: functions (as `wasm/memory/walk/mark32`) that are not looked into. */
export function deedsOf(
  bytes: Uint8Array,
  knows: (exported: string) => boolean,
  except: ReadonlySet<string> = new Set(),
): ReadonlyMap<string, Deeds> {
  const module = binaryen.readBinary(bytes);
  const bodies = new Map<string, Node>();
  const params = new Map<string, number>();
  const imported = new Map<string, string>();
  for (let i = 0; i < module.getNumFunctions(); i++) {
    const { name, base, body, params: types } = binaryen.getFunctionInfo(module.getFunctionByIndex(i));
    params.set(name, binaryen.expandType(types).length);
    if (body !== 0) bodies.set(name, tree(name, body));
    else imported.set(name, base!);
  }
  const exported = new Map<string, string>();
  for (let i = 0; i < module.getNumExports(); i++) {
    const { kind, name, value } = binaryen.getExportInfo(module.getExportByIndex(i));
    if (kind === binaryen.ExternalFunction) exported.set(name, value);
  }
  const globals = Array.from({ length: module.getNumGlobals() }, (_, i) => binaryen.getGlobalInfo(module.getGlobalByIndex(i)));
  const starts = globals.filter(({ init }) => init !== 0).map(({ name, init }) => ({ name, start: tree(name, init) }));
  module.dispose();
  for (const name of except) if (!bodies.has(name)) throw new Error(`no function ${name}`);

  /** Of locals, globals, labels and results, by their names. */
  const values = new Map<string, Set<string>>();
  let grown = true;
  const add = (name: string, more: Value) => {
    let all = values.get(name);
    if (all === undefined) values.set(name, (all = new Set()));
    for (const x of more) {
      // Numbers that go on to grow are any number; addresses stay in their field.
      const one = all.size < MOST_VALUES ? x : x[0] === 'p' ? somewhere(Number.parseInt(x.slice(1), 10)) : '?';
      if (all.has(one)) continue;
      all.add(one);
      grown = true;
    }
  };
  const direct = new Map<string, Set<string>>();
  const calls = new Map<string, Set<string>>();
  let deeds = new Set<string>();
  let called = new Set<string>();
  const NONE: Value = new Set();
  const all = (nodes: readonly Node[]) => nodes.reduce<Value>((_, node) => evaluate(node), NONE);
  function evaluate(node: Node): Value {
    switch (node.kind) {
      case 'const':
        return new Set([`c${node.value}`]);
      case 'get':
      case 'global':
        return values.get(node.name) ?? NONE;
      case 'set': {
        const value = evaluate(node.value);
        add(node.name, value);
        return node.gives ? value : NONE;
      }
      case 'math':
        return arithmetic(node.op, evaluate(node.left), evaluate(node.right));
      case 'access': {
        let found = UNKNOWN;
        for (const x of arithmetic('+', evaluate(node.at), new Set([`c${node.offset}`]))) {
          const field = fieldAt(x);
          if (field !== undefined) for (const does of node.does) deeds.add(`${does} ${field}`);
          if (field === 'tlb') found = TLB;
        }
        all(node.rest);
        return found;
      }
      case 'call': {
        node.args.forEach((arg, n) => add(`${node.target} ${n}`, evaluate(arg)));
        called.add(node.target);
        if (imported.has(node.target)) deeds.add(`asks ${imported.get(node.target)}`);
        return values.get(`${node.target} return`) ?? (bodies.has(node.target) ? NONE : UNKNOWN);
      }
      case 'label': {
        const last = all(node.body);
        if (node.name === '') return last;
        add(node.name, last);
        return values.get(node.name)!;
      }
      case 'leave':
        all(node.rest);
        if (node.value !== undefined) add(node.name, evaluate(node.value));
        return NONE;
      case 'either': {
        all(node.first);
        const found = new Set<string>();
        for (const value of node.values) for (const x of evaluate(value)) found.add(x);
        return found;
      }
      case 'all':
        for (const part of node.parts) evaluate(part);
        return UNKNOWN;
    }
  }
  for (const [name, inside] of exported)
    for (let n = 0; n < params.get(inside)!; n++) add(`${inside} ${n}`, n === 0 && knows(name) ? new Set(['p0']) : UNKNOWN);
  while (grown) {
    grown = false;
    for (const { name, start } of starts) add(name, evaluate(start));
    for (const [name, body] of bodies) {
      deeds = new Set();
      called = new Set();
      add(`${name} return`, evaluate(body));
      direct.set(name, deeds);
      calls.set(name, called);
    }
  }
  /** By those that are called as well. */
  const reach = (inside: string): Deeds => {
    const seen = new Set<string>([inside, ...except]);
    const found = new Set<string>();
    const work = [inside];
    for (let next = work.pop(); next !== undefined; next = work.pop()) {
      for (const one of direct.get(next) ?? []) found.add(one);
      for (const other of calls.get(next) ?? [])
        if (!seen.has(other)) {
          seen.add(other);
          work.push(other);
        }
    }
    return found;
  };
  return new Map([...exported].map(([name, inside]) => [name, reach(inside)]));
}
