const pageBytes = 65536;
/** Vectors of the kernel are aligned to this many bytes. */
const alignment = 16;

/** The kernel's linear memory as a stack of arrays: reserved from the bottom up, freed back to a mark. */
export class KernelMemory {
  readonly #memory: WebAssembly.Memory;
  readonly #base: number;
  #top: number;

  constructor(memory: WebAssembly.Memory, base: number) {
    this.#memory = memory;
    this.#base = align(base);
    this.#top = this.#base;
  }

  /** Address of room for so many 32-bit numbers. What stands there is left over from before. */
  reserve(numbers: number): number {
    const address = this.#top;
    this.#top = align(address + 4 * numbers);
    const missing = this.#top - this.#memory.buffer.byteLength;
    if (missing > 0) this.#memory.grow(Math.ceil(missing / pageBytes));
    return address;
  }

  freeAll(): void {
    this.#top = this.#base;
  }

  freeTo(address: number): void {
    this.#top = address;
  }

  /** A view, good until the next `reserve`: growing the memory detaches it. */
  floats(address: number, length: number): Float32Array {
    return new Float32Array(this.#memory.buffer, address, length);
  }

  integers(address: number, length: number): Int32Array {
    return new Int32Array(this.#memory.buffer, address, length);
  }

  write(address: number, values: Float32Array): void {
    this.floats(address, values.length).set(values);
  }
}

function align(address: number): number {
  return Math.ceil(address / alignment) * alignment;
}
