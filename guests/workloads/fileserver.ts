// The workload fileserver: fio does what a file server's clients ask for, on tmpfs and on a virtio disk.
import { workloadAppend, workloadImage } from './image.ts';
import type { Workload } from './workload.ts';

const MiB = 1 << 20;

export const FILESERVER: Workload = {
  name: 'fileserver',
  title: 'file server (fio)',
  rows: [
    { name: 'fio-tmpfs', what: 'read or write of 4 to 64 KiB in files on tmpfs, at random, and files made and removed' },
    { name: 'fio-disk', what: 'the same on ext4 on a virtio disk, reads and writes past the page cache' },
  ],
  memoryMiB: 512,
  rate: true,
  image: () =>
    workloadImage({
      name: 'fileserver',
      script: 'fileserver.sh',
      packages: {
        fio: ['usr/bin/fio'],
        e2fsprogs: ['sbin/mke2fs', 'etc/mke2fs.conf'],
      },
      files: { 'etc/fileserver.fio': new URL('fileserver.fio', import.meta.url) },
      // ext4 asks for the sum by its name, which no 'depends' tells.
      modules: ['virtio_pci', 'virtio_blk', 'crc32c_generic', 'ext4'],
      diskBytes: 256 * MiB,
    }),
  append: workloadAppend,
};
