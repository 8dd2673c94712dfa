// Files that somebody brings, by a field or by dropping them onto the page, become settings of the next machine.
import { HEAD_BYTES, kindOf } from './image-kind.ts';
import type { Report, Session } from './session.ts';
import { nameOf, type Settings } from './settings.ts';
import { restoreSnapshot } from './snapshots.ts';

const LINUX_CONSOLE = 'console=ttyS0';

const headOf = async (file: File): Promise<Uint8Array> => new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer());

/** A kernel of one's own; a Linux without a command line is told to use the terminal. */
export async function bringKernel(session: Session, file: File): Promise<void> {
  session.change({ kernel: file });
  if (kindOf(await headOf(file)) === 'linux' && session.settings.value.append === '') session.change({ append: LINUX_CONSOLE });
}

/** Takes dropped files for what they are; resolves with a sentence that says what became of them, or with what is wrong. */
export async function bringFiles(session: Session, files: readonly File[]): Promise<string | Report> {
  const brought: Partial<Record<keyof Settings, File>> = {};
  for (const file of files) {
    const kind = kindOf(await headOf(file));
    if (kind === undefined)
      return {
        title: 'A file that no machine starts from',
        text: `${file.name} is neither a kernel (a Linux bzImage or a multiboot kernel) nor an initrd (a cpio archive, compressed or not), nor a snapshot of a machine.`,
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
  return `${Object.entries(brought)
    .map(([name, file]) => `${name}: ${nameOf(file)}`)
    .join(', ')}. Start boots it.`;
}
