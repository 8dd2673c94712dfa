// Both engines, a watchdog that stops one that does not come back, and the comparison of a case on them.
import { Worker } from 'node:worker_threads';
import type { EncoderName } from '../../src/emit/module/builder.ts';
import { openEngine, type TestEngine } from '../harness/engine.ts';
import type { Case } from './case.ts';
import { differences, type Outcome, runCase, stopWord, translateOnly } from './world.ts';

/** A case that runs longer than this is stopped, and reported if the engines do not agree in that. */
const LIMIT_MS = 3000;

// The watchdog: `state` holds the number of the run that is under way (0: none); the same number twice in a row is too long.
const WATCHDOG = `
const { workerData } = require('node:worker_threads');
const { state, words, limit } = workerData;
let last = 0;
let since = 0;
setInterval(() => {
  const now = Atomics.load(state, 0);
  if (now !== last) [last, since] = [now, Date.now()];
  else if (now !== 0 && Date.now() - since > limit) for (const w of words) Atomics.or(new Int32Array(w.buffer), w.index, w.bit);
}, 100);
`;

export interface Comparison {
  different: string[];
  end: string;
}

export class Engines {
  private readonly list: readonly TestEngine[];
  private readonly state = new Int32Array(new SharedArrayBuffer(4));
  private readonly watchdog: Worker;
  private runs = 0;
  private seed = 0;
  private constructor(list: readonly TestEngine[]) {
    this.list = list;
    this.watchdog = new Worker(WATCHDOG, { eval: true, workerData: { state: this.state, words: list.map(stopWord), limit: LIMIT_MS } });
    this.watchdog.unref();
  }

  /** `encoder`: of the JIT. */
  static async open(encoder: EncoderName = 'direct'): Promise<Engines> {
    const list = [await openEngine('interpreter'), await openEngine('jit', undefined, encoder)];
    for (const engine of list) engine.reset();
    const engines = new Engines(list);
    // Cases of odd seeds are translated by half, so that code goes from the interpreter into regions and back.
    translateOnly(list[1], (eip) => (engines.seed & 1) === 0 || (Math.imul(eip ^ engines.seed, 0x9e3779b1) & 0x10000) !== 0);
    return engines;
  }

  private run(engine: TestEngine, c: Case, again: boolean): Outcome | string | undefined {
    Atomics.store(this.state, 0, ++this.runs);
    try {
      return runCase(engine, c, again);
    } catch (error) {
      return `${error}`;
    } finally {
      Atomics.store(this.state, 0, 0);
    }
  }

  /** What a case did: differences (interpreter / jit), and how it ended. undefined: it cannot be assembled. */
  compare(c: Case): Comparison | undefined {
    this.seed = c.seed;
    let first = this.once(c, false);
    // A busy machine may have held up one of them.
    if (first?.different.some((line) => /^end: .*limit/.test(line))) first = this.once(c, false);
    if (first === undefined || first.different.length > 0 || first.end === 'limit') return first;
    // Once more over what is translated and linked by now.
    const second = this.once(c, true)!;
    return { different: second.different.map((line) => `again, ${line}`), end: first.end };
  }

  private once(c: Case, again: boolean): Comparison | undefined {
    const [a, b] = this.list.map((engine) => this.run(engine, c, again));
    if (a === undefined || b === undefined) return undefined;
    if (typeof a === 'string' || typeof b === 'string') {
      const text = (x: Outcome | string) => (typeof x === 'string' ? x : x.result.reason);
      return { different: [`engine failed: ${text(a)} / ${text(b)}`], end: 'error' };
    }
    const { reason, vector } = a.result;
    if (reason === 'limit' && b.result.reason === 'limit') return { different: [], end: 'limit' };
    return { different: differences(a, b), end: vector === undefined ? reason : `fault ${vector}` };
  }

  async close(): Promise<void> {
    await this.watchdog.terminate();
  }
}
