// What goes wrong in a share, as the guest is told: numbers of Linux by their names, whatever host these come from.

/** Errors of Linux (include/uapi/asm-generic/errno*.h) that a file system gives. */
export const LINUX_ERRORS = {
  EPERM: 1,
  ENOENT: 2,
  EIO: 5,
  ENXIO: 6,
  EBADF: 9,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EBUSY: 16,
  EEXIST: 17,
  EXDEV: 18,
  ENODEV: 19,
  ENOTDIR: 20,
  EISDIR: 21,
  EINVAL: 22,
  ENFILE: 23,
  EMFILE: 24,
  ETXTBSY: 26,
  EFBIG: 27,
  ENOSPC: 28,
  EROFS: 30,
  EMLINK: 31,
  ENAMETOOLONG: 36,
  ENOTEMPTY: 39,
  ELOOP: 40,
  EPROTO: 71,
  EOVERFLOW: 75,
  EMSGSIZE: 90,
  EOPNOTSUPP: 95,
  ESTALE: 116,
  EDQUOT: 122,
} as const;
export type LinuxError = keyof typeof LINUX_ERRORS;

/** What the guest asked for is refused, with an error of Linux. */
export class ShareError extends Error {
  readonly code: LinuxError;
  constructor(code: LinuxError, message: string = code) {
    super(message);
    this.code = code;
  }
}

/** Names that Node has for what Linux calls otherwise. */
const OTHERS: Readonly<Record<string, LinuxError>> = { ENOTSUP: 'EOPNOTSUPP', ERR_INVALID_ARG_VALUE: 'EINVAL', ERR_OUT_OF_RANGE: 'EINVAL' };

/** The number for what was thrown; undefined where it is no error of a file system, but a fault of ours. */
export function errorNumber(error: unknown): number | undefined {
  const code = (error as { readonly code?: unknown } | null | undefined)?.code;
  if (typeof code !== 'string') return undefined;
  const name = Object.hasOwn(OTHERS, code) ? OTHERS[code]! : code;
  if (Object.hasOwn(LINUX_ERRORS, name)) return LINUX_ERRORS[name as LinuxError];
  // Another one of the host's.
  return /^E[A-Z0-9]+$/.test(name) ? LINUX_ERRORS.EIO : undefined;
}
