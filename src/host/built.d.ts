// What bundles for browsers are given when they are made (scripts/build-packages.ts, scripts/bundle-browser.ts).

/** What build-packages.ts makes of Binaryen's module: they have it in them, and its WebAssembly beside them. */
declare module '*/build/binaryen.js' {
  /** Binaryen's module (emit/module/binaryen-api.ts), made with its WebAssembly. */
  const make: (wasm: Uint8Array<ArrayBuffer>) => Promise<unknown>;
  export default make;
}
/** What Host.engineHash() gives there. */
declare const ENGINE_HASH: string;
/** How large the engine's files are, by name. */
declare const ENGINE_BYTES: Readonly<Record<string, number>>;
