// What is run of two packages, without what it would hold for nothing in each thread. Binaryen's module has its WebAssembly as a text in its source (15 MB, of which text, source and bytes
// all stay in memory): build/binaryen.js and build/binaryen.wasm have them apart, and the first exports what makes the module of both. iced-x86's module is mostly comments and blanks, in two bytes a letter: build/iced-x86.js has none, and is an ES module (iced.ts).
// build/packages.json has the versions of both, build/LICENSES.txt the licenses of all packages that are part of what is built.
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transform } from 'esbuild';
import { icedModule } from './iced.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const at = (path: string) => join(ROOT, path);

/** How iced-x86's module has its WebAssembly in Node: from the file beside it. */
const LOAD =
  "new WebAssembly.Instance(new WebAssembly.Module(readFileSync(new URL('iced_x86_bg.wasm', import.meta.url))), imports).exports";

/** How the text begins, behind the name of the function that makes bytes of it. */
const TEXT = /[\w$]+\((?=`\\0asm)/g;
/** Where the package makes its one instance; its maker takes Emscripten's options. */
const INSTANCE = /=await ([\w$]+)\(\)(?=[,;][^{}]*export\{[\w$]+ as default\};\s*$)/g;

/** It is made by who brings its WebAssembly, which it does not hold any longer than that takes. */
const MAKE = (maker: string) => `(bytes)=>${maker}({instantiateWasm(imports,done){
WebAssembly.instantiate(bytes,imports).then(({instance,module})=>done(instance,module));
bytes=undefined;
return {};
}})`;

function only(source: string, pattern: RegExp, what: string): RegExpExecArray {
  const found = [...source.matchAll(pattern)];
  if (found.length !== 1) throw new Error(`Binaryen's module is another than it was: ${found.length} places with ${what}`);
  return found[0]!;
}

/** Its source as few lines, and its WebAssembly. */
export function splitBinaryen(source: string): { js: string; wasm: Uint8Array } {
  const { index, 0: call } = only(source, TEXT, 'WebAssembly');
  const begin = index + call.length;
  let end = begin + 1;
  while (source[end] !== '`') end += source[end] === '\\' ? 2 : 1;
  const text = source.slice(begin, end + 1);
  // As its own function does it: whoever wrote the text has a code for each byte, and a larger one for 0.
  const chars = new Function(`return ${text}`)() as string;
  const wasm = Uint8Array.from(chars, (char) => (char.charCodeAt(0) > 0xff ? 0 : char.charCodeAt(0)));
  const js = `${source.slice(0, index)}undefined${source.slice(end + 2)}`;
  only(js, INSTANCE, 'an instance');
  return { js: js.replace(INSTANCE, (_, maker: string) => `=${MAKE(maker)}`), wasm };
}

const PACKAGES = ['binaryen', 'iced-x86'];
/** In the bundle for browsers as well. */
const BUNDLED = [...PACKAGES, '@noble/hashes'];

const manifest = (name: string) =>
  JSON.parse(readFileSync(at(`node_modules/${name}/package.json`), 'utf8')) as { version: string; license: string };

/** The license of a package, as it brings it. */
function licenseOf(name: string): string {
  const folder = at(`node_modules/${name}`);
  const file = readdirSync(folder).find((entry) => /^licen[cs]e(\.(txt|md))?$/i.test(entry));
  if (file === undefined) throw new Error(`${name} brings no license`);
  const { version, license } = manifest(name);
  return `${name} ${version} (${license})\n\n${readFileSync(join(folder, file), 'utf8').trim()}\n`;
}

export async function buildPackages(): Promise<void> {
  writeFileSync(at('build/packages.json'), JSON.stringify(Object.fromEntries(PACKAGES.map((name) => [name, manifest(name).version]))));
  writeFileSync(at('build/LICENSES.txt'), BUNDLED.map(licenseOf).join(`\n${'-'.repeat(80)}\n\n`));
  const { js, wasm } = splitBinaryen(readFileSync(at('node_modules/binaryen/index.js'), 'utf8'));
  if (!WebAssembly.validate(wasm as Uint8Array<ArrayBuffer>)) throw new Error("Binaryen's WebAssembly was not found whole");
  writeFileSync(at('build/binaryen.js'), js);
  writeFileSync(at('build/binaryen.wasm'), wasm);
  const source = readFileSync(at('node_modules/iced-x86/iced_x86.js'), 'utf8');
  const module = icedModule(source, LOAD, "import { readFileSync } from 'node:fs';\n");
  writeFileSync(at('build/iced-x86.js'), (await transform(module, { minify: true, format: 'esm', charset: 'ascii' })).code);
  copyFileSync(at('node_modules/iced-x86/iced_x86_bg.wasm'), at('build/iced_x86_bg.wasm'));
}
