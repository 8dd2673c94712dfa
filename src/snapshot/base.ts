// A snapshot as the base of others: its pages.
import { host } from '../host/node.ts';
import { DEVICE_STATE_BYTES } from '../layout/memory.ts';
import { readOverlays } from './disks.ts';
import { type BasePages, PageStore, placesOf } from './pages.ts';
import { overlaid, readSections } from './sections.ts';
import { bad, SnapshotReader } from './stream.ts';

/** `pages`: those of the machine's RAM. Throws BAD_SNAPSHOT where it cannot be a base for that. */
export async function readBase(bytes: Uint8Array, pages: number): Promise<BasePages> {
  const reader = new SnapshotReader(bytes);
  try {
    const sections = await readSections(reader, DEVICE_STATE_BYTES);
    const { header, kinds } = sections;
    if (header.base !== undefined) bad('the base has a base itself: give one that has none');
    if (kinds.length !== pages) bad('the base is of a machine with another amount of memory');
    const store = new PageStore();
    for (let n = 0; n < header.pages; n++) await reader.fill(store.next());
    await readOverlays(reader, overlaid(sections), false);
    await reader.end();
    return { id: host.sha256(bytes), kinds, places: placesOf(kinds), store };
  } finally {
    reader.cancel();
  }
}
