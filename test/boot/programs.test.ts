// The programs of ours that run in Linux guests, and the module, are what their sources say.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { KBENCH } from '../../guests/kbench/build.ts';
import { buildModule, KEPT, moduleHash, readManifest, sourceHash } from '../../guests/mistakes/build.ts';
import { tools } from '../../guests/prebuilt.ts';
import { STRESS } from '../../guests/stress/build.ts';

describe.each([STRESS, KBENCH])('the program $name', (program) => {
  const manifest = program.readManifest();
  it(`is of the present sources (else run guests/${program.name}/build.ts)`, () => {
    expect({ sources: program.sourcesHash(), program: program.programHash() }).toEqual({
      sources: manifest.sources,
      program: manifest.program,
    });
  });

  const here = tools();
  const same = here?.compiler === manifest.compiler && here.linker === manifest.linker;
  it.skipIf(!same)(same ? 'is what the compiler makes of them' : `is not compiled: no ${manifest.compiler} here`, () => {
    const folder = mkdtempSync(join(tmpdir(), 'dragoman-program-'));
    try {
      const compiled = join(folder, program.name);
      program.compile(compiled);
      expect(readFileSync(compiled).equals(readFileSync(program.path))).toBe(true);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('the module mistakes', () => {
  const manifest = readManifest();
  it('is of the present source (else run guests/mistakes/build.ts)', () => {
    expect({ source: sourceHash(), module: moduleHash() }).toEqual({ source: manifest.source, module: manifest.module });
  });

  const here = tools();
  const same = here?.compiler === manifest.compiler && here.linker === manifest.linker;
  // Its headers are fetched.
  const whyNot =
    process.env.DRAGOMAN_LONG_TESTS !== '1' ? 'without DRAGOMAN_LONG_TESTS=1' : same ? undefined : `no ${manifest.compiler} here`;
  it.skipIf(whyNot !== undefined)(
    whyNot === undefined ? 'is what the compiler makes of it' : `is not compiled: ${whyNot}`,
    async ({ skip }) => {
      let built: string;
      try {
        built = await buildModule(manifest.kernel);
      } catch (error) {
        // Debian keeps a few versions of its kernel.
        return skip((error as Error).message);
      }
      expect(readFileSync(built).equals(readFileSync(KEPT))).toBe(true);
    },
    300_000,
  );
});
