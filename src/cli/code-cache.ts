// Where `dragoman run` keeps translated code: what --code-cache says, else DRAGOMAN_CODE_CACHE, else a folder of its own where the platform has the user's caches.
import { accessSync, constants, mkdirSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { refuse } from '../api/kind.ts';

const OFF = 'off';

/** The user's folder for caches; relative ones are none (XDG Base Directory Specification). */
export function cachesOf(platform: NodeJS.Platform, env: NodeJS.ProcessEnv, home: string): string {
  const given = platform === 'win32' ? env.LOCALAPPDATA : env.XDG_CACHE_HOME;
  if (given !== undefined && isAbsolute(given)) return given;
  return join(home, { darwin: 'Library/Caches', win32: 'AppData/Local' }[platform as string] ?? '.cache');
}

/** A folder, or the place of one. */
function mayBeFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ENOTDIR';
  }
}

/** `asked`: of the command line. Undefined where nothing is to be kept. Throws BAD_OPTION for what is a file. */
export function codeCacheFolder(asked: string | undefined): string | undefined {
  const said = asked ?? (process.env.DRAGOMAN_CODE_CACHE || undefined);
  if (said === OFF) return undefined;
  if (said !== undefined)
    return mayBeFolder(said) ? said : refuse(asked === undefined ? 'DRAGOMAN_CODE_CACHE' : '--code-cache', `'${said}' is not a folder`);
  try {
    const folder = join(cachesOf(process.platform, process.env, homedir()), 'dragoman');
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    accessSync(folder, constants.W_OK);
    return folder;
  } catch {
    // Nobody asked for it, so nobody is told.
    return undefined;
  }
}
