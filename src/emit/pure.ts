// Wasm operators by name, through binaryen's API (whose names differ for conversions).
import type { Expr, WasmModule } from './module.ts';

const CONVERSIONS: Record<string, string> = {
  'i32.wrap_i64': 'i32.wrap',
  'i64.extend_i32_s': 'i64.extend_s',
  'i64.extend_i32_u': 'i64.extend_u',
  'i32.reinterpret_f32': 'i32.reinterpret',
  'i64.reinterpret_f64': 'i64.reinterpret',
  'f32.reinterpret_i32': 'f32.reinterpret',
  'f64.reinterpret_i64': 'f64.reinterpret',
  'f32.demote_f64': 'f32.demote',
  'f64.promote_f32': 'f64.promote',
};

function path(name: string): string {
  const special = CONVERSIONS[name];
  if (special) return special;
  let match = /^(i32|i64)\.trunc_sat_(f32|f64)_([su])$/.exec(name);
  if (match) return `${match[1]}.trunc_${match[3]}_sat.${match[2]}`;
  match = /^(i32|i64)\.trunc_(f32|f64)_([su])$/.exec(name);
  if (match) return `${match[1]}.trunc_${match[3]}.${match[2]}`;
  match = /^(f32|f64)\.convert_(i32|i64)_([su])$/.exec(name);
  if (match) return `${match[1]}.convert_${match[3]}.${match[2]}`;
  return name.replace(/(add|sub)_sat_/, '$1_saturate_');
}

const paths = new Map<string, string[]>();

/** Emits operator `name` over `args`; `imm` is a lane number or a shuffle mask. */
export function pure(m: WasmModule, name: string, args: Expr[], imm?: number | readonly number[]): Expr {
  if (name === 'select') return m.select(args[0]!, args[1]!, args[2]!);
  let parts = paths.get(name);
  if (parts === undefined) paths.set(name, (parts = path(name).split('.')));
  let at: any = m;
  for (const part of parts) at = at[part];
  if (typeof at !== 'function') throw new Error(`no Wasm operator ${name}`);
  if (imm === undefined) return at(...args);
  if (name.endsWith('replace_lane')) return at(args[0], imm, args[1]);
  return at(...args, imm);
}
