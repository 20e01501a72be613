/** Rules of the house about all source files together: circles of imports, names that stand twice, members that nobody calls. */
import { importsOf } from './imports.ts'
import type { Finding, SourceFile } from './tidy-rules.ts'

/** Files that import each other in a loop, types included: neither can be read without the other. */
export function nothingGoesRound(files: readonly SourceFile[]): Finding[] {
  const targets = new Map(files.map((file) => [file.path, importsOf(file).map((each) => each.target)]))
  return circlesOf(targets).map((circle) => {
    const named = circle.sort().join(', ')
    return `${circle[0]}:1: imports itself by way of others (${named}); give what they share a file of its own`
  })
}

/** Tarjan's strongly connected components; those of one node are no circles. */
function circlesOf(targets: ReadonlyMap<string, readonly string[]>): string[][] {
  const circles: string[][] = []
  const order = new Map<string, number>()
  const lowest = new Map<string, number>()
  const path: string[] = []
  const visit = (node: string): void => {
    order.set(node, order.size)
    lowest.set(node, order.get(node)!)
    path.push(node)
    for (const next of targets.get(node) ?? []) {
      if (!targets.has(next)) continue
      if (!order.has(next)) visit(next)
      if (path.includes(next)) lowest.set(node, Math.min(lowest.get(node)!, lowest.get(next)!))
    }
    if (lowest.get(node) !== order.get(node)) return
    const circle = path.splice(path.indexOf(node))
    if (circle.length > 1) circles.push(circle)
  }
  for (const node of targets.keys()) if (!order.has(node)) visit(node)
  return circles
}

const EXPORT = /^export (?:async )?(?:abstract )?(?:function\*?|const|let|class|interface|type) (\w+)/gm

/** One name, found by one search. */
export function noNameStandsTwice(files: readonly SourceFile[]): Finding[] {
  const places = new Map<string, string[]>()
  for (const { path, text } of files) {
    for (const [, name] of text.matchAll(EXPORT)) places.set(name!, [...(places.get(name!) ?? []), path])
  }
  return [...places].flatMap(([name, paths]) => {
    const others = [...new Set(paths)]
    if (others.length < 2) return []
    return [`${others[0]}:1: the exported name "${name}" stands in ${others.slice(1).join(', ')} as well; rename one`]
  })
}

const INTERFACE = /^export interface (\w+)[^{]*\{\n([\s\S]*?)^\}/gm
/** A method, or a property that is a function: two spaces deep, the members of the interface itself. */
const MEMBER = /^ {2}(?:readonly )?(\w+)\??(?:\(|<[^>]*>\(|: (?:\([^)]*\) =>|<))/gm

/** What an interface promises costs every implementation: it must be worth a call outside tests. */
export function membersAreCalled(files: readonly SourceFile[]): Finding[] {
  const all = files.map(({ text }) => withoutComments(text)).join('\n')
  const called = new Set([...all.matchAll(/\.(\w+)\b/g)].map((match) => match[1]!))
  // Destructured parameters and variables, also renamed ones.
  for (const [, names] of all.matchAll(/\{([^{}]*)\}\s*(?:=[^=>]|:\s*(?:Pick|Readonly|Omit)?<?[A-Z])/g)) {
    for (const [, name] of names!.matchAll(/(\w+)/g)) called.add(name!)
  }
  return files.flatMap(({ path, text }) =>
    [...text.matchAll(INTERFACE)].flatMap(([, holder, body]) =>
      [...withoutComments(body!).matchAll(MEMBER)].flatMap(([, member]) =>
        called.has(member!) ? [] : [`${path}:1: nothing in production calls ${holder}.${member}; remove it`],
      ),
    ),
  )
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')
}
