// Writes wasm/gen/layout.ts: src/layout for the AssemblyScript runtime. A record is a class without fields of its own: its accessors are loads and
// stores at the offsets of the description, inlined, so that `cpu.eip` compiles to what a load at an address and an offset does. A set of numbers is a namespace.
//
//   cpu.eip, cpu.eip = 1        a field
//   cpu.dr[7], cpu.seg[Seg.CS]  an element of an array; a record in one
//   cpu.pending.or(Pending.NMI) a word that threads share: atomic operations; `.plain` is an ordinary load or store of it
//   lapic.irr.load(n)           the same of an array of such words
//   Cpu.SIZE, cpu.scratch       bytes of a record; the address of an area
import { mkdirSync, writeFileSync } from 'node:fs';
import * as clients from '../src/layout/clients.ts';
import * as costs from '../src/layout/costs.ts';
import * as cpu from '../src/layout/cpu.ts';
import * as features from '../src/layout/features.ts';
import * as flame from '../src/layout/flame.ts';
import * as lapic from '../src/layout/lapic.ts';
import * as memory from '../src/layout/memory.ts';
import * as prof from '../src/layout/prof.ts';
import type { FieldSpec, Struct } from '../src/layout/struct.ts';
import * as system from '../src/layout/system.ts';

const DESCRIPTIONS: Record<string, unknown> = {
  ...clients,
  ...costs,
  ...cpu,
  ...features,
  ...flame,
  ...lapic,
  ...memory,
  ...prof,
  ...system,
};

/** The one record at a fixed address. */
const SINGLES = { control: { type: 'Control', at: 'CONTROL' } };

const screaming = (name: string) => name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase();
const capital = (name: string) => name[0]!.toUpperCase() + name.slice(1);

const isStruct = (value: unknown): value is Struct<unknown> => typeof value === 'object' && value !== null && 'fields' in value;
const isNumbers = (value: unknown): value is Record<string, number> =>
  typeof value === 'object' && value !== null && Object.values(value).every((x) => typeof x === 'number');

const nameOf = (record: Struct<unknown>): string => {
  const found = Object.entries(DESCRIPTIONS).find(([, value]) => value === record);
  if (found === undefined) throw new Error('a record in an array must be exported by src/layout');
  return found[0];
};

/** The address of the record that a method is called on. */
const SELF = 'changetype<usize>(this)';

/** A class that stands for one field of a record at the record's own address, so that the field's offset is the loads' own. */
function view(name: string, members: readonly string[]): string[] {
  return ['@unmanaged', `class ${name} {`, ...members.map((line) => `  @inline ${line}`), '}', ''];
}

function sharedView(name: string, offset: number): string[] {
  const at = `${SELF} + ${offset}`;
  return view(name, [
    `get plain(): u32 { return load<u32>(${SELF}, ${offset}); }`,
    `set plain(value: u32) { store<u32>(${SELF}, value, ${offset}); }`,
    `load(): u32 { return atomic.load<u32>(${SELF}, ${offset}); }`,
    `store(value: u32): void { atomic.store<u32>(${SELF}, value, ${offset}); }`,
    ...['add', 'and', 'or'].map((op) => `${op}(value: u32): u32 { return atomic.${op}<u32>(${SELF}, value, ${offset}); }`),
    `compareExchange(expected: u32, value: u32): u32 { return atomic.cmpxchg<u32>(${SELF}, expected, value, ${offset}); }`,
    `wait(expected: u32, nanoseconds: i64): i32 { return atomic.wait<u32>(${at}, expected, nanoseconds); }`,
    `notify(count: i32): i32 { return atomic.notify(${at}, count); }`,
  ]);
}

function arrayView(name: string, offset: number, { type, array }: FieldSpec): string[] {
  const { stride, record } = array!;
  if (record !== undefined) {
    const element = nameOf(record);
    return view(name, [`@operator("[]") get(n: u32): ${element} { return changetype<${element}>(${SELF} + ${offset} + n * ${stride}); }`]);
  }
  const at = `${SELF} + n * ${stride}`;
  return view(name, [
    `get address(): usize { return ${SELF} + ${offset}; }`,
    `@operator("[]") get(n: u32): ${type} { return load<${type}>(${at}, ${offset}); }`,
    `@operator("[]=") set(n: u32, value: ${type}): void { store<${type}>(${at}, value, ${offset}); }`,
  ]);
}

function sharedArrayView(name: string, offset: number, { array }: FieldSpec): string[] {
  const at = `${SELF} + n * ${array!.stride}`;
  return view(name, [
    `load(n: u32): u32 { return atomic.load<u32>(${at}, ${offset}); }`,
    ...['and', 'or'].map((op) => `${op}(n: u32, value: u32): u32 { return atomic.${op}<u32>(${at}, value, ${offset}); }`),
  ]);
}

function recordClass(name: string, { size, fields, at }: Struct<unknown>): string[] {
  const views: string[] = [];
  const members: string[] = [];
  for (const [field, spec] of Object.entries(fields)) {
    const offset = (at as Record<string, number>)[field]!;
    const part = `${name}${capital(field)}`;
    if (spec.shared || spec.array) {
      const kind = !spec.array ? sharedView : spec.shared ? sharedArrayView : arrayView;
      views.push(...kind(part, offset, spec));
      members.push(`get ${field}(): ${part} { return changetype<${part}>(${SELF}); }`);
    } else if (spec.type === 'area') {
      members.push(`get ${field}(): usize { return ${SELF} + ${offset}; }`);
    } else {
      members.push(`get ${field}(): ${spec.type} { return load<${spec.type}>(${SELF}, ${offset}); }`);
      members.push(`set ${field}(value: ${spec.type}) { store<${spec.type}>(${SELF}, value, ${offset}); }`);
    }
  }
  const own = members.map((line) => `  @inline ${line}`);
  return [...views, '@unmanaged', `export class ${name} {`, `  static readonly SIZE: u32 = ${size};`, ...own, '}', ''];
}

const constant = (name: string, value: number) => `export const ${name}: u32 = ${value >>> 0};`;

/** The text of the generated module. */
export function layoutSource(): string {
  const lines = ['// Generated by scripts/gen-layout.ts from src/layout. Do not edit.', ''];
  for (const [name, value] of Object.entries(DESCRIPTIONS)) {
    if (typeof value === 'number') lines.push(constant(name, value));
    else if (isStruct(value)) lines.push('', ...recordClass(name, value));
    else if (isNumbers(value)) {
      lines.push('', `export namespace ${name} {`);
      for (const [member, number] of Object.entries(value)) lines.push(`  ${constant(screaming(member), number)}`);
      lines.push('}', '');
    }
  }
  for (const [name, { type, at }] of Object.entries(SINGLES)) lines.push(`export const ${name}: ${type} = changetype<${type}>(${at});`);
  return `${lines.join('\n')}\n`;
}

if (import.meta.main) {
  const dir = new URL('../wasm/gen/', import.meta.url);
  mkdirSync(dir, { recursive: true });
  writeFileSync(new URL('layout.ts', dir), layoutSource());
}
