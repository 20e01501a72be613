/** reStructuredText to HTML that still has to be cleaned. */
import { RstToHtmlCompiler } from 'rst-compiler'

/** Throws for text that is not reStructuredText, or uses directives or roles that documents on their own cannot have. */
export function htmlOfRst(text: string): string {
  const compiler = new RstToHtmlCompiler()
  compiler.useDirectiveGenerator({
    directives: ['math'],
    generate: (state, node) => state.writeLine(`<pre>${escapeText(node.rawBodyText)}</pre>`),
  })
  compiler.useInterpretedTextGenerator({
    roles: ['math'],
    generate: (state, node) => state.writeTextWithLinePrefix(`<code>${escapeText(node.textContent)}</code>`),
  })
  return compiler.compile(readable(text), { disableWarnings: true }, { disableWarnings: true }).body
}

/** Writes what docutils takes and the compiler does not in the way that it takes. */
function readable(text: string): string {
  const lines = text.replace(/\r\n?/g, '\n').replaceAll('\t', '        ').split('\n')
  const targets = new Map<string, string>()
  for (const line of lines) {
    const [, quoted, plain, address] = /^\.\. _(?:`([^`]+)`|([^:`]+)): +(https?:\S+)$/.exec(line) ?? []
    const label = quoted ?? plain
    if (label !== undefined && address !== undefined) targets.set(referenceName(label), address)
  }
  return lines
    .filter((line) => !/^\.\. (?:sectnum|section-numbering)::/.test(line))
    .map((line) => {
      const [, head, quoted, plain] = /^( +:target: )(?:`([^`]+)`|([\w.-]+))_ *$/.exec(line) ?? []
      const address = targets.get(referenceName(quoted ?? plain ?? ''))
      if (head !== undefined && address !== undefined) return head + address
      return line.replace(/^( *\.\. )sourcecode::/, '$1code-block::')
    })
    .join('\n')
}

/** docutils' reference names ignore case and runs of white space. */
function referenceName(label: string): string {
  return label.trim().toLowerCase().replace(/\s+/g, ' ')
}

function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
