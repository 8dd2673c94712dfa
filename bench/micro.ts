// npm run bench -- micro: small C programs in both engines against the same C run natively, in turn.
import { median, percent, short, spread, type Table, times } from './figures.ts';
import { GuestProgram } from './guest-program.ts';
import { compile, missingCompiler, type NativeBits, nativeBits, type Program, runNative, WORKLOADS, type Workload } from './workloads.ts';

/** Calls are much shorter than a time slice, and the best of many in this time counts: what else runs on the host disturbs little. */
const SAMPLE_SECONDS = 0.15;
/** The interpreter gets this part of the work of a call. */
const INTERPRETER_PART = 8;

export interface MicroRow {
  readonly name: string;
  readonly unit: string;
  /** Nanoseconds a unit. */
  readonly native: number;
  readonly jit: number;
  readonly interpreter: number;
  readonly jitRatio: number;
  readonly interpreterRatio: number;
  readonly spread: number;
  /** Million guest instructions a second, where their number is known. */
  readonly interpreterMips?: number;
  readonly jitMips?: number;
}

export interface MicroResult {
  /** What the native programs are compiled for. */
  readonly nativeBits: NativeBits;
  readonly rows: readonly MicroRow[];
  readonly skipped: readonly string[];
}

async function measure(program: Program, rounds: number): Promise<MicroRow> {
  const { name, unit, count, instructions } = program.workload;
  const few = Math.max(1, Math.round(count / INTERPRETER_PART));
  const jit = new GuestProgram('jit', program);
  const interpreter = new GuestProgram('interpreter', program);
  try {
    const expected = (await runNative(program, few, 0)).result;
    for (const [engine, guest] of [
      ['jit', jit],
      ['interpreter', interpreter],
    ] as const) {
      const { result } = guest.call(few);
      if (result !== expected) throw new Error(`${name}: ${engine} gives ${result}, the processor ${expected}`);
    }
    await jit.warm(count);
    await interpreter.warm(few);
    const samples = { native: [] as number[], jit: [] as number[], interpreter: [] as number[] };
    const ratios = { jit: [] as number[], interpreter: [] as number[] };
    for (let round = 0; round < rounds; round++) {
      const native = (await runNative(program, count, SAMPLE_SECONDS)).nanoseconds;
      const fast = jit.measure(count, SAMPLE_SECONDS);
      const slow = interpreter.measure(few, SAMPLE_SECONDS);
      samples.native.push(native);
      samples.jit.push(fast);
      samples.interpreter.push(slow);
      ratios.jit.push(fast / native);
      ratios.interpreter.push(slow / native);
    }
    const mips = (nanoseconds: readonly number[]) => (instructions! * 1000) / median(nanoseconds);
    return {
      name,
      unit,
      native: median(samples.native),
      jit: median(samples.jit),
      interpreter: median(samples.interpreter),
      jitRatio: median(ratios.jit),
      interpreterRatio: median(ratios.interpreter),
      spread: spread(ratios.jit),
      ...(instructions === undefined ? {} : { interpreterMips: mips(samples.interpreter), jitMips: mips(samples.jit) }),
    };
  } finally {
    jit.close();
    interpreter.close();
  }
}

export async function micro(rounds: number, only?: string): Promise<MicroResult> {
  const missing = await missingCompiler();
  if (missing !== undefined) return { nativeBits: 32, rows: [], skipped: [`all rows: ${missing}`] };
  const rows: MicroRow[] = [];
  const skipped: string[] = [];
  for (const workload of WORKLOADS.filter((w: Workload) => only === undefined || w.name.includes(only))) {
    process.stderr.write(`bench: micro ${workload.name} ...\n`);
    try {
      rows.push(await measure(await compile(workload), rounds));
    } catch (error) {
      skipped.push(`${workload.name}: ${(error as Error).message}`);
    }
  }
  return { nativeBits: await nativeBits(), rows, skipped };
}

export function microTable({ nativeBits, rows, skipped }: MicroResult, rounds: number): Table {
  return {
    title: `micro: nanoseconds a unit, and ratios to the same C compiled natively (gcc -m${nativeBits} -O1); medians of ${rounds} rounds`,
    head: ['program', 'unit', 'native', 'jit', 'interpreter', 'jit/native', 'spread', 'int/native', 'jit MIPS', 'int MIPS'],
    rows: rows.map((row) => [
      row.name,
      row.unit,
      short(row.native),
      short(row.jit),
      short(row.interpreter),
      times(row.jitRatio),
      percent(row.spread),
      times(row.interpreterRatio),
      row.jitMips === undefined ? '' : short(row.jitMips),
      row.interpreterMips === undefined ? '' : short(row.interpreterMips),
    ]),
    notes: [
      ...(nativeBits === 64 ? ['native is x86-64 here: this machine runs no executables of 32 bits'] : []),
      ...skipped.map((text) => `skipped: ${text}`),
    ],
  };
}
