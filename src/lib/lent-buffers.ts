/** A buffer pool: buffers are lent, given back and lent again, so that repeated reads allocate no new memory. */

export interface LentBuffersOptions {
  readonly largeBytes: number
  /** Large ones at once. */
  readonly most: number
  readonly smallBytes: number
}

export class LentBuffers {
  readonly #options: LentBuffersOptions
  readonly #large: Buffer[] = []
  readonly #small: Buffer[] = []
  #lentLarge = 0

  constructor(options: LentBuffersOptions) {
    this.#options = options
  }

  /** A large one when it is `wanted` and there is one left, else a small one. What stands in it is anybody's. */
  lend(wanted: 'large' | 'small'): Buffer {
    const { largeBytes, most, smallBytes } = this.#options
    if (wanted === 'small' || this.#lentLarge >= most) return this.#small.pop() ?? Buffer.allocUnsafeSlow(smallBytes)
    this.#lentLarge++
    return this.#large.pop() ?? Buffer.allocUnsafeSlow(largeBytes)
  }

  /** Call it once, after the last read from the buffer and the last write into it. */
  giveBack(buffer: Buffer): void {
    const { largeBytes, most } = this.#options
    if (buffer.length === largeBytes) {
      this.#lentLarge--
      this.#large.push(buffer)
    } else if (this.#small.length < most) this.#small.push(buffer)
  }

  /** Instead of `giveBack` where somebody may still look into it: it is not lent again. */
  forget(buffer: Buffer): void {
    if (buffer.length === this.#options.largeBytes) this.#lentLarge--
  }
}
