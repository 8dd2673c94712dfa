// Every program of test/guest on both engines, and with both encoders, against the expectations in its header (which QEMU confirmed: check-with-qemu.ts).
import { beforeAll, describe, expect, test } from 'vitest';
import { guestNames, readManifest, readProgram, runGuest, sourceHash } from '../harness/asm.ts';
import { engineVariants, openEngine, type TestEngine } from '../harness/engine.ts';

test('the assembled images are of the present sources (else run test/guest/assemble.ts)', () => {
  expect(Object.fromEntries(guestNames().map((name) => [name, sourceHash(name)]))).toEqual(readManifest());
});

for (const { title, name: engineName, encoder } of engineVariants) {
  describe(title, () => {
    let engine: TestEngine;
    beforeAll(async () => {
      engine = await openEngine(engineName, undefined, encoder);
    });
    for (const name of guestNames()) {
      const program = readProgram(name);
      test.skipIf(program.header.engines?.includes(engineName) === false)(`${name}: ${program.header.about}`, () => {
        const differences = runGuest(engine, program);
        if (differences.length) throw new Error(differences.join('\n'));
      });
    }
  });
}
