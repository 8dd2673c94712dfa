// What the user network asks of its host: a clock, timers, sockets, name servers. Node's are in host/network.ts; tests give their own.

export interface HostTimer {
  cancel(): void;
}

/** An IPv4 or IPv6 address as text, and a port. */
export interface HostAddress {
  readonly address: string;
  readonly port: number;
}

/** An end of a TCP connection of the host. */
export interface HostStream {
  /** Sends bytes, which stay as they are until `taken` is called: they are the system's then. It is not called any more once the stream is closed. */
  write(bytes: Uint8Array, taken: () => void): void;
  /** Sends the end behind all that was written; what comes is still received. */
  end(): void;
  /** No onData until resume(). */
  pause(): void;
  resume(): void;
  /** Closes it now; no events any more. `reset`: the other end is to see that this is no proper end. */
  destroy(reset: boolean): void;
}

export interface HostStreamEvents {
  /** The connection stands; never of an accepted one, which does from the start. */
  onConnect(): void;
  /** The array is the receiver's to keep. */
  onData(bytes: Uint8Array): void;
  /** The other end sends no more. */
  onEnd(): void;
  /** The last one. `code`: what went wrong, as the system has it ('ECONNREFUSED'). */
  onClose(code: string | undefined): void;
}

/** A UDP socket for one other end. */
export interface HostDatagrams {
  /** What cannot be sent is lost. */
  send(bytes: Uint8Array): void;
  /** No events any more. */
  close(): void;
}
export interface HostDatagramEvents {
  onDatagram(bytes: Uint8Array): void;
  /** The socket is of no use any more. `code`: as the system has it ('ECONNREFUSED': nobody listens there). */
  onError(code: string | undefined): void;
}

export interface HostListener {
  readonly port: number;
  /** Accepts no more; what was accepted goes on. */
  close(): void;
}

/** Events come from the host's event loop, never from within a call. */
export interface NetworkHost {
  /** Milliseconds of a clock that never goes back. */
  now(): number;
  after(ms: number, callback: () => void): HostTimer;
  /** An unpredictable integer of 32 bits, for sequence numbers. */
  random(): number;
  connect(to: HostAddress, events: HostStreamEvents): HostStream;
  /**
   * Listens on 127.0.0.1. Port 0: any that is free. An accepted stream is paused; `accept` gives what its events go to, or undefined where it has destroyed it. Rejects with the
   * system's error (`code`: 'EADDRINUSE' ...).
   */
  listen(port: number, accept: (stream: HostStream) => HostStreamEvents | undefined): Promise<HostListener>;
  datagrams(to: HostAddress, events: HostDatagramEvents): HostDatagrams;
  /** The servers that the host asks for names, in order. */
  nameServers(): readonly HostAddress[];
}
