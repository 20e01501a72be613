/** The commands that people copy from a page. */

import type { Frame } from '../../browse/views.ts'
import { type Html, html } from '../html.ts'
import { indexHref, simpleHref } from '../links.ts'

/** `pip install` and `uv pip install` from `index` (`user/index`), for a requirement such as `flask==3.1.3`. */
export function installLines(frame: Frame, index: string, requirement: string): Html {
  const address = shellWord(simpleHref(`${frame.serverUrl}/`, index))
  const wanted = shellWord(requirement)
  const trusted = trustedHost(frame.serverUrl)
  const trust = trusted === undefined ? '' : ` --trusted-host ${shellWord(trusted)}`
  return html`<div class="lines">
${line('pip', `pip install --index-url ${address}${trust} ${wanted}`)}
${line('uv', `uv pip install --index-url ${address} ${wanted}`)}
</div>`
}

/** How files come onto a stage: devpi's client, and what speaks the legacy upload API. */
export function uploadLines(frame: Frame, index: string): Html {
  const address = shellWord(indexHref(`${frame.serverUrl}/`, index))
  return html`<div class="lines">
${line('devpi', `devpi use ${address} && devpi upload dist/*`)}
${line('twine', `twine upload --repository-url ${address}/ dist/*`)}
${line('uv', `uv publish --publish-url ${address}/`)}
</div>`
}

/** One labelled command. */
export function line(label: string, command: string): Html {
  return html`<div class="line"><span class="tool">${label}</span><pre><code>${command}</code></pre></div>`
}

/**
 * The host that pip must be told to trust: one spoken to over plain http that is not the machine itself (pip's "secure
 * origins" are https, localhost and 127.0.0.0/8). `undefined` where pip needs nothing.
 */
export function trustedHost(serverUrl: string): string | undefined {
  const { protocol, hostname } = new URL(serverUrl)
  if (
    protocol !== 'http:' ||
    hostname === 'localhost' ||
    hostname === '[::1]' ||
    /^127\.\d+\.\d+\.\d+$/.test(hostname)
  ) {
    return undefined
  }
  return hostname
}

/** A word for POSIX shells, quoted only where needed. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./[\]-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}
