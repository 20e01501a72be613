/** A bar on stderr for a long transfer, when somebody is there to see it. */
import type { Writable } from 'node:stream'

export interface Progress extends Disposable {
  /** Bytes done so far. */
  at(doneBytes: number): void
}

/** Anything smaller is through before an eye can follow. */
const WORTH_A_BAR_BYTES = 4 * 1024 * 1024
const BAR_CELLS = 24
const MEGABYTE = 1_000_000

/** A bar for `totalBytes`; does nothing for a small transfer or where stderr is no terminal. Disposing wipes it. */
export function progressBar(stderr: Writable, label: string, totalBytes: number): Progress {
  const isSeen = 'isTTY' in stderr && stderr.isTTY === true && totalBytes >= WORTH_A_BAR_BYTES
  let shown = ''
  const show = (text: string) => {
    if (text !== shown) stderr.write(`\r\u001b[K${text}`)
    shown = text
  }
  return {
    at(doneBytes) {
      if (isSeen) show(bar(label, doneBytes, totalBytes))
    },
    [Symbol.dispose]() {
      if (shown !== '') show('')
    },
  }
}

export interface Count extends Disposable {
  /** One more is done, or being done. */
  add(): void
}

/** `12 of 100 pages`, where stderr is a terminal. Disposing wipes it; a second time does nothing. */
export function progressCount(stderr: Writable, label: string, total: number): Count {
  const isSeen = 'isTTY' in stderr && stderr.isTTY === true
  let done = 0
  return {
    add() {
      done++
      if (isSeen) stderr.write(`\r\u001b[K${done} of ${total} ${label}`)
    },
    [Symbol.dispose]() {
      if (isSeen && done > 0) stderr.write('\r\u001b[K')
      done = 0
    },
  }
}

function bar(label: string, doneBytes: number, totalBytes: number): string {
  const part = Math.min(1, doneBytes / totalBytes)
  const cells = Math.round(part * BAR_CELLS)
  const percent = String(Math.floor(part * 100)).padStart(3)
  return `${label} [${'#'.repeat(cells)}${'.'.repeat(BAR_CELLS - cells)}] ${percent}% of ${(totalBytes / MEGABYTE).toFixed(1)} MB`
}
