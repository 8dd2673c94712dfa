// What a disk may be made from: where its writes go, who may use one thing at once, and clear words for what is no disk.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DiskOptions } from '../../../src/api/disks.ts';
import { DragomanError } from '../../../src/api/errors.ts';
import { readOptions } from '../../../src/api/schema.ts';
import type { Disk } from '../../../src/disks/disk.ts';
import { hashOf } from '../../../src/disks/hash.ts';
import { openDisk } from '../../../src/disks/open.ts';
import { host } from '../../../src/host/node.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'dragoman-open-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const SECTOR = 512;
const open = async (disk: DiskOptions): Promise<Disk> =>
  openDisk(readOptions({ kernel: new Uint8Array(1), disks: [disk] }).disks[0]!, 'disks[0]');
const image = () => Uint8Array.from({ length: 8 * SECTOR }, (_, i) => (i * 5 + (i >> 9)) & 0xff);
function file(name: string, bytes = image()): string {
  writeFileSync(join(folder, name), bytes);
  return join(folder, name);
}
async function refused(disk: DiskOptions): Promise<string> {
  try {
    (await open(disk)).close();
  } catch (error) {
    if (error instanceof DragomanError) return `${error.code} ${error.message}`;
    throw error;
  }
  return 'accepted';
}
/** Writes a sector, reads two. */
async function use(disk: Disk): Promise<Uint8Array> {
  const into = new Uint8Array(2 * SECTOR);
  if (!disk.readOnly) await disk.write(SECTOR, new Uint8Array(SECTOR).fill(9));
  await disk.flush();
  await disk.read(0, into);
  disk.close();
  return into;
}
const changed = () => image().fill(9, SECTOR, 2 * SECTOR);

describe('writes go', () => {
  it('into a file, or into its overlay', async () => {
    const path = file('written');
    expect(await use(await open({ path, snapshot: true }))).toEqual(changed().subarray(0, 2 * SECTOR));
    expect(new Uint8Array(readFileSync(path))).toEqual(image());
    expect(await use(await open({ path }))).toEqual(changed().subarray(0, 2 * SECTOR));
    expect(new Uint8Array(readFileSync(path))).toEqual(changed());
  });

  it('into the array that was given, or into its overlay', async () => {
    const [bytes, buffer] = [image(), image().buffer];
    expect(await use(await open({ bytes, snapshot: true }))).toEqual(changed().subarray(0, 2 * SECTOR));
    expect(bytes).toEqual(image());
    await use(await open({ bytes: buffer }));
    expect(new Uint8Array(buffer)).toEqual(changed());
  });

  it('never into a Blob', async () => {
    const blob = new Blob([image()]);
    const disk = await open({ blob });
    expect([disk.sectors, disk.readOnly]).toEqual([8, false]);
    expect(await use(disk)).toEqual(changed().subarray(0, 2 * SECTOR));
    expect(new Uint8Array(await blob.arrayBuffer())).toEqual(image());
  });

  it('to an object, or into its overlay', async () => {
    const bytes = image();
    let flushes = 0;
    class Device {
      readonly size = bytes.length;
      readonly data = bytes;
      read(offset: number, length: number) {
        return this.data.subarray(offset, offset + length);
      }
      write(offset: number, from: Uint8Array) {
        this.data.set(from, offset);
      }
      async flush() {
        flushes++;
      }
    }
    const device = new Device();
    expect(await use(await open(Object.assign(device, { snapshot: true })))).toEqual(changed().subarray(0, 2 * SECTOR));
    expect([bytes, flushes]).toEqual([image(), 0]);
    expect(await use(await open(Object.assign(device, { snapshot: false })))).toEqual(changed().subarray(0, 2 * SECTOR));
    expect([bytes, flushes]).toEqual([changed(), 1]);
  });

  it('nowhere where it is read-only, snapshot or not', async () => {
    const read = (_: number, length: number) => new Uint8Array(length);
    for (const disk of [
      { path: file('ro'), readOnly: true },
      { path: file('ro'), readOnly: true, snapshot: true },
      { bytes: image(), readOnly: true },
      { blob: new Blob([image()]), readOnly: true },
      { sectors: 4, read },
      { sectors: 4, read, write() {}, readOnly: true },
    ]) {
      const opened = await open(disk);
      expect(opened.readOnly).toBe(true);
      opened.close();
    }
    expect((await open({ sectors: 4, read, snapshot: true })).readOnly).toBe(false);
  });
});

