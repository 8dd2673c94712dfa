// What users import as `dragoman/serai`: the demo kernel of examples/serai, which is beside the module of the package that this becomes.

/**
 * A kernel to begin with.
 *
 * @module dragoman/serai
 */

/**
 * Where the image of serai is, a small multiboot kernel for several CPUs: for `kernel` of MachineOptions, in Node and in a browser, where bundlers take the file along. Its console is
 * the first serial port, where it prompts with `serai> `; `help` tells its commands.
 *
 * @example
 *
 *     import { Machine } from 'dragoman';
 *     import { serai } from 'dragoman/serai';
 *     await using machine = await Machine.create({ kernel: serai, cpus: 2 });
 */
export const serai: URL = new URL('./serai.elf', import.meta.url);
