// What esbuild makes of files that are no scripts.

/** Loader `binary`. */
declare module '*.wasm' {
  const bytes: Uint8Array<ArrayBuffer>;
  export default bytes;
}
/** Into a file of styles beside the script's. */
declare module '*.css' {}
