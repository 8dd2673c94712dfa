// A network of one: every frame the guest sends comes back to it.
import type { NetBackend, NetPort } from '../../api/options.ts';

export interface Loopback extends NetBackend {
  /** The card that gets the frames back. */
  connect(card: NetPort): void;
  /** Frames seen, and those of them that the card did not take. */
  readonly counts: { frames: number; lost: number };
}

/** A back end for one card. `swap`: destination and source addresses change places, so that a guest takes the frame for an answer. */
export function loopback(swap = false): Loopback {
  const counts = { frames: 0, lost: 0 };
  let target: NetPort | undefined;
  return {
    counts,
    connect: (card) => {
      target = card;
    },
    onFrame: (frame) => {
      counts.frames++;
      let back = frame;
      if (swap) {
        back = frame.slice();
        back.set(frame.subarray(6, 12), 0);
        back.set(frame.subarray(0, 6), 6);
      }
      if (target?.receive(back) !== true) counts.lost++;
    },
  };
}
