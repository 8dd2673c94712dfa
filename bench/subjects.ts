// What is measured beside this tree's Dragoman: its peers, other checkouts of it, and itself with other options.
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type BootImage, type BootMachine, dragoman, qemu, v86 } from './machines.ts';

/** Another Dragoman: a checkout, and options of `dragoman run`. */
export interface Variant {
  readonly name: string;
  readonly checkout: string;
  readonly flags: readonly string[];
}

/** `FOLDER [--option [VALUE]]...`, words apart by spaces. */
export function parseVariant(text: string): Variant {
  const [checkout = '.', ...flags] = text.split(' ').filter((word) => word !== '');
  return { name: text.trim(), checkout, flags };
}

export const PEERS = ['v86', 'qemu'] as const;
export type Peer = (typeof PEERS)[number];

export interface Subjects {
  readonly peers: readonly Peer[];
  readonly variants: readonly Variant[];
}

async function variant(image: BootImage, cpus: number, { name, checkout, flags }: Variant): Promise<BootMachine> {
  try {
    const { findMain } = await import(pathToFileURL(resolve(checkout, 'bin/find-main.mjs')).href);
    return { ...dragoman(image, 'jit', cpus, { main: findMain(), flags }), name };
  } catch (error) {
    return { name, command: `no checkout of Dragoman: ${(error as Error).message}` };
  }
}

/** This tree's Dragoman first, then what is to be measured beside it. `qemuCpus`: QEMU's, where it has others than Dragoman. */
export async function subjects(image: BootImage, cpus: number, { peers, variants }: Subjects, qemuCpus = cpus): Promise<BootMachine[]> {
  const theirs = await qemu(image, qemuCpus);
  return [
    { ...dragoman(image, 'jit', cpus), name: 'dragoman' },
    ...(await Promise.all(variants.map((one) => variant(image, cpus, one)))),
    ...(peers.includes('qemu') ? [qemuCpus === cpus ? { ...theirs, name: 'qemu' } : theirs] : []),
    ...(peers.includes('v86') ? [cpus === 1 ? v86(image) : { name: 'v86', command: 'it has one CPU' }] : []),
  ];
}
