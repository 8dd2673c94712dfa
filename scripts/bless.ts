// npm run bless: writes the ledger (test/ledger/*.txt) anew, and says which of its files changed.
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { ledger } from '../test/ledger/ledger.ts';

const folder = new URL('../test/ledger/', import.meta.url);
const files = ledger();
for (const name of readdirSync(folder)) {
  if (!name.endsWith('.txt') || files.has(name)) continue;
  rmSync(new URL(name, folder));
  console.log(`removed ${name}`);
}
for (const [name, text] of files) {
  const path = new URL(name, folder);
  if (existsSync(path) && readFileSync(path, 'utf8') === text) continue;
  writeFileSync(path, text);
  console.log(`wrote ${name}`);
}
