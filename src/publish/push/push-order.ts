/** Parses the request of a push: devpi's JSON object. */
import { Problem } from '../../model/errors.ts'

export interface PushOrder {
  /** As it was sent; perhaps the name of no project. */
  readonly name: string
  /** As it was sent: a release is found by the very text it was registered with. */
  readonly version: string
  readonly isWithoutDocs: boolean
  readonly isDocsOnly: boolean
  /** `user/index` on this server; absent where the release goes elsewhere. */
  readonly target?: string
  /** What else was sent. */
  readonly rest: Readonly<Record<string, unknown>>
}

/** An index elsewhere, and who the server is there. */
export interface Elsewhere {
  readonly url: URL
  readonly username: string
  readonly password: string
  /** Whether the release is registered first, as old indexes want it. */
  readonly registers: boolean
}

/** Throws `bad-request`. */
export function readPushOrder(sent: Readonly<Record<string, unknown>>): PushOrder {
  const { name, version, no_docs, only_docs, targetindex, ...rest } = sent
  if (typeof name !== 'string' || typeof version !== 'string') {
    throw badRequest('no name/version specified', 'send {"name": …, "version": …, "targetindex": "user/index"}')
  }
  if (targetindex !== undefined && targetindex !== null && typeof targetindex !== 'string') {
    throw new Problem('bad-request', NO_TARGET)
  }
  return {
    name,
    version,
    isWithoutDocs: Boolean(no_docs),
    isDocsOnly: Boolean(only_docs),
    ...(typeof targetindex === 'string' && { target: targetindex }),
    rest,
  }
}

/** The index of this server that the release goes to. Throws `bad-request`. */
export function targetOf({ target = '', rest }: PushOrder): string {
  const unknown = Object.keys(rest).sort()
  if (unknown.length > 0) throw new Problem('bad-request', `unknown additional options: ${unknown.join(', ')}`)
  if (target.split('/').length !== 2) throw new Problem('bad-request', NO_TARGET)
  return target
}

/** The index elsewhere that the release goes to; what else was sent is passed over, as devpi does. Throws `bad-request`. */
export function elsewhereOf({ rest }: PushOrder): Elsewhere {
  const { posturl, username, password, register_project } = rest
  if (typeof posturl !== 'string') throw badRequest('no targetindex/posturl specified', 'say where the release goes')
  if (typeof username !== 'string' || typeof password !== 'string') {
    throw badRequest(
      'no username/password specified',
      'give the user name and password for that index; both may be empty',
    )
  }
  const url = URL.parse(posturl)
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw badRequest('posturl is no http or https address', 'send the address that takes uploads there')
  }
  return { url, username, password, registers: Boolean(register_project) }
}

const NO_TARGET = 'targetindex not in format user/index'

function badRequest(what: string, hint: string): Problem {
  return new Problem('bad-request', `Bad request: ${what}`, { hint })
}
