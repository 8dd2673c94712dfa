// What scripts/build-packages.ts makes of Binaryen's module, for bundles for browsers: they have it in them, and its WebAssembly beside them.
declare module '*/build/binaryen.js' {
  /** Binaryen's module (emit/module/binaryen-api.ts), made with its WebAssembly. */
  const make: (wasm: Uint8Array<ArrayBuffer>) => Promise<unknown>;
  export default make;
}
