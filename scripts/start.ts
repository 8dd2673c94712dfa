// npm start: serai, our demo kernel, in this terminal, with a CPU for each core of the host, up to four. npm run linux: Debian's
// kernel, which is fetched first. Builds Dragoman where that was not done yet; what follows `--` goes to `dragoman run` (an --append is
// added to ours).
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { usualCpus } from '../examples/serai/cpus.ts';
import { ensureGuest } from '../guests/linux.ts';
import { SERAI } from '../guests/serai.ts';
import { build } from './build.ts';

const MAIN = fileURLToPath(new URL('../dist/node/main.js', import.meta.url));

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

/** The arguments of `dragoman run` for one of our guests. */
async function guestArguments(guest: string | undefined, args: readonly string[]): Promise<string[]> {
  const { rest, texts } = splitAppends(args);
  if (guest === 'linux') {
    const { kernel, initrd } = await ensureGuest();
    return [kernel, '--initrd', initrd, '--append', ['console=ttyS0', ...texts].join(' '), ...rest];
  }
  if (guest !== 'serai') throw new Error(`no guest is called '${guest}': serai or linux`);
  const cpus = rest.some((arg) => arg === '--cpus' || arg.startsWith('--cpus=')) ? [] : ['--cpus', `${usualCpus(availableParallelism())}`];
  return [SERAI, ...cpus, '--append', texts.join(' '), ...rest];
}

try {
  const [guest, ...args] = process.argv.slice(2);
  const run = await guestArguments(guest, args);
  await build();
  process.argv = [process.execPath, MAIN, 'run', ...run];
} catch (error) {
  process.stderr.write(`dragoman: ${(error as Error).message}\n`);
  process.exit(2);
}
await import(MAIN);
