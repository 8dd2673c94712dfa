// The reader of what an ELF file needs: on files that are made here, byte by byte.
import { expect, it } from 'vitest';
import { dynamicNeeds, isElf } from '../../../guests/elf.ts';
import { elf } from './made-elf.ts';

it('reads the names of shared objects and of the dynamic linker', () => {
  expect(dynamicNeeds(elf({ needed: ['libb.so.1', 'liba.so.2'], interpreter: '/lib/ld-linux.so.2' }), 'x')).toEqual({
    needed: ['libb.so.1', 'liba.so.2'],
    interpreter: '/lib/ld-linux.so.2',
  });
  expect(dynamicNeeds(elf({ needed: ['libc.so.6'] }), 'x')).toEqual({ needed: ['libc.so.6'] });
});

it('finds nothing in a static program', () => {
  expect(dynamicNeeds(elf({}), 'x')).toEqual({ needed: [] });
});

it('refuses what is no ELF file for i386, and one that is cut off', () => {
  const good = elf({ needed: ['libc.so.6'], interpreter: '/lib/ld-linux.so.2' });
  expect(isElf(Buffer.from('#!/bin/sh\n'))).toBe(false);
  expect(() => dynamicNeeds(Buffer.from('#!/bin/sh\n'), 'usr/bin/x')).toThrow('usr/bin/x: not an ELF file');
  const other = Buffer.from(good);
  other.writeUInt16LE(62, 18);
  expect(() => dynamicNeeds(other, 'x')).toThrow('not an ELF file for i386');
  for (const length of [60, 150, good.length - 1])
    expect(() => dynamicNeeds(good.subarray(0, length), 'x'), `${length} bytes`).toThrow('cut off or broken');
});
