// What a recording is of: all that a machine was made from, with files by their hashes.
import type { Settings } from '../../api/schema.ts';
import { host } from '../../host/node.ts';
import type { BoardConfig } from '../board/board.ts';
import { commandLineOf } from '../boot/kernel.ts';
import type { MachineIdentity } from './recording.ts';

/** `disks`: hashes of what is in them. */
export function identityOf(options: Settings, config: BoardConfig, diskHashes: readonly string[]): MachineIdentity {
  const { kernel, initrd, bios, modules, append, net, mac, debugExitPort } = options;
  const hash = (bytes: Uint8Array | undefined) => (bytes === undefined ? null : host.sha256(bytes));
  return {
    cpus: config.plan.cpuCount,
    memoryBytes: config.plan.ramBytes,
    engine: options.engine,
    kernel: hash(kernel),
    initrd: hash(initrd),
    bios: hash(bios),
    modules: modules.map(({ data, string }) => `${hash(data)} ${string}`),
    append: kernel === undefined ? append : commandLineOf(kernel, options.kernelName, append),
    disks: (config.virtio.disks ?? []).map(({ readOnly }, n) => `${diskHashes[n]}${readOnly ? ' ro' : ''}`),
    net: net === undefined ? null : mac,
    virtioConsole: config.virtio.console ?? false,
    debugExitPort: debugExitPort ?? null,
    debugConsole: config.debugConsole,
    testDevice: config.testDevice,
  };
}
