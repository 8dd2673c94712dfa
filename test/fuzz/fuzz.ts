// The fuzzer: node scripts/with-node.mjs test/fuzz/fuzz.ts --seed S --seconds N [--out FOLDER]. Random cases run on the
// interpreter and the JIT; where they differ, the case is made small and printed in the format of test/fuzz/cases.
// Cannot prove: what both engines do wrong in the same way, since both come from one lift (see test/vectors for that).
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type Case, printCase } from './case.ts';
import { Engines } from './engines.ts';
import { generate } from './generate.ts';
import { reduce } from './reduce.ts';
import { irProblems } from './verify.ts';
import { firstEip } from './world.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '10' },
    /** Stop after so many findings. */
    findings: { type: 'string', default: '5' },
    /** Folder for the reduced cases; without it they are only printed. */
    out: { type: 'string' },
  },
});
const first = Number(values.seed);
const until = Date.now() + Number(values.seconds) * 1000;
const engines = await Engines.open();
const ends = new Map<string, number>();
let cases = 0;
let instructions = 0;
let findings = 0;
const report = (c: Case, what: string[], fails: (c: Case) => string[]) => {
  findings++;
  const small = reduce(c, (x) => fails(x).length > 0);
  const text = printCase({ about: fails(small).join('; ') || what.join('; '), ...small }, firstEip(small));
  console.log(`seed ${c.seed}: ${what.join('; ')}\n${text}`);
  if (values.out !== undefined) writeFileSync(`${values.out}/seed-${c.seed}.json`, text);
};
for (let seed = first; Date.now() < until && findings < Number(values.findings); seed++) {
  const c = generate(seed);
  const outcome = engines.compare(c);
  if (outcome === undefined) continue;
  cases++;
  instructions += c.items.length;
  ends.set(outcome.end, (ends.get(outcome.end) ?? 0) + 1);
  if (outcome.different.length > 0) report(c, outcome.different, (x) => engines.compare(x)?.different ?? []);
  const problems = irProblems(c);
  if (problems.length > 0) report(c, problems, irProblems);
}
await engines.close();
console.log(`${cases} cases from seed ${first}, ${instructions} instructions, ${findings} findings`);
console.log(
  [...ends]
    .sort((a, b) => b[1] - a[1])
    .map(([end, n]) => `${end}: ${n}`)
    .join(', '),
);
process.exitCode = findings > 0 ? 1 : 0;
