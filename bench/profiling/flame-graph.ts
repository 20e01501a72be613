/** A CPU profile as a flame graph: every box a function, as wide as the time spent in it and in what it called. */
import { type CpuProfile, placeOf } from './inspected.ts'

interface Box {
  readonly place: string
  us: number
  readonly children: Map<string, Box>
}

const WIDTH = 1200
const ROW = 17
/** Narrower boxes are left out, in pixels. */
const NARROW = 0.6
const CHARACTER = 6.6
/** What is no work. */
const IDLE = new Set(['(idle)', '(program)'])

/** SVG, without scripts; each box says by its title how much of the time it took. */
export function flameGraph({ nodes, samples, timeDeltas }: CpuProfile, title: string): string {
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const parents = new Map(nodes.flatMap((node) => (node.children ?? []).map((child) => [child, node.id] as const)))
  const root: Box = { place: title, us: 0, children: new Map() }
  for (const [at, id] of samples.entries()) {
    const us = timeDeltas[at]!
    const path: string[] = []
    for (let each: number | undefined = id; each !== undefined; each = parents.get(each)) {
      path.push(placeOf(byId.get(each)!.callFrame))
    }
    // The last is V8's own `(root)`.
    const [, ...stack] = path.reverse()
    if (stack.length === 0 || IDLE.has(stack[0]!)) continue
    let box = root
    root.us += us
    for (const place of stack) {
      const child: Box = box.children.get(place) ?? { place, us: 0, children: new Map() }
      box.children.set(place, child)
      child.us += us
      box = child
    }
  }
  const boxes: string[] = []
  const depth = draw(root, 0, 0, root.us, boxes)
  const height = (depth + 1) * ROW + 4
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="monospace" font-size="11">\n<title>${escaped(title)}</title>\n${boxes.join('\n')}\n</svg>\n`
}

/** Gives the deepest row. */
function draw(box: Box, row: number, x: number, total: number, boxes: string[]): number {
  const width = (box.us / total) * WIDTH
  const share = ((box.us / total) * 100).toFixed(1)
  const hue = [...box.place].reduce((sum, character) => sum + character.charCodeAt(0), 0) % 60
  const shown = box.place.slice(0, Math.max(0, Math.floor(width / CHARACTER) - 1))
  boxes.push(
    `<g><title>${escaped(box.place)}: ${share} %</title><rect x="${x.toFixed(1)}" y="${row * ROW}" width="${width.toFixed(1)}" height="${ROW - 1}" fill="hsl(${hue} 80% 70%)"/>` +
      `<text x="${(x + 2).toFixed(1)}" y="${row * ROW + 12}">${escaped(shown)}</text></g>`,
  )
  let deepest = row
  let at = x
  for (const child of [...box.children.values()].sort((one, other) => other.us - one.us)) {
    const childWidth = (child.us / total) * WIDTH
    if (childWidth >= NARROW) deepest = Math.max(deepest, draw(child, row + 1, at, total, boxes))
    at += childWidth
  }
  return deepest
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
