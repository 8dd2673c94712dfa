// SSE: what lifts cannot do alone, which is all arithmetic that MXCSR has a say in. Helpers are named sse + mnemonic.
export * from './sse/packed';
export * from './sse/scalar';
export * from './sse/compare';
export * from './sse/convert';
export * from './sse/approximate';
export * from './sse/mask';
