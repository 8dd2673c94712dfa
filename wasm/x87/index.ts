// x87: everything the rest of the runtime and translated code may call.
export * from './arith-ops';
export * from './compare-ops';
export * from './load-ops';
export * from './stack-ops';
export * from './state-ops';
export * from './store-ops';
export * from './transcendental-ops';
export * from './unary-ops';
