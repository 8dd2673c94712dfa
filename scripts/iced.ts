// iced-x86's module as an ES module. The package is one CommonJS module for Node, which reads its own WebAssembly: bundlers cannot leave out of it what nobody uses, most of all tables of names.

/** What it says, and what an ES module says in its place; each is found, or the package is another than it was. */
const CHANGES: readonly (readonly [RegExp, string])[] = [
  [
    /^let imports = \{\};\nimports\['__wbindgen_placeholder__'\] = module\.exports;\n/,
    'const called = {};\nconst imports = { __wbindgen_placeholder__: called };\n',
  ],
  [/^const \{ TextDecoder, TextEncoder \} = require\(`util`\);\n/m, ''],
  // What its WebAssembly calls.
  [/^module\.exports\.(__wb\w+) = function/gm, 'called.$1 = function'],
  [/^module\.exports\.(\w+) = function/gm, 'export const $1 = function'],
  [/^module\.exports\.(\w+) = Object\.freeze\(/gm, 'export const $1 = /* @__PURE__ */ Object.freeze('],
  [/^module\.exports\.(\w+) = \1;$/gm, 'export { $1 };'],
  [/^const path = require\('path'\)[\s\S]*$/m, ''],
];
/** What of CommonJS is left outside of comments. */
const LEFT = /^(?! *\*).*(\bmodule\.exports\b|\brequire\()/m;

/** `source`: the package's module; `load`: an expression for the exports of its WebAssembly, which is instantiated with `imports`; `before`: what comes before all else. */
export function icedModule(source: string, load: string, before = ''): string {
  let text = source;
  for (const [pattern, replacement] of CHANGES) {
    const changed = text.replace(pattern, replacement);
    if (changed === text) throw new Error(`iced-x86's module is another than it was: no ${pattern.source}`);
    text = changed;
  }
  const left = LEFT.exec(text);
  if (left !== null) throw new Error(`iced-x86's module is another than it was: ${left[0]}`);
  return `${before}${text}wasm = ${load};\n`;
}
