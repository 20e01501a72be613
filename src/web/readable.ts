/** Numbers, sizes and times as people read them. */
import { type Html, html } from './html.ts'

/** A size in decimal units, as other indexes and shops of disks count: `126.8 kB`. */
export function readableSize(bytes: number): string {
  let value = bytes
  for (const unit of ['bytes', 'kB', 'MB', 'GB']) {
    // 999,950 bytes would be rounded to "1000.0 kB".
    if (value < (unit === 'bytes' ? 1000 : 999.95)) return `${unit === 'bytes' ? value : value.toFixed(1)} ${unit}`
    value /= 1000
  }
  return `${value.toFixed(1)} TB`
}

/** An RFC 3339 time as its day in UTC, the whole of it in `datetime` and on hover. Text that is no time is shown as it is. */
export function dayOf(time: string): Html {
  const date = new Date(time)
  if (Number.isNaN(date.getTime())) return html`${time}`
  const iso = date.toISOString()
  return html`<time datetime="${iso}" title="${iso.slice(0, 19).replace('T', ' ')} UTC">${iso.slice(0, 10)}</time>`
}

/** `1 file`, `12 files`: English plurals by `s`. */
export function countOf(count: number, noun: string): string {
  return `${count.toLocaleString('en-US')} ${noun}${count === 1 ? '' : 's'}`
}
