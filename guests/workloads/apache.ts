// The workload apache: httpd serves a small page to ab over the loopback device, in one guest.
import { workloadAppend, workloadImage } from './image.ts';
import type { Workload } from './workload.ts';

/** About what a small page has. */
const PAGE = `<!DOCTYPE html>\n<html><head><title>It works</title></head><body>\n${'<p>A page that is served again and again.</p>\n'.repeat(20)}</body></html>\n`;

export const APACHE: Workload = {
  name: 'apache',
  title: 'Apache httpd',
  rows: [{ name: 'apache', what: 'request of a page of 1 KiB over loopback, a connection each, 8 at once for each CPU' }],
  memoryMiB: 256,
  rate: true,
  image: () =>
    workloadImage({
      name: 'apache',
      script: 'apache.sh',
      packages: {
        'apache2-bin': ['usr/sbin/apache2', 'usr/lib/apache2/modules/mod_mpm_event.so', 'usr/lib/apache2/modules/mod_authz_core.so'],
        'apache2-utils': ['usr/bin/ab'],
        // Loaded by the C library when a thread ends.
        'libgcc-s1': ['lib/i386-linux-gnu/libgcc_s.so.1'],
      },
      files: {
        'etc/httpd.conf': new URL('httpd.conf', import.meta.url),
        'etc/passwd': 'root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n',
        'etc/group': 'root:x:0:\nnogroup:x:65534:\n',
        'www/index.html': PAGE,
      },
    }),
  append: workloadAppend,
};
