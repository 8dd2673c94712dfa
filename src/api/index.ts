// What users of the package import: `import { Machine } from 'dragoman'`.
export { Machine } from '../machine/machine.ts';
export { DragomanError, type ErrorCode } from './errors.ts';
export {
  DEFAULT_MEMORY,
  type DiskOptions,
  type EngineName,
  type EngineStats,
  LARGEST_MEMORY,
  type MachineHandle,
  type MachineOptions,
  type MachineStats,
  MEMORY_GRAIN,
  MiB,
  MOST_DISKS,
  type ModuleOptions,
  type RunResult,
  SMALLEST_MEMORY,
} from './options.ts';
