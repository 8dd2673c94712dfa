// Loaded before all else (NODE_OPTIONS), in each thread: a host that has no Binaryen.
import { registerHooks } from 'node:module';

registerHooks({
  resolve(specifier, context, next) {
    if (specifier.endsWith('/binaryen.js')) throw new Error('no such package: binaryen');
    return next(specifier, context);
  },
});
