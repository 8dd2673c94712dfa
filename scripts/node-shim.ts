// Node's modules in bundles for browsers: Binaryen asks for one, where it sees that it runs in Node.
export {};