describe('one writer, or readers, have', () => {
  const bytes = image();
  const device = { sectors: 8, read: (_: number, length: number) => new Uint8Array(length), write() {} };
  const things: [string, () => DiskOptions, () => DiskOptions][] = [
    ['a file', () => ({ path: file('locked') }), () => ({ path: file('locked'), snapshot: true })],
    ['an array', () => ({ bytes }), () => ({ bytes, snapshot: true })],
    ['a part of it', () => ({ bytes: bytes.subarray(SECTOR) }), () => ({ bytes: bytes.subarray(2 * SECTOR, 3 * SECTOR), readOnly: true })],
  ];
  it.each(things)('%s', async (_, writer, reader) => {
    const writes = await open(writer());
    expect(await refused(writer())).toMatch(/^BAD_DISK .*: the image is in use: another machine has it/);
    expect(await refused(reader())).toMatch(/^BAD_DISK .*: the image is in use: another machine writes it/);
    writes.close();
    const readers = [await open(reader()), await open(reader())];
    expect(await refused(writer())).toMatch(/^BAD_DISK .*in use/);
    for (const one of readers) one.close();
    expect(await refused(writer())).toBe('accepted');
  });

  it('an object', async () => {
    const writes = await open(device);
    expect(await refused(device)).toMatch(/^BAD_DISK disks\[0\]: the image is in use/);
    writes.close();
    writes.close();
    expect(await refused(device)).toBe('accepted');
  });

  it('an object that is told when it is wanted, and when not any more', async () => {
    const told: string[] = [];
    const teller = { ...device, open: async () => void told.push('open'), close: async () => void told.push('close') };
    const opened = await open(teller);
    expect(told).toEqual(['open']);
    opened.close();
    opened.close();
    expect(told).toEqual(['open', 'close']);
    const fails = { ...device, open: () => Promise.reject(new DragomanError('HOST_LIMIT', 'no room')) };
    expect(await refused(fails)).toBe('HOST_LIMIT no room');
    // And again: nothing is held.
    expect(await refused(fails)).toBe('HOST_LIMIT no room');
  });

  it('parts of an array that are apart each', async () => {
    const [one, other] = [await open({ bytes: bytes.subarray(0, SECTOR) }), await open({ bytes: bytes.subarray(SECTOR) })];
    one.close();
    other.close();
  });
});

describe('is no raw image', () => {
  const MAGIC: [string, string, number][] = [
    ['qcow2', 'QFI\xfb\0\0\0\x03', 0],
    ['qcow', 'QFI\xfb\0\0\0\x01', 0],
    ['QED', 'QED\0', 0],
    ['VMDK', 'KDMV\x01', 0],
    ['VMDK', '# Disk DescriptorFile\nversion=1\n', 0],
    ['VHDX', 'vhdxfile', 0],
    ['VHD', 'conectix', 0],
    ['VDI', '\x7f\x10\xda\xbe', 64],
  ];
  it.each(MAGIC)('%s', async (name, magic, at) => {
    // Of any size: such files need not be whole sectors.
    const bytes = new Uint8Array(SECTOR + 8);
    bytes.set(Buffer.from(magic, 'latin1'), at);
    const path = file('other', bytes);
    for (const disk of [{ path }, { path, readOnly: true }, { path, snapshot: true }, { bytes }, { blob: new Blob([bytes]) }])
      expect(await refused(disk)).toMatch(new RegExp(`^BAD_DISK .*: this is a ${name} image.*qemu-img convert .*format: 'raw'`));
    const whole = bytes.subarray(0, SECTOR);
    for (const disk of [{ path: file('whole', whole) }, { bytes: whole }, { blob: new Blob([whole]) }])
      expect(await refused({ ...disk, format: 'raw' })).toBe('accepted');
  });

  it('but a file that has it elsewhere is', async () => {
    const bytes = new Uint8Array(SECTOR);
    bytes.set(Buffer.from('\0QFI\xfb', 'latin1'));
    expect(await refused({ bytes })).toBe('accepted');
  });
});

