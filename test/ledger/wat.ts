// Wasm functions as short text for the ledger: statements a line each, guest registers and CPU fields by name, and the number
// of operations (instructions that do something: blocks and loops are free).
import { stateName } from '../../src/ir/immediates.ts';
import { Cpu } from '../../src/layout/cpu.ts';
import { CpuArea } from '../../src/layout/memory.ts';

type Node = string | Node[];

function parse(text: string): Node[] {
  const stack: Node[][] = [[]];
  for (const token of text.match(/"[^"]*"|[()]|[^\s()]+/g) ?? []) {
    if (token === '(') stack.push([]);
    else if (token === ')') {
      const done = stack.pop()!;
      stack.at(-1)!.push(done);
    } else stack.at(-1)!.push(token);
  }
  return stack[0];
}

const FREE = new Set(['func', 'param', 'result', 'local', 'type', 'then', 'else', 'block', 'loop', 'nop', 'unlikely']);
const isList = (n: Node): n is Node[] => typeof n !== 'string';

/** Operations of a function that Emitter.text() gave. */
export function countOperations(text: string): number {
  const count = (n: Node): number => (isList(n) ? n.reduce((sum: number, x) => sum + count(x), FREE.has(n[0] as string) ? 0 : 1) : 0);
  return parse(text).reduce((sum: number, n) => sum + count(n), 0);
}

const number = (text: string): string => {
  const v = Number(text);
  if (!Number.isInteger(v) || Math.abs(v) < 256) return text;
  return v < 0 && v > -65536 ? text : `0x${(v < 0 ? v >>> 0 : v).toString(16)}`;
};
const areaName = (offset: number): string =>
  offset < Cpu.size
    ? stateName(offset)
    : (Object.entries(CpuArea.at as Record<string, number>).find(([, at]) => at === offset)?.[0] ?? `${offset}`);

class Printer {
  private readonly names = new Map([
    ['$0', 'arg'],
    ['$1', 'cpu'],
  ]);
  private readonly lines: string[] = [];

  /** The body of a function; locals that first hold a register or a flags word get its name. */
  function(text: string): string[] {
    const body = (parse(text)[0] as Node[])
      .slice(2)
      .filter((n) => (isList(n) && !FREE.has(n[0] as string)) || (isList(n) && /^(block|loop)$/.test(n[0] as string)));
    for (const n of body)
      if (isList(n) && n[0] === 'local.set' && isList(n[2]) && n[2][0] === 'i32.load') {
        const source = this.expression(n[2]);
        const name = /^cpu\.(?:gpr\.(e..)|(flag[RX]))$/.exec(source);
        if (name && !this.names.has(n[1] as string)) this.names.set(n[1] as string, name[1] ?? name[2]);
      }
    for (const n of body) this.statement(n, '');
    return this.lines;
  }

  private local(n: Node): string {
    return this.names.get(n as string) ?? `t${(n as string).slice(1)}`;
  }

  private address(node: Node[]): { offset: number; rest: Node[] } {
    const rest = node.slice(1).filter((n) => isList(n) || !/^(offset|align)=/.test(n));
    const offset = node.find((n) => !isList(n) && n.startsWith('offset=')) as string | undefined;
    return { offset: offset === undefined ? 0 : Number(offset.slice(7)), rest };
  }
  private place(address: Node, offset: number): string {
    const base = this.expression(address);
    if (base === 'cpu') return `cpu.${areaName(offset)}`;
    const inArea = offset >= Cpu.size || base.startsWith('add(cpu,');
    return `[${base}${offset === 0 ? '' : ` + ${inArea ? areaName(offset) : offset}`}]`;
  }

  private expression(n: Node): string {
    if (!isList(n)) return n;
    const op = n[0] as string;
    if (op === 'local.get') return this.local(n[1]);
    if (op === 'i32.const') return number(n[1] as string);
    if (op === 'local.tee') return `(${this.local(n[1])} := ${this.expression(n[2])})`;
    const short = op.replace(/^i32\./, '');
    if (/^(i32|i64|v128|f32|f64)\.load/.test(op)) {
      const { offset, rest } = this.address(n);
      const place = this.place(rest[0], offset);
      return op === 'i32.load' ? place : `${short}${place.startsWith('[') ? '' : ' '}${place}`;
    }
    const args = n.slice(1).filter((x) => !(isList(x) && x[0] === 'type') && x !== '$table');
    const [head, rest] = /call$/.test(op) ? [`${op} ${(args[0] as string).replace(/^\$(runtime\.)?/, '')}`, args.slice(1)] : [short, args];
    return `${head}(${rest.map((x) => this.expression(x)).join(', ')})`;
  }

  private statement(n: Node, indent: string): void {
    const put = (line: string): void => void this.lines.push(indent + line);
    if (!isList(n)) return put(n);
    const [op] = n as [string];
    const inner = `${indent}  `;
    if (op === 'block' || op === 'loop') {
      const label = typeof n[1] === 'string' ? n[1] : undefined;
      const body = n.slice(label === undefined ? 1 : 2).filter((x) => !(isList(x) && (x[0] === 'result' || x[0] === 'type')));
      if (label === undefined) for (const x of body) this.statement(x, indent);
      else {
        put(`${op} ${label} {`);
        for (const x of body) this.statement(x, inner);
        put('}');
      }
    } else if (op === 'if') {
      const branches = n.filter((x): x is Node[] => isList(x) && (x[0] === 'then' || x[0] === 'else'));
      put(`if ${this.expression(n[1])} {`);
      for (const x of branches[0].slice(1)) this.statement(x, inner);
      if (branches[1]) {
        put('} else {');
        for (const x of branches[1].slice(1)) this.statement(x, inner);
      }
      put('}');
    } else if (op === 'local.set') put(`${this.local(n[1])} = ${this.expression(n[2])}`);
    else if (/\.store/.test(op)) {
      const { offset, rest } = this.address(n);
      const place = this.place(rest[0], offset);
      put(`${op === 'i32.store' ? '' : `${op.replace(/^i32\./, '')} `}${place} = ${this.expression(rest[1])}`);
    } else if (n.length === 1) put(op);
    else if (/^br(_if)?$/.test(op)) put(`${op} ${n[1] as string}${n[2] === undefined ? '' : ` ${this.expression(n[2])}`}`);
    else put(this.expression(n));
  }
}

/** Runs of loads and stores of registers as one line each. */
function gather(lines: readonly string[]): string[] {
  const out: string[] = [];
  for (const line of lines) {
    const [, indent, a, b] = /^( *)(\S+) = (\S+)$/.exec(line) ?? [];
    const register = (name: string, place: string) => place === `cpu.gpr.${name}` || (place === `cpu.${name}` && name.startsWith('flag'));
    const word = a === undefined ? undefined : register(a, b) ? `${indent}load ${a}` : register(b, a) ? `${indent}spill ${b}` : undefined;
    const kind = word?.slice(0, word.lastIndexOf(' '));
    if (word === undefined) out.push(line);
    else if (kind !== undefined && out.at(-1)?.startsWith(`${kind} `)) out[out.length - 1] += word.slice(kind.length);
    else out.push(word);
  }
  return out;
}

/** The body of a function that Emitter.text() gave, a line for each statement. */
export const printFunction = (text: string): string[] => gather(new Printer().function(text));
