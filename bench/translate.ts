// npm run bench -- translate: what each stage of a translation takes, with both encoders, over recorded regions of Debian's kernel.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureGuest } from '../guests/linux.ts';
import { type CodeFunction, ENCODERS, type EncoderName, type ImportedFunction, type ModuleBuilder } from '../src/emit/module/builder.ts';
import { type Expr, Kind } from '../src/emit/module/expressions.ts';
import { loadEncoder } from '../src/emit/module/load.ts';
import { none } from '../src/emit/module/types.ts';
import { Emitter } from '../src/emit/module.ts';
import { emitRegion, type RegionDemands } from '../src/emit/region/region.ts';
import { DIRECT_START } from '../src/layout/memory.ts';
import { growRegion } from '../src/translate/grow.ts';
import { liftRegion } from '../src/translate/lift.ts';
import { translate } from '../src/translate/pipeline.ts';
import { median, short, spread, type Table } from './figures.ts';
import { type RecordedRegion, recordedRegions } from './recorded.ts';

const REGIONS = 120;
/** Rounds before those that count, until V8 has optimized what is measured. */
const WARM_UP = 3;
const CHILD = fileURLToPath(new URL('compile-child.ts', import.meta.url));
/** All functions, at once, on the thread that asks. */
const AT_ONCE = ['--no-wasm-lazy-compilation', '--single-threaded', '--no-warnings'];
const COMPILERS = { 'V8 baseline': ['--liftoff', '--no-wasm-tier-up'], 'V8 optimizer': ['--no-liftoff'] } as const;

const STAGES = ['decode', 'lift', 'passes', 'lower', 'encode', ...(Object.keys(COMPILERS) as (keyof typeof COMPILERS)[])] as const;
type Stage = (typeof STAGES)[number];

export interface TranslateResult {
  readonly guest: string;
  readonly regions: number;
  readonly instructions: number;
  /** Wasm expressions that the encoders were given. */
  readonly expressions: number;
  /** The same where nothing is relied on. */
  readonly exactExpressions: number;
  /** Of all modules. */
  readonly bytes: Readonly<Record<EncoderName, number>>;
  /** Microseconds of processor time a guest instruction, a sample each round. Only the last three depend on the encoder. */
  readonly samples: Readonly<Record<EncoderName, Readonly<Record<Stage, readonly number[]>>>>;
}

/** Keeps what an encoder would be given. */
class Kept implements ModuleBuilder {
  readonly imports: ImportedFunction[] = [];
  readonly functions: CodeFunction[] = [];
  addImport(f: ImportedFunction): void {
    this.imports.push(f);
  }
  addFunction(f: CodeFunction): void {
    this.functions.push(f);
  }
  finish(): Uint8Array {
    return new Uint8Array();
  }
  /** The module by an encoder. */
  by(builder: ModuleBuilder): Uint8Array {
    for (const f of this.imports) builder.addImport(f);
    for (const f of this.functions) builder.addFunction(f);
    return builder.finish();
  }
}

/** Lists and marks are not there in the binary. */
const isExpression = (e: Expr, of?: Expr) =>
  e.kind !== Kind.HINT && !(e.kind === Kind.BLOCK && e.name === '' && (e.type === none || of?.kind === Kind.IF));
const countExpressions = (e: Expr, of?: Expr): number =>
  e.args.reduce((sum, arg) => sum + countExpressions(arg, e), isExpression(e, of) ? 1 : 0);

/** Microseconds that this thread runs. */
function microseconds(work: () => void): number {
  const before = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(before);
  return user + system;
}

/** What a machine's translator asks for: code of the kernel relies on all that it may (docs/relaxations.md). Linux's direct map is at C0000000H. */
const RELAXED: RegionDemands = { directOrigin: 0xc0000000 + DIRECT_START, precise: false, stack: true };

const slotOf = (_phys: number, eip: number) => eip & 0xfff;
const grow = ({ page, eip, phys, mode }: RecordedRegion) => growRegion(page, eip, phys, mode)!;

function emit(region: ReturnType<typeof grow>, demands: RegionDemands): Kept {
  const kept = new Kept();
  emitRegion(new Emitter({ builder: kept }), 'r1', region, slotOf, demands);
  return kept;
}

