// That functions of the runtime do to the CPU what src/runtime/abi.ts says of them, and nothing else: regions rely on it.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { compileRuntime } from '../../../scripts/build-runtime.ts';
import { Cpu } from '../../../src/layout/cpu.ts';
import { type RuntimeFunction, runtime } from '../../../src/runtime/abi.ts';
import { hostFunctions } from '../../../src/runtime/host.ts';
import { type Deeds, deedsOf } from './effects.ts';

/** They mark descriptors as accessed or busy: nobody runs a descriptor as code. */
const MARKS = new Set(['wasm/segments/descriptor/markAccessed', 'wasm/segments/descriptor/markBusy']);
/** How the TLB is filled, which takes nothing away that the guest relies on. */
const FILLS = 'wasm/memory/tlb/insert';
/** They could fault or change code, if not the load before, or lockedHost before both, had refused: what they would do is for the others that they share functions with. */
const REFUSED: readonly [RegExp, readonly string[]][] = [
  [/^(region|direct)(Rmw|Store)/, ['w codeChanged']],
  [/^lockedStore/, ['w fault', 'w codeChanged']],
];
const parks = new Set(Object.entries(hostFunctions).flatMap(([name, { effects }]) => (effects.parks ? [name] : [])));
/** What any function may change: its exception, and a place for values on their way. */
const OWN = ['fault', 'faultError', 'scratch', 'loaded'];

const functions = Object.values(runtime).filter((f): f is typeof f & RuntimeFunction => 'effects' in f);
const hasCpu = new Set<string>(Object.values(runtime).flatMap(({ name }) => (name === 'blockHashIndex' ? [] : [name])));

let deeds: ReadonlyMap<string, Deeds>;
let withoutFills: ReadonlyMap<string, Deeds>;
beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'dragoman-runtime-'));
  try {
    const file = join(folder, 'runtime.wasm');
    await compileRuntime(file, '-O0');
    deeds = deedsOf(readFileSync(file), (name) => hasCpu.has(name), MARKS);
    withoutFills = deedsOf(readFileSync(file), (name) => hasCpu.has(name), new Set([...MARKS, FILLS]));
  } finally {
    rmSync(folder, { recursive: true });
  }
}, 60_000);

const names = (list: readonly number[] | 'all' | undefined, register: string) =>
  list === 'all' || list?.some((n) => register === `gpr.${n}`) === true;

/** Whether a function takes translations out of the TLB, or is where others can. */
const takesAway = (name: string): boolean =>
  [...withoutFills.get(name)!].some(
    (deed) => deed === 'w TLB' || deed === 'w parked' || (deed.startsWith('asks ') && parks.has(deed.slice(5))),
  );

/** What a function does, and is not said to do. */
function untold({ name, effects }: RuntimeFunction, done: Deeds): string[] {
  const { reads, writes, flags, mayFault, eip, stores, changes, forgets, vectors } = effects;
  const onlyState = changes !== undefined || !(mayFault || stores || eip || forgets);
  const refused = REFUSED.flatMap(([names, never]) => (names.test(name) ? never : []));
  const found = [...done].filter((deed) => {
    if (refused.includes(deed)) return false;
    const [does, field] = deed.split(' ') as ['r' | 'w' | 'asks', string];
    if (does === 'asks' || field === 'parked') return false;
    // What is written is in memory before the call, too.
    if (field.startsWith('gpr')) return !names(writes, field) && !(does === 'r' && names(reads, field));
    if (field === 'flagR' || field === 'flagX') return !flags?.includes(does);
    if (field === 'xmm') return !vectors && (does === 'r' ? reads : writes) !== 'all';
    if (does === 'r') return field === 'eip' && !eip && !mayFault;
    if (field === 'fault') return !mayFault;
    // Behind what may change everything no region goes on.
    if (field === 'codeChanged') return !stores && writes !== 'all';
    if (field === 'TLB') return onlyState;
    if (OWN.includes(field)) return false;
    const at = Cpu.at[field as keyof typeof Cpu.at];
    return changes !== undefined && !changes.some((place) => place.at <= at && at < place.end);
  });
  return !forgets && takesAway(name) ? [...found, 'forgets'] : found;
}

