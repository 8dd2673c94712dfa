// npm run bless: writes anew what is compared with a text (the ledger in test/ledger/*.txt, the passes in test/ir/*.ir, the operations
// in docs/ir.md), and says which files changed.
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { blessed } from '../test/ir/cases.ts';
import { withOperations } from '../test/ir/document.ts';
import { ledger } from '../test/ledger/ledger.ts';
import { outline } from './outline.ts';

const root = new URL('../', import.meta.url);

function write(name: string, text: string): void {
  const path = new URL(name, root);
  if (existsSync(path) && readFileSync(path, 'utf8') === text) return;
  writeFileSync(path, text);
  console.log(`wrote ${name}`);
}

const files = ledger();
for (const name of readdirSync(new URL('test/ledger/', root))) {
  if (!name.endsWith('.txt') || files.has(name)) continue;
  rmSync(new URL(`test/ledger/${name}`, root));
  console.log(`removed test/ledger/${name}`);
}
for (const [name, text] of files) write(`test/ledger/${name}`, text);
for (const name of readdirSync(new URL('test/ir/', root)))
  if (name.endsWith('.ir')) write(`test/ir/${name}`, blessed(readFileSync(new URL(`test/ir/${name}`, root), 'utf8')));
write('docs/ir.md', withOperations(readFileSync(new URL('docs/ir.md', root), 'utf8')));
write('docs/outline.md', outline());