function compile(modules: readonly Uint8Array[], flags: readonly string[], folder: string): number {
  const file = join(folder, 'modules.json');
  writeFileSync(file, JSON.stringify(modules.map((bytes) => Buffer.from(bytes).toString('base64'))));
  return Number(execFileSync(process.execPath, [...AT_ONCE, ...flags, CHILD, file], { encoding: 'utf8' }));
}

export async function translateBench(rounds: number): Promise<TranslateResult> {
  const guest = await ensureGuest();
  const recorded = await recordedRegions(guest, REGIONS);
  const regions = recorded.map(grow);
  const instructions = regions.reduce((sum, region) => sum + region.instructionCount, 0);
  const kept = regions.map((region) => emit(region, RELAXED));
  const count = (all: readonly Kept[]) => all.flatMap(({ functions }) => functions).reduce((sum, f) => sum + countExpressions(f.body), 0);
  const expressions = count(kept);
  const exactExpressions = count(regions.map((region) => emit(region, {})));
  const samples = Object.fromEntries(
    ENCODERS.map((name) => [name, Object.fromEntries(STAGES.map((stage) => [stage, [] as number[]]))]),
  ) as Record<EncoderName, Record<Stage, number[]>>;
  const bytes = {} as Record<EncoderName, number>;
  const folder = mkdtempSync(join(tmpdir(), 'dragoman-bench-'));
  try {
    for (let round = -WARM_UP; round < rounds; round++) {
      process.stderr.write(round < 0 ? '' : `bench: translate, round ${round + 1} ...\n`);
      const decode = microseconds(() => recorded.forEach(grow));
      const lift = microseconds(() => regions.forEach(liftRegion));
      // The pipeline lifts, and emission runs the pipeline: what is left of each is its own.
      const pipeline = microseconds(() => {
        for (const region of regions) translate(region, RELAXED);
      });
      const emission = microseconds(() => {
        for (const region of regions) emit(region, RELAXED);
      });
      const early = { decode, lift, passes: pipeline - lift, lower: emission - pipeline };
      for (const name of ENCODERS) {
        const make = await loadEncoder(name);
        const modules: Uint8Array[] = [];
        const encode = microseconds(() => {
          for (const module of kept) modules.push(module.by(make()));
        });
        bytes[name] = modules.reduce((sum, { length }) => sum + length, 0);
        if (round < 0) continue;
        const compilers = Object.entries(COMPILERS).map(([stage, flags]) => [stage, compile(modules, flags, folder)]);
        const all: Record<Stage, number> = { ...early, encode, ...Object.fromEntries(compilers) };
        for (const stage of STAGES) samples[name][stage].push(all[stage] / instructions);
      }
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  return { guest: guest.version, regions: regions.length, instructions, expressions, exactExpressions, bytes, samples };
}

export function translateTable(
  { guest, regions, instructions, expressions, exactExpressions, bytes, samples }: TranslateResult,
  rounds: number,
): Table {
  const each = (cells: (name: EncoderName) => readonly string[]) => ENCODERS.flatMap(cells);
  const upToBytes = STAGES.slice(0, STAGES.indexOf('encode') + 1);
  const sum = (name: EncoderName) =>
    median(samples[name].decode.map((_, k) => upToBytes.reduce((all, stage) => all + samples[name][stage][k], 0)));
  return {
    title: `translate: microseconds of processor time a guest instruction, by stage (Linux ${guest}: ${regions} regions of ${instructions} instructions); medians of ${rounds} rounds`,
    head: ['stage', ...each((name) => [name, 'spread'])],
    rows: [
      ...STAGES.map((stage) => [
        stage,
        ...each((name) => [short(median(samples[name][stage])), `${Math.round(spread(samples[name][stage]) * 100)}%`]),
      ]),
      ['to the bytes', ...each((name) => [short(sum(name)), ''])],
      ['Wasm expressions', ...each(() => [short(expressions / instructions), ''])],
      ['with --relax off', ...each(() => [short(exactExpressions / instructions), ''])],
      ['bytes', ...each((name) => [short(bytes[name] / instructions), ''])],
    ],
  };
}