it('has whole sectors', async () => {
  expect(await refused({ bytes: new Uint8Array(0) })).toBe('BAD_DISK disks[0]: the disk image is empty');
  expect(await refused({ bytes: new Uint8Array(513) })).toBe('BAD_DISK disks[0]: 513 bytes: not a multiple of 512');
  expect(await refused({ blob: new Blob(['x']) })).toBe('BAD_DISK disks[0]: 1 bytes: not a multiple of 512');
});

it('is known by its sectors, whatever it is made from', async () => {
  const bytes = image();
  const hash = host.sha256(bytes);
  for (const disk of [
    { path: file('hashed') },
    { path: file('hashed'), snapshot: true },
    { bytes },
    { blob: new Blob([bytes]) },
    { size: bytes.length, read: async (offset: number, length: number) => bytes.slice(offset, offset + length) },
  ]) {
    const opened = await open(disk);
    expect(await hashOf(opened)).toBe(hash);
    opened.close();
  }
});

describe('an object', () => {
  const read = (_: number, length: number): Uint8Array => new Uint8Array(length);
  it.each([
    ['too much', () => new Uint8Array(SECTOR + 1), 'BAD_DISK disks[0].read: 513 bytes came for 512 at 1024'],
    ['too little', () => new ArrayBuffer(0), 'BAD_DISK disks[0].read: 0 bytes came for 512 at 1024'],
    ['nothing', () => undefined as unknown as Uint8Array, 'BAD_OPTION disks[0].read: undefined is not a Uint8Array or an ArrayBuffer'],
  ])('that gives %s fails', async (_, wrong, text) => {
    const disk = await open({ sectors: 4, read: wrong });
    const error = await (disk.read(2 * SECTOR, new Uint8Array(SECTOR)) as Promise<void>).catch(
      (e: DragomanError) => `${e.code} ${e.message}`,
    );
    expect(error).toBe(text);
  });

  it('is not called once it is closed', async () => {
    let calls = 0;
    const disk = await open({
      sectors: 4,
      read: (_, length) => new Uint8Array(length + 0 * calls++),
      write: () => calls++,
      flush: () => calls++,
    });
    disk.close();
    for (const call of [disk.read(0, new Uint8Array(SECTOR)), disk.write(0, new Uint8Array(SECTOR)), disk.flush()])
      await expect(call as Promise<void>).rejects.toThrow('closed');
    expect(calls).toBe(0);
  });

  it.each([
    [{ read }, 'disks[0].sectors: is missing: give it, or size'],
    [{ read, sectors: 1, size: 512 }, 'disks[0].size: the size is given twice: sectors is enough'],
    [{ read, size: 1000 }, 'disks[0].size: 1000 bytes: not a multiple of 512'],
    [{ read, sectors: 0 }, 'disks[0].sectors: 0 is not a number of sectors (1 to 17592186044415)'],
    [{ read, sectors: 1, readOnly: false }, 'disks[0].write: is missing: give it, or snapshot'],
    [{ read, sectors: 1, write: 5 as unknown as () => void }, 'disks[0].write: 5 is not a function'],
  ])('is refused: %o', async (disk, text) => expect(await refused(disk)).toBe(`BAD_OPTION ${text}`));
});
