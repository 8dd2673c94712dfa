// Code without a place (layout/cpu.ts, `floats`): in Wasm, what its EIPs are, and that Cpu.codePage is right where somebody goes to code on another page.
import { Cpu, Mode } from '../../layout/cpu.ts';
import { PAGE } from '../../layout/memory.ts';
import type { Expr } from '../module.ts';
import type { FunctionCode } from './function.ts';

/** The EIP of what code that runs holds as `own`. */
export const eipAt = (f: FunctionCode, own: Expr): Expr => f.m.i32.add(own, f.loadCpu(Cpu.at.codePage));

/** The CPU, whose mode floats, goes on at `eip`. */
export const enterPage = (f: FunctionCode, eip: Expr): Expr => f.storeCpu(Cpu.at.codePage, f.m.i32.and(eip, f.c(-PAGE)));

/** The same where that is nearly always so already: a store in vain would make the next load of it wait. */
export function returnToPage(f: FunctionCode, eip: Expr, again: Expr): Expr {
  const { m } = f;
  const other = m.i32.and(m.i32.xor(f.loadCpu(Cpu.at.codePage), eip), f.c(-PAGE));
  return m.if(f.unlikely(other), enterPage(f, again));
}

/** The same in any mode. */
export function enterAnyPage(f: FunctionCode, eip: Expr): Expr {
  const { m } = f;
  // Mode.USER is the bit above Mode.FLAT, Mode.PLACED four above that.
  const at = (shift: number) => m.i32.shr_u(f.loadCpu(Cpu.at.mode), f.c(shift));
  const both = m.i32.and(m.i32.and(m.i32.and(f.loadCpu(Cpu.at.mode), at(1)), m.i32.xor(at(5), f.c(-1))), f.c(Mode.FLAT));
  const mask = m.i32.sub(f.c(0), m.i32.shl(both, f.c(Math.log2(PAGE / Mode.FLAT))));
  return f.storeCpu(Cpu.at.codePage, m.i32.and(eip, mask));
}
