/** Lines of several threads on one file descriptor, each whole. A thread's own stderr would pass them on late, or not at all when it dies. */
import { writeSync } from 'node:fs'

/** A holder needs microseconds; one that has not let go after this has died, and must not silence the others. */
const LOCK_MS = 1000
/** Who reads the lines may fall so far behind; what comes then is lost, and that is told. */
const FULL_MS = 2000

export class LogLines {
  readonly #fd: number
  readonly #lock: Int32Array
  #lost = 0

  /** `lock` has four bytes, the same for all threads. */
  constructor(fd: number, lock: SharedArrayBuffer) {
    this.#fd = fd
    this.#lock = new Int32Array(lock)
  }

  /** One or more lines, each with its newline. */
  write(lines: string): void {
    // By itself a pipe keeps short lines whole, and a long one not.
    this.#take()
    try {
      this.#lost = this.#write(lines) ? 0 : this.#lost + 1
    } finally {
      Atomics.store(this.#lock, 0, 0)
      Atomics.notify(this.#lock, 0, 1)
    }
  }

  #take(): void {
    const untilMs = performance.now() + LOCK_MS
    while (Atomics.compareExchange(this.#lock, 0, 0, 1) !== 0) {
      if (performance.now() > untilMs) return
      Atomics.wait(this.#lock, 0, 1, 10)
    }
  }

  #write(lines: string): boolean {
    const told = this.#lost === 0 ? '' : `{"level":40,"msg":"Lost ${this.#lost} log lines: nobody read them"}\n`
    const bytes = Buffer.from(told + lines)
    const untilMs = performance.now() + FULL_MS
    for (let at = 0; at < bytes.length; ) {
      try {
        at += writeSync(this.#fd, bytes, at)
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException
        // Nobody reads them any more.
        if (code === 'EPIPE') return false
        if (code !== 'EAGAIN') throw error
        if (performance.now() > untilMs) return false
        Atomics.wait(PAUSE, 0, 0, 1)
      }
    }
    return true
  }
}

const PAUSE = new Int32Array(new SharedArrayBuffer(4))
