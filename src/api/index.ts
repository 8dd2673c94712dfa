// What users of the package import: `import { Machine } from 'dragoman'`.

/**
 * Machines, and what they are made from.
 *
 * @module dragoman
 */

export type { Receiver } from '../devices/outlet.ts';
export {
  BROADCAST_BACKLOG,
  type BroadcastNetwork,
  type BroadcastNetworkOptions,
  broadcastNetwork,
  type NetworkPeer,
} from '../devices/virtio/broadcast.ts';
export { LARGEST_FRAME, SMALLEST_FRAME } from '../devices/virtio/ethernet.ts';
export { type Loopback, loopback } from '../devices/virtio/loopback.ts';
export { NET_BACKLOG } from '../devices/virtio/net.ts';
export {
  type MakeDiskOptions,
  type OriginDisk,
  type OriginDiskEntry,
  type OriginDiskOptions,
  type OriginDisks,
  type OriginRoom,
  originDisk,
  originDisks,
} from '../host/origin-disks.ts';
export { largestMemory } from '../layout/memory.ts';
export { INPUT_BUFFER } from '../machine/input-flow.ts';
export { Machine } from '../machine/machine.ts';
export { type PortForward, type UserNetwork, type UserNetworkOptions, userNetwork } from '../net/user-network.ts';
export { describeSnapshot } from '../snapshot/describe.ts';
export { type ActivityShares, activityBetween, type CpuActivity, type CpuShares, type CpuState, type MachineActivity } from './activity.ts';
export { type Channel, type Found, UNTIL_BUFFER, UNTIL_PATTERN, type UntilOptions } from './channel.ts';
export {
  type Breakpoint,
  BreakpointEvent,
  type BreakpointHit,
  ConsoleEvent,
  EndEvent,
  type MachineEvents,
  type MachineEventTarget,
  type MachineState,
  MOST_BREAKPOINTS,
  PanicEvent,
  PausedEvent,
  type PauseReason,
  type WatchAccess,
  type WatchOptions,
} from './debug.ts';
export type { BlobDisk, BytesDisk, DiskDevice, DiskOptions, FileDisk } from './disks.ts';
export { describeEnd, type RunResult } from './ending.ts';
export { DragomanError, type ErrorCode } from './errors.ts';
export { GDB_PORT, type GdbOptions, type GdbServer } from './gdb.ts';
export type {
  CpuHandle,
  CpuRegisters,
  DisassembledInstruction,
  InspectedMemory,
  MachineMemory,
  SegmentState,
  StackFrame,
  TableRegister,
  Translation,
} from './inspect.ts';
export type { Loading } from './loading.ts';
export {
  type AttachedClient,
  type Bytes,
  type ClientSpec,
  DEFAULT_MAC,
  DEFAULT_MEMORY,
  type EncoderName,
  type EngineName,
  type EngineStats,
  type FlameFormat,
  type FlameStats,
  LONGEST_NOTE,
  type LockstepOptions,
  type MachineHandle,
  type MachineOptions,
  type MachineStats,
  MEMORY_GRAIN,
  MiB,
  MOST_CPUS,
  MOST_DISKS,
  type ModuleOptions,
  type NetBackend,
  type NetOptions,
  type NetPort,
  type ProfLevel,
  type ProfStats,
  type RestoreOptions,
  SMALLEST_MEMORY,
  type SnapshotFacts,
  type SnapshotOptions,
  type Source,
} from './options.ts';
export { type PrepareOptions, prepareMachine } from './prepare.ts';
export type {
  CodeRegion,
  CodeRegions,
  CpuPlace,
  InspectedRegion,
  RegionCode,
  RegionCounts,
  RegionHeat,
  RegionInstruction,
  RegionLine,
  RegionsOptions,
  RelaxationEffect,
} from './regions.ts';
export type { Mode, Relaxation, RelaxTerm } from './relax.ts';
export { CHECKPOINT_EVERY, CHECKPOINT_MEMORY, type ReverseOptions } from './reverse.ts';
export { DEFAULT_TAG, MOST_SHARES, type ShareOptions } from './shares.ts';
export type { TraceAddresses, TraceFilter, TracePart, TracePlace } from './trace.ts';
