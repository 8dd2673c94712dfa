// A disk that is an object of the user's: its functions are called, and what they answer is checked.
import type { DiskDevice } from '../api/disks.ts';
import { DragomanError } from '../api/errors.ts';
import { BYTES } from '../api/schema.ts';
import type { Disk } from './disk.ts';

export class DeviceDisk implements Disk {
  readonly sectors: number;
  readonly readOnly: boolean;
  readonly isLater = true;
  readonly #device: DiskDevice;
  readonly #name: string;
  readonly #release: () => void;
  #isClosed = false;

  /** `name`: for errors. `release`: of whatever keeps others away from it. */
  constructor(device: DiskDevice, sectors: number, readOnly: boolean, name: string, release: () => void) {
    this.sectors = sectors;
    this.readOnly = readOnly;
    this.#device = device;
    this.#name = name;
    this.#release = release;
  }

  async read(offset: number, into: Uint8Array): Promise<void> {
    const given = await this.#open().read(offset, into.length);
    const bytes = BYTES.take(given, `${this.#name}.read`);
    if (bytes.length !== into.length)
      throw new DragomanError('BAD_DISK', `${bytes.length} bytes came for ${into.length} at ${offset}`, `${this.#name}.read`);
    into.set(bytes);
  }

  async write(offset: number, from: Uint8Array): Promise<void> {
    const device = this.#open();
    if (device.write === undefined) throw new DragomanError('BAD_DISK', 'it is missing', `${this.#name}.write`);
    await device.write(offset, from);
  }

  async flush(): Promise<void> {
    await this.#open().flush?.();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#release();
    void (async () => this.#device.close?.())().catch((error: unknown) => {
      console.error(`dragoman: ${this.#name}: it could not be closed: ${error instanceof Error ? error.message : String(error)}`);
    });
  }

  #open(): DiskDevice {
    if (this.#isClosed) throw new DragomanError('INTERNAL', 'the disk is closed', this.#name);
    return this.#device;
  }
}
