// SSE: what lifts cannot do alone, which is all arithmetic that MXCSR has a say in. Helpers are named sse + mnemonic.

export * from './approximate';
export * from './compare';
export * from './convert';
export * from './mask';
export * from './packed';
export * from './scalar';
