/**
 * Large cached responses as files, so that the system sends them (`sendfile`) without a copy through the process. A file
 * is made for a response that is requested again while its bytes are the same: a second at most, as they contain the
 * date.
 */
import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import type { Duplex } from 'node:stream'
import type { Sendfile } from '../../lib/sendfile.ts'
import type { Limits } from '../../model/limits.ts'
import { bareSocket } from './bare-socket.ts'
import type { ReadyAnswer } from './ready-answer.ts'

export interface ReadyFilesOptions {
  /** The system's way, where there is one. */
  readonly sendfile: () => Pick<Sendfile, 'send'> | undefined
  /**
   * They lie there without names, and are gone when the process is. As they last a second, few ever reach a disk. (A file system of
   * memory has none that do, but its pages are small, and to send them costs a fifth more.)
   */
  readonly folder: string
  readonly limits: Pick<Limits, 'readyFileLeastBytes' | 'readyFileMostBytes' | 'readyFilesBytes'>
}

/** Linux's, which `node:fs` does not name: a file without a name in that folder. */
export const O_TMPFILE = 0o20000000 | constants.O_DIRECTORY

export class ReadyFiles implements AsyncDisposable {
  readonly #options: ReadyFilesOptions
  /** Answers of this edition that were asked for; those that were asked for again have a file, or soon will. */
  readonly #files = new Map<ReadyAnswer, FileHandle | 'coming' | undefined>()
  /** Files that are being made or let go of. The disk may take its time for that, and nobody waits. */
  readonly #work = new Set<Promise<void>>()
  #edition = -1
  #roomBytes = 0

  constructor(options: ReadyFilesOptions) {
    this.#options = options
  }

  /**
   * Sends `bytes`, what `answer` is in this `edition`, as far as the socket takes them: gives how many. The others are to be written by
   * the caller.
   */
  send(answer: ReadyAnswer, bytes: Buffer, edition: number, socket: Duplex): number {
    const { limits } = this.#options
    if (bytes.length < limits.readyFileLeastBytes || bytes.length > limits.readyFileMostBytes) return 0
    const sendfile = this.#options.sendfile()
    if (sendfile === undefined) return 0
    if (edition !== this.#edition) this.#turn(edition)
    const file = this.#file(answer, bytes)
    const descriptor = file === undefined ? undefined : bareSocket(socket)
    return descriptor === undefined ? 0 : (sendfile.send(descriptor, file!.fd, 0, bytes.length) ?? 0)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#turn(-1)
    await Promise.all(this.#work)
  }

  #file(answer: ReadyAnswer, bytes: Buffer): FileHandle | undefined {
    const known = this.#files.get(answer)
    if (known !== undefined) return known === 'coming' ? undefined : known
    if (this.#files.has(answer) && bytes.length <= this.#roomBytes) {
      this.#roomBytes -= bytes.length
      this.#files.set(answer, 'coming')
      // They must stay as they are until they are written.
      answer.lend()
      this.#do(this.#make(answer, bytes, this.#edition))
    } else this.#files.set(answer, undefined)
    return undefined
  }

  async #make(answer: ReadyAnswer, bytes: Buffer, edition: number): Promise<void> {
    let file: FileHandle | undefined
    try {
      file = await open(this.#options.folder, O_TMPFILE | constants.O_RDWR, 0o600)
      await file.writeFile(bytes)
    } catch {
      // A full disk, no descriptor left, a file system without such files: what is written to the socket needs none of them.
      await file?.close()
      if (edition === this.#edition) this.#roomBytes = 0
      return
    }
    if (edition === this.#edition) this.#files.set(answer, file)
    else await file.close()
  }

  /** What is on its way stays as it is: the kernel holds the memory of a file that is closed until it was sent. */
  #turn(edition: number): void {
    for (const file of this.#files.values()) if (typeof file === 'object') this.#do(file.close())
    this.#files.clear()
    this.#roomBytes = edition < 0 ? 0 : this.#options.limits.readyFilesBytes
    this.#edition = edition
  }

  /** Nothing that fails here is missed: a file that cannot be closed is closed all the same. */
  #do(work: Promise<void>): void {
    const done = work.catch(() => {}).finally(() => this.#work.delete(done))
    this.#work.add(done)
  }
}
