// IR as text: a line for each operation, which a test can hold and a reader can follow. Constants and state fields
// appear where they are used; operations that define nothing have no number.
import { Cpu, GPR_STRIDE, Gpr } from '../layout/cpu.ts';
import type { Code, HelperEffects, Op, Value } from './types.ts';

const REGISTERS = Object.keys(Gpr).map((name) => name.toLowerCase());

const FIELDS = Object.entries(Cpu.at as Record<string, number>).sort((a, b) => a[1] - b[1]);

/** Name of a place in the CPU's state: "eflags", "gpr.eax", "seg+32". */
export function stateName(offset: number): string {
  const gpr = (offset - Cpu.at.gpr) / GPR_STRIDE;
  if (offset >= Cpu.at.gpr && gpr < REGISTERS.length) return `gpr.${REGISTERS[Math.floor(gpr)]}${gpr % 1 === 0 ? '' : '+1'}`;
  const field = FIELDS.findLast(([, at]) => at <= offset);
  if (field === undefined) return `+${offset}`;
  return offset === field[1] ? field[0] : `${field[0]}+${offset - field[1]}`;
}

function constant(value: number | bigint | Uint8Array): string {
  if (typeof value === 'object') return `v128:${[...value].map((n) => n.toString(16).padStart(2, '0')).join('')}`;
  const big = value > 255 || value < -255;
  return big ? `0x${(typeof value === 'number' ? value >>> 0 : BigInt.asUintN(64, value)).toString(16)}` : String(value);
}

function effects(e: HelperEffects): string {
  const regs = (list: readonly number[] | 'all') => (list === 'all' ? 'all' : list.map((r) => REGISTERS[r] ?? r).join(','));
  const parts: string[] = [];
  if (e.mayFault) parts.push('faults');
  if (e.reads) parts.push(`reads ${regs(e.reads)}`);
  if (e.writes) parts.push(`writes ${regs(e.writes)}`);
  if (e.flags) parts.push(`flags ${e.flags}`);
  return parts.length === 0 ? '' : ` [${parts.join('; ')}]`;
}

/** One operation, without its number. */
export function printOp(ops: readonly Op[], op: Op): string {
  const v = (value: Value): string => {
    const at = ops[value];
    if (at?.kind === 'const') return constant(at.value);
    return at?.kind === 'cpu' ? 'cpu' : `%${value}`;
  };
  const state = (o: { address: Value | undefined; offset: number }) =>
    o.address === undefined ? stateName(o.offset) : `[${v(o.address)} + ${o.offset}]`;
  switch (op.kind) {
    case 'const':
      return constant(op.value);
    case 'pure':
      return `${op.name} ${op.args.map(v).join(', ')}${op.imm === undefined ? '' : ` {${op.imm}}`}`;
    case 'get':
      return `get ${REGISTERS[op.reg]}`;
    case 'set':
      return `set ${REGISTERS[op.reg]}, ${v(op.value)}`;
    case 'rec':
      return `rec ${op.offset}`;
    case 'ldstate':
      return `ldstate${op.bytes * 8}${op.signed ? 's' : ''} ${state(op)}`;
    case 'ststate':
      return `ststate${op.bytes * 8} ${state(op)}, ${v(op.value)}`;
    case 'load':
      return `load${op.bytes * 8}${op.signed ? 's' : ''}${op.rmw ? ' rmw' : ''}${op.locked ? ' lock' : ''} ${v(op.address)}`;
    case 'fence':
    case 'pause':
      return op.kind;
    case 'store':
      return `store${op.bytes * 8} ${v(op.address)}, ${v(op.value)}`;
    case 'linear':
      return `linear ${v(op.seg)}:${v(op.offset)} ${op.write ? 'write' : 'read'} ${op.bytes}`;
    case 'flags':
      return `flags ${op.flag}${op.width} ${v(op.a)}, ${v(op.b)} -> ${v(op.r)}`;
    case 'setRX':
      return `flags words ${v(op.r)}, ${v(op.x)}`;
    case 'cond':
      return `cond ${op.cc}`;
    case 'helper':
      return `helper ${op.name}(${op.args.map(v).join(', ')})${effects(op.effects)}${op.seldom === undefined ? '' : ` if ${op.seldom.when.map(v).join(' or ')}, else ${v(op.seldom.otherwise)}`}`;
    case 'raise':
      return `raise ${op.vector}${op.error === undefined ? '' : ` error ${v(op.error)}`}${op.cond === undefined ? '' : ` if ${v(op.cond)}`}`;
    case 'insn':
      return `insn 0x${(op.eip >>> 0).toString(16)}${op.text === undefined ? '' : `  ${op.text}`}`;
    case 'branch':
    case 'repeat':
      return `${op.kind} if ${v(op.cond)}`;
    case 'indirect':
      return `indirect ${v(op.eip)}`;
    default:
      return op.kind;
  }
}

/** All operations, a line each; constants and the CPU's address are shown where they are used. */
export function print(code: Code): string {
  const lines: string[] = [];
  code.ops.forEach((op, i) => {
    if (op.kind === 'const' || op.kind === 'cpu') return;
    const defines = 'type' in op && op.type !== undefined;
    lines.push(`${defines ? `%${i} = ` : ''}${printOp(code.ops, op)}`);
  });
  return lines.join('\n');
}
