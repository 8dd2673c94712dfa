// A network of one: every frame the guest sends comes back to it. For tests.

export interface Loopback {
  /** A network device's `onFrame`. */
  readonly onFrame: (frame: Uint8Array) => void;
  /** The device that gets the frames back. */
  connect(device: { receive(frame: Uint8Array): boolean }): void;
  /** Frames seen, and those of them that the device did not take. */
  readonly counts: { frames: number; lost: number };
}

/** `swap`: destination and source addresses change places, so that a guest takes the frame for an answer. */
export function loopback(swap = false): Loopback {
  const counts = { frames: 0, lost: 0 };
  let target: { receive(frame: Uint8Array): boolean } | undefined;
  return {
    counts,
    connect: (device) => {
      target = device;
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
