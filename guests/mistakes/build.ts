// The module of mistakes.c, for the kernel that the guest boots: kept beside its source as it was built for one version of Debian's kernel; for others it is built by that version's headers, which apt
// fetches, without Kbuild. Usage, after a change of the source: node scripts/with-node.mjs guests/mistakes/build.ts
import { execFileSync } from 'node:child_process';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DragomanError } from '../../src/api/errors.ts';
import { type Apt, Unpacked } from '../apt.ts';
import { hashOf, keep } from '../kept.ts';
import { ensureGuest } from '../linux.ts';
import { sha256, tools } from '../prebuilt.ts';

const folder = fileURLToPath(new URL('.', import.meta.url));
const SOURCE = 'mistakes.c';
const MODULE = 'mistakes.ko';
/** The module that is kept, and what it was built by, of and for. */
export const KEPT = join(folder, MODULE);
const MANIFEST = join(folder, 'manifest.json');

export interface ModuleManifest {
  /** As `uname -r` prints it. */
  readonly kernel: string;
  readonly compiler: string;
  readonly linker: string;
  readonly source: string;
  readonly module: string;
}
export const readManifest = (): ModuleManifest => JSON.parse(readFileSync(MANIFEST, 'utf8'));

/** What of the kernel's own flags (its Makefiles, for this configuration) the code depends on. Without calls of __fentry__, a guard of the stack, and thunks for indirect calls, which a module may lack. */
const FLAGS = [
  ...['-m32', '-march=i686', '-mtune=generic', '-O2', '-std=gnu11', '-nostdinc', '-ffreestanding', '-fno-pic', '-fno-pie'],
  ...[
    '-msoft-float',
    '-mregparm=3',
    '-freg-struct-return',
    '-mpreferred-stack-boundary=2',
    '-mno-sse',
    '-mno-mmx',
    '-mno-sse2',
    '-mno-avx',
  ],
  ...['-fno-omit-frame-pointer', '-fno-optimize-sibling-calls', '-fno-asynchronous-unwind-tables', '-fcf-protection=none'],
  ...[
    '-fno-strict-aliasing',
    '-fno-common',
    '-fshort-wchar',
    '-fno-delete-null-pointer-checks',
    '-fno-strict-overflow',
    '-fconserve-stack',
  ],
  ...['-fno-allow-store-data-races', '-fno-stack-protector', '-fno-ident', '-Wall', '-Werror', '-Wno-pointer-sign', '-Wno-frame-address'],
  ...['-Wno-address-of-packed-member', '-Wno-maybe-uninitialized', '-Wno-stringop-overflow', '-Wno-array-bounds', '-Wno-main'],
  ...['-D__KERNEL__', '-DMODULE', '-DKBUILD_MODNAME="mistakes"', '-D__KBUILD_MODNAME=kmod_mistakes'],
];

export const sourceHash = (): string => sha256(`${sha256(readFileSync(join(folder, SOURCE)))}\n${FLAGS.join('\n')}`);
export const moduleHash = (): string => sha256(readFileSync(KEPT));

/** Where a kernel's headers are: what is common to Debian's configurations, and what is of this one. */
interface Headers {
  readonly common: string;
  readonly own: string;
}

function includes({ common, own }: Headers): string[] {
  const folders = ['arch/x86/include', 'include', 'arch/x86/include/uapi', 'include/uapi'].map((name) => join(common, name));
  const generated = ['arch/x86/include/generated', 'include', 'arch/x86/include/generated/uapi', 'include/generated/uapi'];
  const first = ['compiler-version.h', 'kconfig.h', 'compiler_types.h'].flatMap((name) => [
    '-include',
    join(common, 'include/linux', name),
  ]);
  return [...folders, ...generated.map((name) => join(own, name))]
    .map((name) => `-I${name}`)
    .concat(first, `-fmacro-prefix-map=${common}/=`);
}

/** What modpost adds: the module's structure, what it says of itself, and for which versions of the kernel's functions (Module.symvers) it was compiled. */
function moduleSource(symbols: readonly string[], symvers: string): string {
  const checksums = new Map(symvers.split('\n').map((line) => line.split('\t', 2).reverse() as [string, string]));
  const versions = ['module_layout', ...symbols].map((name) => {
    const sum = checksums.get(name);
    if (sum === undefined) throw new Error(`the kernel exports no ${name}`);
    return `\t{ ${sum}, "${name}" },\n`;
  });
  return `#include <linux/module.h>
#define INCLUDE_VERMAGIC
#include <linux/vermagic.h>

MODULE_INFO(vermagic, VERMAGIC_STRING);
MODULE_INFO(name, KBUILD_MODNAME);
MODULE_INFO(depends, "");

__visible struct module __this_module __section(".gnu.linkonce.this_module") = {
	.name = KBUILD_MODNAME,
	.init = init_module,
	.arch = MODULE_ARCH_INIT,
};

static const struct modversion_info versions[] __used __section("__versions") = {
${versions.join('')}};
`;
}

