// The options of a machine that goes on from a snapshot: what it is made of comes from there, and what its user gives must not contradict that.
import { DragomanError } from '../api/errors.ts';
import { refuse } from '../api/kind.ts';
import type { MachineOptions } from '../api/options.ts';
import { readOptions, type Settings } from '../api/schema.ts';
import type { SnapshotHeader } from './header.ts';

/** What was in place when the machine began, and is in its memory by now. */
const IN_MEMORY = ['kernel', 'initrd', 'append', 'kernelName', 'modules', 'bios'] as const;

/** `given`: options as anybody may give them. Throws BAD_OPTION; NOT_SUPPORTED for recordings. */
export function settingsOf({ machine, lockstep }: SnapshotHeader, given: MachineOptions): Settings {
  for (const name of IN_MEMORY)
    if (given[name] !== undefined) refuse(name, 'a machine that goes on from a snapshot has all this in its memory');
  const { cpus, memoryBytes, debugExitPort, testDevice, virtioConsole, debugConsole, net, disks, shares } = machine;
  const nobody = { onFrame: () => {} };
  const options: MachineOptions = {
    ...given,
    cpus,
    memoryBytes,
    debugExitPort,
    testDevice,
    virtioConsole,
    net: given.net ?? (net === undefined ? undefined : nobody),
    onDebugConsole: given.onDebugConsole ?? (debugConsole ? () => {} : undefined),
    lockstep: lockstep && { ...given.lockstep, seed: lockstep.seed },
    engine: given.engine ?? lockstep?.engine,
    maxRegions: given.maxRegions ?? lockstep?.maxRegions,
  };
  const settings = readOptions(options, true);
  const must = (name: string, here: unknown, there: unknown, shown = there) => {
    if (here !== undefined && here !== there) refuse(name, `the snapshot has ${shown ?? 'none'}`);
  };
  must('cpus', given.cpus, cpus);
  must('memoryBytes', given.memoryBytes, memoryBytes);
  must('debugExitPort', given.debugExitPort, debugExitPort);
  must('testDevice', given.testDevice, testDevice, testDevice ? 'one' : 'none');
  must('virtioConsole', given.virtioConsole, virtioConsole, virtioConsole ? 'one' : 'none');
  if (given.onVirtioConsole !== undefined && !virtioConsole) refuse('onVirtioConsole', 'the snapshot has no virtio console');
  if (given.onDebugConsole !== undefined && !debugConsole) refuse('onDebugConsole', 'the snapshot has no debug console');
  if (given.net !== undefined && net === undefined) refuse('net', 'the snapshot has no network card');
  must('net.mac', given.net?.mac, net);
  if (settings.disks.length !== disks.length) refuse('disks', `the snapshot has ${disks.length || 'none'}: give as many, in their order`);
  if (settings.shares.length !== shares.length)
    refuse('shares', `the snapshot has ${shares.length || 'none'}: give as many, in their order`);
  shares.forEach(({ tag, readOnly }, n) => {
    must(`shares[${n}].tag`, settings.shares[n]!.tag, tag);
    must(`shares[${n}].readOnly`, settings.shares[n]!.readOnly, readOnly);
  });
  disks.forEach(({ readOnly, overlay }, n) => {
    must(`disks[${n}].readOnly`, settings.disks[n]!.readOnly, readOnly);
    if (overlay !== undefined && !settings.disks[n]!.snapshot)
      refuse(
        `disks[${n}].snapshot`,
        'the snapshot has what was written over this disk: give it as one whose writes do not reach it, as it was',
      );
  });
  if (given.lockstep !== undefined) {
    if (lockstep === undefined) refuse('lockstep', 'the snapshot is of a machine whose CPUs are threads');
    must('lockstep.seed', given.lockstep.seed, lockstep?.seed);
    if (given.lockstep.onRecord !== undefined || given.lockstep.replay !== undefined)
      throw new DragomanError('NOT_SUPPORTED', 'not supported: recordings of a machine that goes on from a snapshot', 'lockstep');
  }
  return { ...settings, mac: net ?? settings.mac };
}
