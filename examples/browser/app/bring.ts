// Files that somebody brings, by a field or by dropping them onto the page, become settings of the next machine.
import { MOST_DISKS } from '../../../src/api/index.ts';
import { HEAD_BYTES, isDisk, kindOf } from './image-kind.ts';
import type { Report, Session } from './session.ts';
import { nameOf, type PageDisk, type Settings } from './settings.ts';
import { restoreSnapshot } from './snapshots.ts';

const LINUX_CONSOLE = 'console=ttyS0';

const headOf = async (file: File): Promise<Uint8Array> => new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer());

/** A kernel of one's own; a Linux without a command line is told to use the terminal. */
export async function bringKernel(session: Session, file: File): Promise<void> {
  session.change({ kernel: file });
  if (kindOf(await headOf(file)) === 'linux' && session.settings.value.append === '') session.change({ append: LINUX_CONSOLE });
}

export const tooManyDisks: Report = { title: 'Too many disks', text: `A machine has at most ${MOST_DISKS} disks.` };

/** More disks for the next machine; false, and none of them, where it would have too many. */
export function addDisks(session: Session, disks: readonly PageDisk[]): boolean {
  const all = [...session.settings.value.disks, ...disks];
  if (all.length > MOST_DISKS) return false;
  session.change({ disks: all });
  return true;
}

/** Takes dropped files for what they are; resolves with a sentence that says what became of them, or with what is wrong. */
export async function bringFiles(session: Session, files: readonly File[]): Promise<string | Report> {
  const brought: Partial<Record<keyof Settings, File>> = {};
  const disks: File[] = [];
  for (const file of files) {
    const head = await headOf(file);
    const kind = kindOf(head);
    if (kind === undefined && isDisk(head, file.size, file.name)) {
      disks.push(file);
      continue;
    }
    if (kind === undefined)
      return {
        title: 'A file that no machine starts from',
        text: `${file.name} is neither a kernel (a Linux bzImage or a multiboot kernel) nor an initrd (a cpio archive, compressed or not) nor a raw image of a disk, nor a snapshot of a machine.`,
      };
    if (kind === 'snapshot') return (await restoreSnapshot(session, file)) ?? `${file.name}: the machine goes on from there`;
    const name = kind === 'initrd' ? 'initrd' : 'kernel';
    if (brought[name] !== undefined)
      return { title: 'Two files for one place', text: `${brought[name].name} and ${file.name} are both for the ${name}.` };
    brought[name] = file;
  }
  const { kernel, initrd } = brought;
  if (initrd !== undefined) session.change({ initrd });
  if (kernel !== undefined) await bringKernel(session, kernel);
  const full = disks.length > 0 && !addDisks(session, disks);
  if (full) return tooManyDisks;
  const all = [...Object.entries(brought), ...disks.map((file) => ['disk in memory', file] as const)];
  return `${all.map(([name, file]) => `${name}: ${nameOf(file)}`).join(', ')}. Start boots it.`;
}