/** Builds the module in a folder; its path. */
function compile(headers: Headers, work: string): string {
  const run = (program: string, words: readonly string[]) =>
    execFileSync(program, words, { cwd: work, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  copyFileSync(join(folder, SOURCE), join(work, SOURCE));
  const gcc = (source: string, object: string) =>
    run('gcc', [...FLAGS, `-DKBUILD_BASENAME="${source.replace(/\..*/, '')}"`, ...includes(headers), '-c', '-o', object, source]);
  gcc(SOURCE, 'mistakes.o');
  const undefinedOnes = run('nm', ['--undefined-only', '--format=posix', 'mistakes.o'])
    .split('\n')
    .map((line) => line.split(' ', 1)[0]!);
  const symbols = undefinedOnes.filter((name) => name !== '' && name !== '__this_module').sort();
  writeFileSync(join(work, 'mistakes.mod.c'), moduleSource(symbols, readFileSync(join(headers.own, 'Module.symvers'), 'utf8')));
  gcc('mistakes.mod.c', 'mistakes.mod.o');
  const script = join(headers.own, 'arch/x86/module.lds');
  run('ld', ['-r', '-m', 'elf_i386', '-z', 'noexecstack', '--build-id=none', '-T', script, '-o', MODULE, 'mistakes.o', 'mistakes.mod.o']);
  return join(work, MODULE);
}

async function make(version: string, { apt, ready, work }: { apt: Apt; ready: string; work: string }) {
  const name = `linux-headers-${version}`;
  const common = (await apt.dependencies(name)).find((one) => /^linux-headers-.*-common$/.test(one));
  if (common === undefined) throw new Error(`${name} depends on no headers that are common`);
  const source = new Unpacked(apt, work);
  const [ownFolder, commonFolder] = (await source.unpacked([name, common])) as [string, string];
  const headers = { common: join(commonFolder, 'usr/src', common), own: join(ownFolder, 'usr/src', name) };
  copyFileSync(compile(headers, work), join(ready, MODULE));
  return { version, packages: source.versions };
}

/** The module, built here for a version of the kernel (`uname -r`) unless it has been; its path. Throws GUEST_MISSING where there are no headers, or no compiler. */
export async function buildModule(version: string): Promise<string> {
  const here = tools();
  if (here === undefined) throw new DragomanError('GUEST_MISSING', 'no gcc or ld to build a module of Linux with', 'mistakes');
  const hash = await hashOf([sourceHash(), new URL(import.meta.url), version, here.compiler, here.linker]);
  const what = `the headers of Debian's kernel ${version}, for the module mistakes,`;
  const { path } = await keep({ name: 'mistakes', what, hash, files: [MODULE], make: (place) => make(version, place) });
  return path(MODULE);
}

/** The module for a version of the kernel: the one that is kept, or one that is built. Its path. Throws as buildModule does. */
export async function mistakesModule(version: string): Promise<string> {
  const { kernel, source } = readManifest();
  return kernel === version && source === sourceHash() ? KEPT : buildModule(version);
}

/** For tests: the module, or the reason why those that need it are skipped. Under CI a missing one is an error. */
export async function mistakesOrSkip(version: string): Promise<{ module: Buffer; reason: '' } | { module: undefined; reason: string }> {
  try {
    return { module: readFileSync(await mistakesModule(version)), reason: '' };
  } catch (error) {
    if (process.env.CI === 'true') throw error;
    const reason = (error as Error).message;
    process.stderr.write(`skipped: tests with the module mistakes (${reason})\n`);
    return { module: undefined, reason };
  }
}

if (import.meta.main) {
  const { version: kernel } = await ensureGuest();
  copyFileSync(await buildModule(kernel), KEPT);
  const manifest: ModuleManifest = { kernel, ...tools()!, source: sourceHash(), module: moduleHash() };
  writeFileSync(MANIFEST, `${JSON.stringify(manifest, null, 2)}\n`);
}
