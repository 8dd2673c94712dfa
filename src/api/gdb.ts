// A machine that gdb is attached to: the types of its server, for programs.

/** As QEMU's. */
export const GDB_PORT = 1234;

export interface GdbOptions {
  /** TCP port of 127.0.0.1; 0: one that is free. Default: GDB_PORT. */
  readonly port?: number | undefined;
  /** The machine begins with a pause, until gdb lets it go on (or resume() does). Default: false. */
  readonly wait?: boolean | undefined;
}

/** Where gdb connects to: `target remote :PORT`. */
export interface GdbServer {
  readonly port: number;
  /** Nobody can connect any more. A gdb that is there is left: its breakpoints are gone, and the machine goes on. Also a machine goes on that waits for one. The end of a run does the same. */
  close(): Promise<void>;
}
