/** `devpi push`: copies a release to another index of the server, or lets the server upload it to a repository outside. */
import { join } from 'node:path'
import { readRequirement } from '../../locks/requirement.ts'
import { candidates } from '../../pep/filename.ts'
import { asVersion } from '../../pep/version.ts'
import { beginSession } from '../begin-session.ts'
import { asFile } from '../client-url.ts'
import type { CliContext } from '../context.ts'
import { readRepository } from '../installers/pypirc.ts'
import { pythonQuoted } from '../output.ts'
import { statusLine } from '../reply.ts'
import type { GenericOptions, Session } from '../session.ts'
import { readIfThere } from '../state-file.ts'

export interface PushOptions extends GenericOptions {
  /** False for `--no-docs`. */
  readonly docs?: boolean
  readonly onlyDocs?: boolean
  readonly pypirc?: string
  readonly registerProject?: boolean
}

/** What a row of the server's log may begin with; 410 is how the public index answers a registration. */
const DONE = new Set([200, 201, 410])

export async function push(context: CliContext, spec: string, target: string, options: PushOptions): Promise<void> {
  await using session = await beginSession(context, options)
  const { out } = session
  const index = session.requireIndex()
  const isOutside = target.startsWith('pypi:')
  const where = isOutside ? await outside(session, target.slice('pypi:'.length), options) : inside(session, target)
  const send = { ...where, ...releaseOf(session, spec), ...choiceOfFiles(session, options) }
  const refusal = isOutside ? 'reply' : 'end'
  const reply = await session.api({ method: 'PUSH', url: asFile(index), send, refusal })
  let isFailed = reply.status >= 400
  if (isFailed) out.error(`${reply.method} ${reply.url.href}\n${statusLine(reply)}`)
  const rows = reply.json?.type === 'actionlog' && Array.isArray(reply.json.result) ? reply.json.result : []
  for (const row of rows) {
    const words = Array.isArray(row) ? row.map((word) => (typeof word === 'string' ? word : JSON.stringify(word))) : []
    const isDone = DONE.has(Number(words[0]))
    isFailed ||= !isDone
    for (const line of words.join(' ').split('\n')) {
      if (isDone) out.line(`   ${line}`)
      else out.error(`   ${line}`)
    }
  }
  if (options.json) out.json(rows)
  if (isFailed) throw out.failure('Failure during upload')
}

function inside({ out }: Session, target: string): object {
  if (target.split('/').length === 2) return { targetindex: target }
  throw out.failure(`target ${pythonQuoted(target)} not of form USER/NAME or pypi:REPONAME`)
}

async function outside(session: Session, name: string, options: PushOptions): Promise<object> {
  const { out, home, terminal } = session
  const path = options.pypirc === undefined ? join(home, '.pypirc') : session.path(options.pypirc)
  const text = await readIfThere(path)
  if (text === undefined) throw out.failure(`no pypirc file found at: ${path}`)
  out.info(`using pypirc ${path}`)
  const { url, isDefault, username, password } = repository(session, text, name)
  if (isDefault) out.info(`using default pypi url ${url.href}`)
  const secret = password ?? (await terminal.askSecret(`password for user ${username} at ${url.href}: `))
  if (secret === undefined) throw out.failure(`Cannot push: no password for ${username}; write one into ${path}`)
  if (options.registerProject) requireFeature(session, 'push-register-project', '--register-project')
  return {
    posturl: url.href,
    username,
    password: secret,
    ...(options.registerProject && { register_project: true }),
  }
}

function repository({ out }: Session, text: string, name: string) {
  try {
    return readRepository(text, name)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw out.failure(`Error while trying to read section ${pythonQuoted(name)}: ${error.message}`)
  }
}

/** `NAME==VERSION`, or `NAME-VERSION` as devpi took it long ago. */
function releaseOf(session: Session, spec: string): { name: string; version: string } {
  const { out } = session
  const [former] = spec.includes('==') ? [] : candidates(`${spec}.zip`).filter(({ version }) => asVersion(version))
  if (former !== undefined) {
    out.warn('Old style package specification is deprecated, use this form: your-pkg-name==your.version.specifier')
    return { name: former.project, version: former.version }
  }
  const requirement = readRequirement(spec)
  const version = /^==\s*([^=,\s]+)$/.exec(requirement?.specifier ?? '')?.[1]
  if (requirement === undefined || version === undefined) {
    throw out.failure('The release specification needs to be of this form: name==version')
  }
  return { name: requirement.name, version }
}

function choiceOfFiles(session: Session, { docs, onlyDocs }: PushOptions): object {
  if (docs === false && onlyDocs) throw session.out.failure("Can't use '--no-docs' and '--only-docs' together.")
  if (docs === false) requireFeature(session, 'push-no-docs', '--no-docs')
  if (onlyDocs) requireFeature(session, 'push-only-docs', '--only-docs')
  return { ...(docs === false && { no_docs: true }), ...(onlyDocs && { only_docs: true }) }
}

function requireFeature({ out, state }: Session, feature: string, option: string): void {
  if (state.features.includes(feature)) return
  throw out.failure(`The server doesn't support the '${option}' option, 6.14.0 or newer required.`)
}
