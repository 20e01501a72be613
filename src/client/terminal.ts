/** Questions to the person at the keyboard: asked on stderr, answered from stdin, also when that is a pipe. */
import type { CliContext } from './context.ts'

/** The person pressed Ctrl-C, or there is nobody to answer. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer'
}

/** An answer longer than this is not one. */
const ANSWER_BYTES_MAX = 64 * 1024
/** What a terminal in raw mode sends for Ctrl-C, Ctrl-D and Ctrl-U. */
const INTERRUPT = '\u0003'
const END_OF_INPUT = '\u0004'
const ERASE_LINE = '\u0015'

type Input = CliContext['stdin'] & { setRawMode?(raw: boolean): unknown }

export class Terminal {
  readonly #context: CliContext
  #rest = Buffer.alloc(0)

  constructor(context: CliContext) {
    this.#context = context
  }

  /** One line, seen while it is typed. Throws `NoAnswer` at the end of input. */
  async ask(question: string): Promise<string> {
    this.#context.stderr.write(question)
    const line = await this.#line()
    if (line === undefined) throw new NoAnswer(`Cannot ask "${question.trim()}": the input has ended`)
    return line
  }

  /**
   * One line that is not shown while it is typed. From a pipe the next line is taken without a question;
   * `undefined` at the end of input. Throws `NoAnswer` for Ctrl-C.
   */
  async askSecret(question: string): Promise<string | undefined> {
    const stdin: Input = this.#context.stdin
    if (stdin.isTTY !== true || stdin.setRawMode === undefined) return this.#line()
    this.#context.stderr.write(question)
    stdin.setRawMode(true)
    try {
      return await this.#typed()
    } finally {
      stdin.setRawMode(false)
      stdin.pause()
      this.#context.stderr.write('\n')
    }
  }

  async #typed(): Promise<string | undefined> {
    const typed: string[] = []
    for (;;) {
      const waiting = this.#rest.length > 0 ? this.#rest : ((await this.#chunk()) ?? Buffer.from(END_OF_INPUT))
      const characters = [...waiting.toString('utf8')]
      this.#rest = Buffer.alloc(0)
      for (const [at, character] of characters.entries()) {
        if (character === '\r' || character === '\n') {
          // What was typed or pasted ahead answers the next question.
          this.#rest = Buffer.from(characters.slice(at + 1).join(''))
          return typed.join('')
        }
        if (character === INTERRUPT) throw new NoAnswer('interrupted')
        if (character === END_OF_INPUT && typed.length === 0) return undefined
        if (character === '\u007f' || character === '\b') typed.pop()
        else if (character === ERASE_LINE) typed.length = 0
        else if (character >= ' ') typed.push(character)
        if (typed.length > ANSWER_BYTES_MAX) {
          throw new NoAnswer(`Cannot read the answer: more than ${ANSWER_BYTES_MAX} characters`)
        }
      }
    }
  }

  async #line(): Promise<string | undefined> {
    for (;;) {
      const end = this.#rest.indexOf(10)
      if (end !== -1) {
        const line = this.#rest.subarray(0, end).toString('utf8')
        this.#rest = this.#rest.subarray(end + 1)
        return line.replace(/\r$/, '')
      }
      if (this.#rest.length > ANSWER_BYTES_MAX)
        throw new NoAnswer(`Cannot read the answer: more than ${ANSWER_BYTES_MAX} bytes`)
      const chunk = await this.#chunk()
      if (chunk === undefined) {
        if (this.#rest.length === 0) return undefined
        const line = this.#rest.toString('utf8')
        this.#rest = Buffer.alloc(0)
        return line
      }
      this.#rest = Buffer.concat([this.#rest, chunk])
    }
  }

  /** The next piece of input, or `undefined` at its end; stdin is paused between, so that the program can end. */
  #chunk(): Promise<Buffer | undefined> {
    const { stdin } = this.#context
    if (stdin.readableEnded || stdin.destroyed) return Promise.resolve(undefined)
    const { promise, resolve, reject } = Promise.withResolvers<Buffer | undefined>()
    const settle = (act: () => void) => {
      stdin.off('data', data).off('end', end).off('error', fail)
      stdin.pause()
      act()
    }
    const data = (chunk: Buffer | string) => settle(() => resolve(Buffer.from(chunk as Buffer)))
    const end = () => settle(() => resolve(undefined))
    const fail = (error: Error) => settle(() => reject(error))
    stdin.on('data', data).on('end', end).on('error', fail)
    stdin.resume()
    return promise
  }
}
