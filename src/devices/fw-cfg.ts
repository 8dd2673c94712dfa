// QEMU's firmware configuration (its docs/specs/fw_cfg.rst): items by number at port 510H, their bytes one after the other at port 511H, and a
// directory of those that have names. Firmware finds CPUs, memory and ACPI tables there. No DMA interface: firmware reads by INS.
import { struct, u32 } from '../layout/struct.ts';
import { clear, type View } from '../layout/view.ts';
import type { Device, DeviceContext } from './device.ts';

const SELECT_PORT = 0x510;
const DATA_PORT = 0x511;

/** Numbers of items (those that are missing read as zeros). */
export const FwCfgItem = {
  SIGNATURE: 0x00,
  ID: 0x01,
  RAM_BYTES: 0x03,
  NO_GRAPHICS: 0x04,
  CPUS: 0x05,
  BOOT_MENU: 0x0e,
  MOST_CPUS: 0x0f,
  DIRECTORY: 0x19,
  FIRST_FILE: 0x20,
  IRQ0_OVERRIDE: 0x8002,
} as const;

const NAME_BYTES = 56;
const ENTRY_BYTES = 64;

export interface FwCfgContents {
  readonly items: ReadonlyMap<number, Uint8Array>;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

const FwCfgState = struct({
  /** The number of the item. */
  selected: u32,
  /** Where in it the next byte is. */
  offset: u32,
});

const NOTHING = new Uint8Array(0);

export class FwCfg implements Device {
  readonly name = 'fw-cfg';
  readonly #s: View<typeof FwCfgState>;
  readonly #contents: () => FwCfgContents;
  #items: ReadonlyMap<number, Uint8Array> | undefined;

  /** `contents` is asked once, when a guest selects something; the same on every thread. */
  constructor(context: DeviceContext, contents: () => FwCfgContents) {
    this.#s = context.state(FwCfgState);
    this.#contents = contents;
    // The selector is a word; a word at 510H is not split into a byte here and one of data.
    context.ports.map(SELECT_PORT, 2, {
      width: 2,
      read: (port, size) => (port === DATA_PORT && size === 1 ? this.#next() : 0xffff),
      write: (port, _size, value) => {
        if (port === SELECT_PORT) this.#select(value);
      },
    });
    if (context.isFirst) this.reset();
  }

  reset(): void {
    clear(this.#s);
  }

  #select(item: number): void {
    this.#s.selected = item;
    this.#s.offset = 0;
  }

  /** The next byte of the selected item; zeros behind its end. */
  #next(): number {
    this.#items ??= withDirectory(this.#contents());
    const item = this.#items.get(this.#s.selected) ?? NOTHING;
    const offset = this.#s.offset;
    if (offset >= item.length) return 0;
    this.#s.offset = offset + 1;
    return item[offset];
  }
}

/** All items: files get numbers in the order of their names, and the directory names them (its numbers are big-endian). */
function withDirectory({ items, files }: FwCfgContents): Map<number, Uint8Array> {
  const all = new Map(items);
  const names = [...files.keys()].sort();
  const directory = new Uint8Array(4 + ENTRY_BYTES * names.length);
  const view = new DataView(directory.buffer);
  view.setUint32(0, names.length);
  names.forEach((name, n) => {
    const file = files.get(name) as Uint8Array;
    const at = 4 + ENTRY_BYTES * n;
    view.setUint32(at, file.length);
    view.setUint16(at + 4, FwCfgItem.FIRST_FILE + n);
    for (let i = 0; i < Math.min(name.length, NAME_BYTES - 1); i++) directory[at + 8 + i] = name.charCodeAt(i);
    all.set(FwCfgItem.FIRST_FILE + n, file);
  });
  all.set(FwCfgItem.DIRECTORY, directory);
  return all;
}