/** What a function is said to do, and never does: code around it is longer for nothing. */
function unfounded({ name, effects }: RuntimeFunction, done: Deeds): string[] {
  const { reads, writes, flags, mayFault, eip, stores, forgets, vectors } = effects;
  if (writes === 'all') return [];
  const missing: string[] = [];
  const demand = (claim: string, ...any: string[]) => {
    if (!any.some((deed) => done.has(deed))) missing.push(claim);
  };
  if (Array.isArray(reads)) for (const n of reads) demand(`reads ${n}`, `r gpr.${n}`);
  if (Array.isArray(writes)) for (const n of writes) demand(`writes ${n}`, `w gpr.${n}`);
  if (flags === 'r') demand('reads flags', 'r flagR', 'r flagX');
  else if (flags !== undefined) demand('writes flags', 'w flagR', 'w flagX');
  if (mayFault) demand('may fault', 'w fault');
  else if (eip) demand('reads EIP', 'r eip');
  if (stores) demand('stores', 'w codeChanged');
  if (vectors) demand('vectors', 'r xmm', 'w xmm');
  if (forgets && !takesAway(name)) missing.push('forgets');
  return missing;
}

test.each(functions)('$name', (f) => {
  const done = deeds.get(f.name)!;
  expect({ untold: untold(f, done), unfounded: unfounded(f, done) }).toEqual({ untold: [], unfounded: [] });
});

test('what is not said is found, and what is not so', () => {
  const {
    movs,
    cpuid,
    sseAddps,
    fpuFxsave,
    fpuFxrstor,
    fpuCompareSpecial,
    rdtsc,
    slowLoad32,
    lockedLoad32,
    lockedStore32,
    invlpg,
    outs,
    popf,
  } = runtime;
  const check = (f: RuntimeFunction, effects: RuntimeFunction['effects']) => {
    const line = { ...f, effects };
    return [...untold(line, deeds.get(f.name)!).sort(), ...unfounded(line, deeds.get(f.name)!)];
  };
  expect(check(movs, { ...movs.effects, stores: false })).toEqual(['w codeChanged']);
  expect(check(cpuid, { reads: [0, 1], writes: [0, 1, 2] })).toEqual(['w gpr.3']);
  expect(check(cpuid, { reads: [], writes: [1, 2, 3] })).toEqual(['r gpr.0', 'w gpr.0']);
  expect(check(sseAddps, {})).toEqual(['w fault']);
  expect(check(fpuFxsave, { ...fpuFxsave.effects, vectors: false })).toEqual(['r xmm']);
  expect(check(fpuFxrstor, { ...fpuFxrstor.effects, vectors: false })).toEqual(['w xmm']);
  expect(check(sseAddps, { ...sseAddps.effects, vectors: true })).toEqual(['vectors']);
  expect(check(fpuCompareSpecial, { changes: [] })).toEqual(['w fsw']);
  expect(check(popf, { mayFault: true, eip: true })).toEqual(expect.arrayContaining(['w flagR', 'w flagX']));
  expect(check(slowLoad32, { mayFault: true, changes: [] })).toEqual(expect.arrayContaining(['w TLB', 'w cr2']));
  for (const f of [outs, lockedLoad32, invlpg]) expect(check(f, { ...f.effects, forgets: false })).toEqual(['forgets']);
  expect(untold({ ...lockedStore32, name: 'anotherStore32' }, deeds.get('lockedStore32')!)).toEqual(
    expect.arrayContaining(['w fault', 'w codeChanged']),
  );
  expect(check(rdtsc, { ...rdtsc.effects, flags: 'rw', stores: true, forgets: true })).toEqual(['writes flags', 'stores', 'forgets']);
});

test('a function that a mark is to be made of must exist', () => {
  expect(() => deedsOf(readFileSync(new URL('../../../build/runtime.wasm', import.meta.url)), () => true, new Set(['wasm/none']))).toThrow(
    'no function wasm/none',
  );
});
