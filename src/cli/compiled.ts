// What V8 makes of JavaScript (its bytecode) is kept beside translated code: reading our sources again is a third of the time that a machine takes to start.
import { enableCompileCache, flushCompileCache } from 'node:module';
import { join } from 'node:path';
import { codeCacheFolder } from './code-cache.ts';

const OPTION = '--code-cache';

/** What the arguments say of the folder, before anybody has read them. */
function asked(args: readonly string[]): string | undefined {
  const at = args.findIndex((arg) => arg === OPTION || arg.startsWith(`${OPTION}=`));
  if (at < 0) return undefined;
  return args[at] === OPTION ? args[at + 1] : args[at]!.slice(OPTION.length + 1);
}

/** Where code is kept, modules that are loaded from now on are, too; in threads as well. What is wrong with that folder others say. */
export function keepCompiled(args: readonly string[]): void {
  try {
    const folder = codeCacheFolder(asked(args));
    if (folder !== undefined) enableCompileCache(join(folder, 'compiled'));
  } catch {}
}

/** The process ends now, not in the way in which Node would write them. */
export function writeCompiled(): void {
  flushCompileCache();
}
