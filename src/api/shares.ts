// Folders of the host's that a guest mounts: what they are given as, and the names that it knows them by.
import { type Kind, plain, refuse } from './kind.ts';

/** A folder that the guest mounts by `mount -t 9p -o trans=virtio,version=9p2000.L TAG /mnt` (docs/shares.md). Not in a browser, nor on Windows. */
export interface ShareOptions {
  /** Nothing of the guest's reaches what is outside, neither by '..' nor by links. */
  readonly path: string;
  /** What the guest knows it by: up to 31 printable characters without commas and spaces, another one for each. Default: DEFAULT_TAG. */
  readonly tag?: string | undefined;
  /** The guest cannot change anything: whatever would is EROFS. Default: false. */
  readonly readOnly?: boolean | undefined;
}

export const DEFAULT_TAG = 'share';
export const MOST_SHARES = 8;
/** Linux cuts longer ones. */
const LONGEST_TAG = 31;

export const isTag = (value: unknown): boolean => typeof value === 'string' && /^[!-+\--~]+$/.test(value) && value.length <= LONGEST_TAG;
export const TAG: Kind<string> = plain(`a tag of 1 to ${LONGEST_TAG} printable characters without commas and spaces`, isTag);

/** Throws BAD_OPTION where two have one tag. */
export function checkTags(shares: readonly { readonly tag?: string | undefined }[], name: string): void {
  const tags = shares.map(({ tag }) => tag ?? DEFAULT_TAG);
  const twice = tags.find((tag, n) => tags.indexOf(tag) !== n);
  if (twice !== undefined) refuse(name, `the tag '${twice}' is there twice: each share needs its own`);
}
