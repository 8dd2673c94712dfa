// The list of operations in docs/ir.md, as the lines of src/ir/operations.ts have it.
import { lineOf, OPERATIONS, type OpKind } from '../../src/ir/operations.ts';
import type { Effects } from '../../src/ir/types.ts';

const BEGIN = '<!-- operations: npm run bless writes what follows -->\n';
const END = '<!-- end of operations -->';

const effectsText = ({ mayFault, flags }: Effects) =>
  [mayFault ? 'may fault' : '', flags === 'r' ? 'reads flags' : flags === undefined ? '' : 'sets flags'].filter(Boolean).join(', ');

function row(kind: OpKind): string {
  const { text, result, values, effects, ends } = lineOf(kind);
  const wants = Object.entries(values).map(([name, type]) => `${name}: ${type}`);
  const own = kind === 'helper' ? 'its own' : ends ? 'ends its block' : effectsText(effects);
  return `| \`${text.replaceAll('|', '\\|')}\` | ${wants.join(', ')} | ${result ?? ''} | ${own} |\n`;
}

/** `page` (docs/ir.md) with the list as it is now. */
export function withOperations(page: string): string {
  const rows = (Object.keys(OPERATIONS) as OpKind[]).map(row).join('');
  const from = page.indexOf(BEGIN);
  const to = page.indexOf(END);
  if (from < 0 || to < from) throw new Error('docs/ir.md has no place for the operations');
  return `${page.slice(0, from)}${BEGIN}\n| text | reads | gives | effects |\n| --- | --- | --- | --- |\n${rows}\n${page.slice(to)}`;
}
