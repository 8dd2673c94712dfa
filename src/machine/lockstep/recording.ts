// What a lockstep run got from outside, with the instants: enough to run it again. A recording is lines of JSON: what the machine was made
// from, then the inputs in their order. An instant is a turn of the executor (machine/lockstep/lockstep.ts), and the guest's time in it: while all
// CPUs wait, turns do not go on.
import { DragomanError } from '../../api/errors.ts';
import type { InputKind } from '../inputs.ts';

export const RECORDING_VERSION = 1;

/** What must be the same when a recording is run again. Files by the SHA-256 of their bytes. */
export type MachineIdentity = Readonly<Record<string, string | number | boolean | readonly string[] | null>>;

/** An input, or the end that the run was brought to from outside. */
export interface RecordedEvent {
  readonly turn: number;
  /** Nanoseconds of the machine's clock. */
  readonly time: number;
  readonly kind: InputKind | 'stop';
  /** Bytes in base64; the reason of a stop. */
  readonly data: string;
}

export interface Recording {
  readonly seed: number;
  readonly machine: MachineIdentity;
  readonly events: readonly RecordedEvent[];
}

export const headerLine = (seed: number, machine: MachineIdentity): string =>
  `${JSON.stringify({ recording: 'dragoman', version: RECORDING_VERSION, seed, machine })}\n`;
export const eventLine = (event: RecordedEvent): string => `${JSON.stringify(event)}\n`;

const bad = (message: string): never => {
  throw new DragomanError('BAD_RECORDING', message);
};

function parseLine(line: string, number: number): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {}
  return bad(`line ${number} is not a JSON object`);
}

/** Reads a recording. Throws BAD_RECORDING with the line where it is wrong. */
export function parseRecording(text: string): Recording {
  const lines = text.split('\n');
  if (lines.at(-1) !== '') bad(`line ${lines.length} is cut off`);
  lines.pop();
  if (lines.length === 0) bad('it is empty');
  const header = parseLine(lines[0]!, 1);
  if (header.recording !== 'dragoman') bad('line 1 does not say that it is a recording');
  if (header.version !== RECORDING_VERSION) bad(`it has version ${header.version}, not ${RECORDING_VERSION}`);
  const { seed, machine } = header;
  if (!Number.isInteger(seed) || typeof machine !== 'object' || machine === null) return bad('line 1 lacks the seed or the machine');
  const events = lines.slice(1).map((line, n) => {
    const { turn, time, kind, data } = parseLine(line, n + 2);
    const good =
      Number.isInteger(turn) &&
      typeof time === 'number' &&
      typeof data === 'string' &&
      (kind === 'serial' || kind === 'virtioConsole' || kind === 'frame' || kind === 'stop');
    return good ? ({ turn, time, kind, data } as RecordedEvent) : bad(`line ${n + 2} is not an event`);
  });
  if (events.some((event, n) => n > 0 && event.turn < events[n - 1]!.turn)) bad('its events are not in order');
  return { seed: seed as number, machine: machine as MachineIdentity, events };
}

/** Throws BAD_RECORDING where the machine is another one than that of the recording. */
export function checkIdentity(recorded: MachineIdentity, machine: MachineIdentity): void {
  for (const name of new Set([...Object.keys(recorded), ...Object.keys(machine)])) {
    const [then, now] = [JSON.stringify(recorded[name] ?? null), JSON.stringify(machine[name] ?? null)];
    if (then !== now) bad(`it is of another machine: ${name} was ${then}, and is ${now}`);
  }
}
