// npm start: Debian's kernel in this terminal. Fetches the guest and builds Dragoman where that was not done yet; what follows
// `npm start --` goes to `dragoman run` (an --append is added to ours).
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from './build.ts';
import { ensureGuest } from './guests.ts';

const MAIN = join(fileURLToPath(new URL('..', import.meta.url)), 'dist/cli/main.js');

/** Takes every --append out of `args`; returns the rest and the texts. */
function splitAppends(args: readonly string[]): { rest: string[]; texts: string[] } {
  const [rest, texts]: [string[], string[]] = [[], []];
  for (let k = 0; k < args.length; k++) {
    if (args[k].startsWith('--append=')) texts.push(args[k].slice('--append='.length));
    else if (args[k] === '--append' && k + 1 < args.length) texts.push(args[++k]);
    else rest.push(args[k]);
  }
  return { rest, texts };
}

try {
  const { kernel, initrd } = await ensureGuest();
  await build();
  const { rest, texts } = splitAppends(process.argv.slice(2));
  const append = ['console=ttyS0', ...texts].join(' ');
  process.argv = [process.execPath, MAIN, 'run', kernel, '--initrd', initrd, '--append', append, ...rest];
} catch (error) {
  process.stderr.write(`dragoman: ${(error as Error).message}\n`);
  process.exit(2);
}
await import(MAIN);
