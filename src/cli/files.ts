// Which file is used for what: refuses a run that would write into one of its own inputs, or twice into one file, before anything is opened for writing.
import { fstatSync, lstatSync, readlinkSync, realpathSync, type Stats, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { DragomanError } from '../api/errors.ts';
import type { RunArguments } from './arguments.ts';

/** 'write': emptied and written; 'disk': written by the guest. */
type Use = 'read' | 'write' | 'disk';

interface FileUse {
  /** As the user knows it: an option, KERNEL, or a stream of the process. */
  readonly who: string;
  readonly path: string;
  readonly use: Use;
  readonly stream?: boolean;
}

/** A number for a file on this host, whatever the name it was reached by; undefined for devices and pipes, which may be shared. */
function identity(stat: Stats): string | undefined {
  if (stat.isBlockDevice()) return `device ${stat.rdev}`;
  return stat.isFile() ? `${stat.dev} ${stat.ino}` : undefined;
}

/** The same by name. A file that is still to be made is known by its folder and its name there. undefined: no such folder, which is told when it is opened. */
function identify(path: string, links = 0): string | undefined {
  try {
    return identity(statSync(path));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || links > 40) return undefined;
  }
  try {
    // A link that leads to nothing yet.
    if (lstatSync(path).isSymbolicLink()) return identify(resolve(realpathSync(dirname(path)), readlinkSync(path)), links + 1);
  } catch {}
  try {
    return join(realpathSync(dirname(path)), basename(path));
  } catch {
    return undefined;
  }
}

function uses(args: RunArguments): FileUse[] {
  const use = (who: string, path: string | undefined, use: Use): FileUse[] => (path === undefined ? [] : [{ who, path, use }]);
  const outputs = { '--virtio-console': args.virtioConsole, '--debugcon': args.debugcon, '--post': args.post, '--trace': args.trace?.path };
  return [
    ...use('KERNEL', args.kernel, 'read'),
    ...use('--initrd', args.initrd, 'read'),
    ...args.modules.flatMap((path) => use('--module', path, 'read')),
    ...use('--bios', args.bios, 'read'),
    ...use('--replay', args.replay, 'read'),
    ...use('--symbols', args.symbols, 'read'),
    ...use('--restore', args.restore, 'read'),
    ...use('--base', args.base, 'read'),
    ...use('--save', args.save, 'write'),
    ...args.disks.flatMap(({ path, readOnly, snapshot }) => use('--disk', path, readOnly || snapshot ? 'read' : 'disk')),
    ...Object.entries({ ...outputs, '--stats': args.stats, '--record': args.record }).flatMap(([who, path]) =>
      path === '-' ? [] : use(who, path, 'write'),
    ),
  ];
}

/** Standard streams that are files. The shell has opened (and perhaps emptied) them already, and what they are to each other is its business. */
function streams(): (FileUse & { readonly id: string })[] {
  const names: [number, string, Use][] = [
    [0, 'standard input', 'read'],
    [1, 'standard output', 'write'],
    [2, 'standard error', 'write'],
  ];
  return names.flatMap(([fd, who, use]) => {
    try {
      const id = identity(fstatSync(fd));
      return id === undefined ? [] : [{ who, path: '', use, id, stream: true }];
    } catch {
      return [];
    }
  });
}

/** Whether two uses of one file go together: reading it does, and reading at the start what the guest writes later. */
function together(a: FileUse, b: FileUse): boolean {
  if (a.use === 'write' || b.use === 'write') return a.stream === true && b.stream === true;
  return a.use === 'read' && b.use === 'read' ? true : !(a.who === '--disk' && b.who === '--disk');
}

const nameOf = ({ who, path }: FileUse): string => (path === '' ? who : `${who} '${path}'`);

function reason(a: FileUse, b: FileUse): string {
  if (a.use === 'write' && b.use === 'write') return a.who === 'standard output' ? `write '-' for that` : 'two outputs cannot share a file';
  if (a.use === 'write' || b.use === 'write') return 'an output must not be an input as well';
  return 'a disk that the guest writes can be attached only once';
}

/** Throws BAD_OPTION where one file is used for two things that do not go together. */
export function checkFiles(args: RunArguments): void {
  const seen = new Map<string, FileUse[]>();
  for (const use of [...streams(), ...uses(args)]) {
    const id = 'id' in use ? (use.id as string) : identify(use.path);
    if (id === undefined) continue;
    const others = seen.get(id) ?? [];
    const other = others.find((other) => !together(other, use));
    if (other !== undefined) {
      throw new DragomanError('BAD_OPTION', `'${use.path}' is also ${nameOf(other)}: ${reason(other, use)}`, use.who);
    }
    seen.set(id, [...others, use]);
  }
}
