// The few names that browsers, workers and Node have in common and ES2023 does not know. Only tsconfig.core.json reads this
// file; elsewhere the real declarations apply. A name is added when core code cannot do without it.

declare class TextEncoder {
  encode(text?: string): Uint8Array<ArrayBuffer>;
}

declare class TextDecoder {
  constructor(label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean });
  decode(bytes?: ArrayBuffer | ArrayBufferView, options?: { stream?: boolean }): string;
}

declare function structuredClone<T>(value: T): T;

interface AbortSignal {
  readonly aborted: boolean;
  readonly reason: unknown;
  throwIfAborted(): void;
}

declare const crypto: {
  readonly subtle: {
    digest(algorithm: 'SHA-256', data: ArrayBuffer | ArrayBufferView): Promise<ArrayBuffer>;
  };
};

/** For how long a run took, never for anything a result depends on. */
declare const performance: { now(): number };

interface MessagePort {
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void, options?: { once?: boolean }): void;
  start(): void;
  postMessage(message: unknown): void;
  close(): void;
}

declare class MessageChannel {
  readonly port1: MessagePort;
  readonly port2: MessagePort;
}

interface ByteReader {
  read(): Promise<{ readonly done: false; readonly value: Uint8Array } | { readonly done: true; readonly value: undefined }>;
  cancel(): Promise<void>;
}

interface ByteWriter {
  write(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  close(): Promise<void>;
}

declare class DecompressionStream {
  constructor(format: 'deflate-raw');
  readonly readable: { getReader(): ByteReader };
  readonly writable: { getWriter(): ByteWriter };
}

/** What a message to a worker may hold; only the worker reads it. */
interface File {
  readonly name: string;
  readonly size: number;
}

declare function setTimeout(callback: () => void, milliseconds?: number): unknown;

declare namespace WebAssembly {
  class Module {
    constructor(bytes: ArrayBuffer | ArrayBufferView);
  }
  class Instance {
    constructor(module: Module, imports?: Record<string, Record<string, unknown>>);
    readonly exports: Record<string, unknown>;
  }
  class Memory {
    constructor(options: { initial: number; maximum?: number });
    readonly buffer: ArrayBuffer;
    grow(pages: number): number;
  }
  function validate(bytes: ArrayBuffer | ArrayBufferView): boolean;
  function compile(bytes: ArrayBuffer | ArrayBufferView): Promise<Module>;
  function instantiate(module: Module, imports?: Record<string, Record<string, unknown>>): Promise<Instance>;
}

declare function atob(text: string): string;

/** Its own types bring all of Node's with them. */
declare module 'papaparse' {
  class Parser {
    constructor(config: { delimiter: string; newline: string; quoteChar: string });
    parse(input: string, baseIndex: number, ignoreLastRow: boolean): unknown;
  }
  const Papa: { readonly Parser: typeof Parser };
  export default Papa;
}
