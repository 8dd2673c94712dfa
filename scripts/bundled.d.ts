// What esbuild makes of files that are no scripts.

/** Into a file of styles beside the script's. */
declare module '*.css' {}
