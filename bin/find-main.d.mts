/** Path, size and time of change (milliseconds) of each file of a folder. */
export function statesOf(folder: string): [path: string, size: number, mtimeMs: number][];
/** Whether the files of `built` were made from those of `sources` as they are. */
export function isCurrent(built: string, sources: string): boolean;
/** Path of the command line's module. */
export function findMain(): string;
