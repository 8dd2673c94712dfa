// Every recorded vector on both engines, and with both encoders: one test a mnemonic, with its failures listed by their first differing field.
import { beforeAll, expect, describe as suite, test } from 'vitest';
import { describe, type FormInfo, placeForm, prepare, runVector } from '../harness/compare.ts';
import { engineVariants, openEngine, type TestEngine } from '../harness/engine.ts';
import { readForms, type VectorForm, vectorFiles } from '../harness/vectors.ts';
import { knownFailures } from './known-failures.ts';

const byMnemonic = new Map<string, { form: VectorForm; info: FormInfo }[]>();
for (const file of vectorFiles()) {
  for (const form of readForms(file)) {
    const info = describe(form.bytes);
    const name = `${info.mnemonic} (${form.group})`;
    byMnemonic.set(name, [...(byMnemonic.get(name) ?? []), { form, info }]);
  }
}

test('there are vectors', () => {
  expect(byMnemonic.size).toBeGreaterThan(400);
});

for (const { title, name: engineName, encoder } of engineVariants) {
  suite(title, () => {
    let engine: TestEngine;
    const met = new Set<number>();
    beforeAll(async () => {
      engine = await openEngine(engineName, undefined, encoder);
      prepare(engine);
    });

    for (const [name, forms] of byMnemonic) {
      test(name, () => {
        const failures: string[] = [];
        let total = 0;
        for (const { form, info } of forms) {
          placeForm(engine, form);
          for (const v of form.vectors) {
            total++;
            let difference: string | undefined;
            try {
              difference = runVector(engine, v, info);
            } catch (error) {
              difference = `error: ${error}`;
              prepare(engine);
              placeForm(engine, form);
            }
            if (difference === undefined) continue;
            const field = difference.slice(0, difference.indexOf(':'));
            const known = knownFailures.findIndex(
              (k) =>
                (k.engine ?? engineName) === engineName &&
                (k.mnemonic ?? info.mnemonic) === info.mnemonic &&
                (k.group ?? v.group) === v.group &&
                (k.field ?? field) === field,
            );
            if (known >= 0) met.add(known);
            else failures.push(`${info.text} [${v.id}] ${difference}`);
          }
        }
        if (failures.length) throw new Error(`${failures.length} of ${total} vectors differ:\n${failures.slice(0, 12).join('\n')}`);
      });
    }

    test('the list of known failures holds nothing that passes', () => {
      const stale = knownFailures.filter((k, i) => (k.engine ?? engineName) === engineName && !met.has(i));
      expect(stale).toEqual([]);
    });
  });
}
