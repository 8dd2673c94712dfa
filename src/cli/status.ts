// Exit statuses of the command; what they mean is in usage.ts.
export const Status = {
  OK: 0,
  USAGE: 2,
  STOPPED_EARLY: 3,
  TIME_OUT: 4,
  FAILED: 5,
  /** 128 + SIGPIPE, as a shell has it for a program that dies of that. */
  NO_READER: 141,
} as const;
