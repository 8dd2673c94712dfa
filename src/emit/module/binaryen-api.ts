// Binaryen's C API, as far as we call it. Its functions are called as they are, without the objects that the package puts around them. The
// package is loaded by the host (host/node-binaryen.ts): 10 MB, some 0.2 s, which only who translates pays.

/** Address in Binaryen's memory. 0: null. */
export type Pointer = number;
/** Of an expression in a module's arena. */
export type Ref = Pointer;

/** C's names, without `_Binaryen`, are in the headers of Binaryen (binaryen-c.h). Booleans are numbers. */
export interface BinaryenApi {
  _malloc(bytes: number): Pointer;
  _free(at: Pointer): void;
  __i32_store(at: Pointer, value: number): void;
  __i32_store8(at: Pointer, value: number): void;
  __i32_load(at: Pointer): number;
  _BinaryenSizeofLiteral(): number;
  _BinaryenLiteralInt32(to: Pointer, value: number): void;
  _BinaryenLiteralInt64(to: Pointer, value: bigint): void;
  _BinaryenLiteralFloat32(to: Pointer, value: number): void;
  _BinaryenLiteralFloat64(to: Pointer, value: number): void;
  _BinaryenLiteralVec128(to: Pointer, bytes: Pointer): void;
  _BinaryenTypeCreate(types: Pointer, count: number): number;
  _BinaryenTypeNone(): number;
  _BinaryenTypeInt32(): number;
  _BinaryenTypeInt64(): number;
  _BinaryenTypeFloat32(): number;
  _BinaryenTypeFloat64(): number;
  _BinaryenTypeVec128(): number;
  _BinaryenTypeFuncref(): number;
  _BinaryenMemoryOrderSeqCst(): number;
  _BinaryenModuleCreate(): Pointer;
  _BinaryenModuleDispose(module: Pointer): void;
  _BinaryenModuleSetFeatures(module: Pointer, features: number): void;
  _BinaryenModuleAllocateAndWrite(result: Pointer, module: Pointer, sourceMapUrl: Pointer): void;
  _BinaryenSetMemory(
    module: Pointer,
    initial: number,
    maximum: number,
    exportName: Pointer,
    segmentNames: Pointer,
    segmentDatas: Pointer,
    segmentPassives: Pointer,
    segmentOffsets: Pointer,
    segmentSizes: Pointer,
    segments: number,
    shared: number,
    memory64: number,
    name: Pointer,
  ): void;
  _BinaryenAddMemoryImport(module: Pointer, name: Pointer, from: Pointer, base: Pointer, shared: number): void;
  _BinaryenAddTable(module: Pointer, name: Pointer, initial: number, maximum: number, type: number, init: Ref): Pointer;
  _BinaryenAddTableImport(module: Pointer, name: Pointer, from: Pointer, base: Pointer): void;
  _BinaryenAddFunctionImport(module: Pointer, name: Pointer, from: Pointer, base: Pointer, params: number, results: number): void;
  _BinaryenAddFunction(
    module: Pointer,
    name: Pointer,
    params: number,
    results: number,
    locals: Pointer,
    localCount: number,
    body: Ref,
  ): Pointer;
  _BinaryenAddFunctionExport(module: Pointer, name: Pointer, exported: Pointer): Pointer;
  _BinaryenBlock(module: Pointer, label: Pointer, children: Pointer, count: number, type: number): Ref;
  _BinaryenBlockAppendChild(block: Ref, child: Ref): number;
  _BinaryenIf(module: Pointer, condition: Ref, then: Ref, otherwise: Ref): Ref;
  _BinaryenLoop(module: Pointer, label: Pointer, body: Ref): Ref;
  _BinaryenBreak(module: Pointer, label: Pointer, condition: Ref, value: Ref): Ref;
  _BinaryenCall(module: Pointer, target: Pointer, operands: Pointer, count: number, result: number): Ref;
  _BinaryenReturnCall(module: Pointer, target: Pointer, operands: Pointer, count: number, result: number): Ref;
  _BinaryenCallIndirect(
    module: Pointer,
    table: Pointer,
    target: Ref,
    operands: Pointer,
    count: number,
    params: number,
    results: number,
  ): Ref;
  _BinaryenReturnCallIndirect(
    module: Pointer,
    table: Pointer,
    target: Ref,
    operands: Pointer,
    count: number,
    params: number,
    results: number,
  ): Ref;
  _BinaryenLocalGet(module: Pointer, index: number, type: number): Ref;
  _BinaryenLocalSet(module: Pointer, index: number, value: Ref): Ref;
  _BinaryenLocalTee(module: Pointer, index: number, value: Ref, type: number): Ref;
  _BinaryenConst(module: Pointer, literal: Pointer): Ref;
  _BinaryenUnary(module: Pointer, op: number, value: Ref): Ref;
  _BinaryenBinary(module: Pointer, op: number, left: Ref, right: Ref): Ref;
  _BinaryenSelect(module: Pointer, condition: Ref, then: Ref, otherwise: Ref): Ref;
  _BinaryenDrop(module: Pointer, value: Ref): Ref;
  _BinaryenReturn(module: Pointer, value: Ref): Ref;
  _BinaryenUnreachable(module: Pointer): Ref;
  _BinaryenLoad(module: Pointer, bytes: number, signed: number, offset: number, align: number, type: number, at: Ref, memory: Pointer): Ref;
  _BinaryenStore(module: Pointer, bytes: number, offset: number, align: number, at: Ref, value: Ref, type: number, memory: Pointer): Ref;
  _BinaryenSIMDLoad(module: Pointer, op: number, offset: number, align: number, at: Ref, memory: Pointer): Ref;
  _BinaryenAtomicLoad(module: Pointer, bytes: number, offset: number, type: number, at: Ref, memory: Pointer, order: number): Ref;
  _BinaryenAtomicStore(
    module: Pointer,
    bytes: number,
    offset: number,
    at: Ref,
    value: Ref,
    type: number,
    memory: Pointer,
    order: number,
  ): Ref;
  _BinaryenAtomicRMW(
    module: Pointer,
    op: number,
    bytes: number,
    offset: number,
    at: Ref,
    value: Ref,
    type: number,
    memory: Pointer,
    order: number,
  ): Ref;
  _BinaryenAtomicCmpxchg(
    module: Pointer,
    bytes: number,
    offset: number,
    at: Ref,
    expected: Ref,
    replacement: Ref,
    type: number,
    memory: Pointer,
    order: number,
  ): Ref;
  _BinaryenSIMDExtract(module: Pointer, op: number, vector: Ref, lane: number): Ref;
  _BinaryenSIMDReplace(module: Pointer, op: number, vector: Ref, lane: number, value: Ref): Ref;
  _BinaryenSIMDShuffle(module: Pointer, left: Ref, right: Ref, mask: Pointer): Ref;
  _BinaryenSIMDTernary(module: Pointer, op: number, a: Ref, b: Ref, c: Ref): Ref;
  _BinaryenSIMDShift(module: Pointer, op: number, vector: Ref, by: Ref): Ref;
}

/** The package's module: the functions above, and the numbers of operators, features and so on. */
export type Binaryen = BinaryenApi & Readonly<Record<string, unknown>> & { readonly Features: Readonly<Record<string, number>> };
