// The one error class that users of Dragoman meet: it says what went wrong, where, and has a code to switch on.

export type ErrorCode =
  | 'BAD_OPTION'
  | 'BAD_KERNEL'
  | 'BAD_INITRD'
  | 'BAD_DISK'
  | 'BAD_SHARE'
  | 'BAD_FRAME'
  | 'BAD_ROM'
  | 'BAD_RECORDING'
  | 'BAD_SNAPSHOT'
  | 'NO_FILE'
  | 'OUT_OF_MEMORY'
  | 'HOST_LIMIT'
  | 'NOT_SUPPORTED'
  | 'NO_ISOLATION'
  | 'GUEST_MISSING'
  | 'TIMEOUT'
  | 'ENDED'
  | 'BAD_STATE'
  | 'BAD_ADDRESS'
  | 'NO_SYMBOLS'
  | 'NO_REGION'
  | 'INTERNAL';

/** An error that a user can act on. `code` is stable; `where` names the file, option or address it is about. */
export class DragomanError extends Error {
  readonly code: ErrorCode;
  readonly where: string | undefined;
  constructor(code: ErrorCode, message: string, where?: string, options?: ErrorOptions) {
    super(where === undefined ? message : `${where}: ${message}`, options);
    this.name = 'DragomanError';
    this.code = code;
    this.where = where;
  }
}
