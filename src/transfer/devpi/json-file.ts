/** A JSON file written piece by piece, in ASCII: Python reads it under any locale. */

import { type FileHandle, open } from 'node:fs/promises'
import { syncFile } from '../../lib/durable.ts'
import { readableJson } from '../../lib/readable-json.ts'

/** Written at once. */
const CHUNK_CHARACTERS = 256 * 1024

export class JsonFile implements AsyncDisposable {
  readonly #handle: FileHandle
  readonly #path: string
  #text = ''
  /** For each object or list that is open: whether it has a member yet. */
  readonly #open: { readonly end: string; isEmpty: boolean }[] = []

  private constructor(handle: FileHandle, path: string) {
    this.#handle = handle
    this.#path = path
  }

  /** A new file that only its owner can read. Throws where one is there. */
  static async create(path: string): Promise<JsonFile> {
    return new JsonFile(await open(path, 'wx', 0o600), path)
  }

  /** Opens an object or a list: the next member of the one that is open; inside an object with its `key`. */
  async begin(bracket: '{' | '[', key?: string): Promise<void> {
    await this.#member(key, bracket)
    this.#open.push({ end: bracket === '{' ? '}' : ']', isEmpty: true })
  }

  /** Closes what was opened last. */
  async end(): Promise<void> {
    const { end, isEmpty } = this.#open.pop()!
    await this.#write(isEmpty ? end : `\n${this.#indent()}${end}`)
  }

  /** The next member; inside an object with its `key`. */
  async add(value: unknown, key?: string): Promise<void> {
    const text = readableJson(value).replaceAll('\n', `\n${this.#indent()}`)
    await this.#member(key, text)
  }

  /** Everything is on the disk when it returns. */
  async finish(): Promise<void> {
    await this.#flush()
    await syncFile(this.#handle.fd, this.#path)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close()
  }

  async #member(key: string | undefined, text: string): Promise<void> {
    const parent = this.#open.at(-1)
    const separator = parent === undefined ? '' : `${parent.isEmpty ? '' : ','}\n${this.#indent()}`
    if (parent !== undefined) parent.isEmpty = false
    await this.#write(`${separator}${key === undefined ? '' : `${JSON.stringify(key)}: `}${text}`)
  }

  #indent(): string {
    return '  '.repeat(this.#open.length)
  }

  async #write(text: string): Promise<void> {
    this.#text += text
    if (this.#text.length >= CHUNK_CHARACTERS) await this.#flush()
  }

  async #flush(): Promise<void> {
    const ascii = this.#text.replace(/[\u007f-\uffff]/g, (unit) => {
      return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
    })
    this.#text = ''
    await this.#handle.writeFile(ascii)
  }
}
