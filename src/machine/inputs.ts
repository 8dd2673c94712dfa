// The ways into the guest: what is typed, and frames of the network. Straight to the devices, but in lockstep, where inputs wait for the end of a turn
// (lockstep/executor.ts).
import type { Board } from './board/board.ts';

/** Streams of bytes that the guest takes in its own time. */
export type Typed = 'serial' | 'virtioConsole';
export type InputKind = Typed | 'frame';

export interface Inputs {
  /** Gives an input to its device, or keeps a copy for it; false where it is lost. */
  push(kind: InputKind, bytes: Uint8Array): boolean;
  /** Bytes of such input that the guest has not taken. */
  waiting(kind: Typed): number;
}

/** Those of a board's devices (host thread). */
export function deviceInputs({ chipset }: Board): Inputs {
  const { serial, net, virtioConsole } = chipset.parts;
  return {
    push(kind, bytes) {
      if (kind === 'frame') return net[0]?.receive(bytes) === true;
      if (kind === 'serial') chipset.serialInput(0, bytes);
      else virtioConsole?.pushInput(bytes);
      return true;
    },
    waiting: (kind) => (kind === 'serial' ? serial[0] : virtioConsole)?.inputWaiting ?? 0,
  };
}
