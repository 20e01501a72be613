/** `devpi use`: shows and sets the server, the index, the virtual environment and the installers' configuration. */
import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { asObject } from '../../lib/json-object.ts'
import { beginSession } from '../begin-session.ts'
import { asHttpUrl, below, isSamePlace, withCredentials } from '../client-url.ts'
import type { CliContext } from '../context.ts'
import { chooseIndex } from '../index-choice.ts'
import { configFiles, describeConfig, setIndex } from '../installers/config-files.ts'
import { pipPlaces } from '../installers/pip-conf.ts'
import { chosenVenv } from '../installers/venv-choice.ts'
import { shownValue } from '../output.ts'
import { resultOf } from '../reply.ts'
import type { GenericOptions, Session } from '../session.ts'

export interface UseOptions extends GenericOptions {
  readonly local?: boolean
  readonly setCfg?: boolean
  readonly alwaysSetCfg?: 'yes' | 'no'
  readonly pipSetTrusted: 'yes' | 'no' | 'auto'
  readonly venv?: string
  readonly urls?: boolean
  readonly list?: boolean
  readonly user?: string
  readonly delete?: boolean
  readonly clientCert?: string
}

export async function use(context: CliContext, given: string | undefined, options: UseOptions): Promise<void> {
  await using session = await beginSession(context, options, given)
  const { out } = session
  const trust = { choice: options.pipSetTrusted }
  if (options.local) await moveToVenv(session)
  if (options.delete) return await forget(session)
  out.debug(
    existsSync(session.state.currentPath) ? `current: ${session.state.currentPath}` : 'no current file, using defaults',
  )
  if (given !== undefined && (options.list || options.urls)) session.state.keepsIndex = false
  if (given !== undefined || session.state.index) {
    await chooseIndex(session, given, { certificate: options.clientCert, trust })
    warnOfRewrittenUrl(session, given)
  }
  if (options.list) return await listIndexes(session, options.user)

  const user = await checkedUser(session, options.user)
  const venv = await showPlace(session, user, options)
  await showAndSetConfig(session, venv, trust.choice === 'yes', options)
  if (options.json) out.json(describe(session, user, venv))
}

/** The user logged in, once the server has said that the login still counts. */
async function checkedUser(session: Session, asked: string | undefined): Promise<string | undefined> {
  const { state } = session
  const user = state.loggedInUser(asked)
  if (user === undefined || state.root === undefined) return undefined
  if (asked !== undefined && user !== state.username) await state.setUser(user)
  const reply = await session.api({ method: 'GET', url: below(state.root, '+api') })
  const { authstatus } = resultOf(reply)
  if (!Array.isArray(authstatus) || authstatus[0] === 'ok') return user
  await state.dropLogin()
  return undefined
}

/** Says where we are; gives the virtual environment that installs and settings are meant for. */
async function showPlace(session: Session, user: string | undefined, options: UseOptions): Promise<string | undefined> {
  const { out, state } = session
  const login = user === undefined ? 'not logged in' : `logged in as ${user}`
  if (state.root === undefined) {
    out.line("no server: type 'devpi use URL' with a URL pointing to a server or directly to an index.")
  } else if (state.index === undefined) {
    out.info(`using server: ${state.root.href} (${login})`)
    out.error("no current index: type 'devpi use -l' to discover indices")
  } else {
    out.info(`current devpi index: ${state.index.href} (${login})`)
    if (options.urls || options.debug) {
      for (const name of ['login', 'pypisubmit', 'simpleindex'] as const) {
        out.info(`${name.padStart(19)}: ${shownValue(state[name]?.href ?? null)}`)
      }
    }
    if (state.features.length > 0) out.info(`supported features: ${state.features.toSorted().join(', ')}`)
    await session.checkIndexAccess()
  }
  const venv = await chosenVenv(session, options.venv)
  if (venv !== undefined) out.info(`venv for install/set commands: ${venv}`)
  return venv
}

async function showAndSetConfig(
  session: Session,
  venv: string | undefined,
  trusted: boolean,
  options: UseOptions,
): Promise<void> {
  const { out, state } = session
  if (options.alwaysSetCfg !== undefined) await state.setConfigHabit(options.alwaysSetCfg === 'yes', trusted)
  const surroundings = { env: session.context.env, home: session.home, venv }
  const { path, moveTo } = pipPlaces(surroundings)
  if (moveTo !== undefined)
    out.warn(`Detected pip config at legacy location: ${path}\nYou should move it to: ${moveTo}`)
  if (venv !== undefined) out.line('only setting venv pip/uv config, no global configuration changed')

  const files = configFiles(surroundings)
  if (options.setCfg || state.alwaysSetsConfig) {
    if (state.index === undefined || state.simpleindex === undefined) {
      out.error('no index configured: cannot set pip/easy_install index')
    } else {
      const credentials = state.basicAuthFor(state.index)
      const full = (url: URL) => (credentials ? withCredentials(url, credentials) : url)
      const search = new URL(`${state.index.href.replace(/\/*$/, '')}/`)
      const remembered = options.pipSetTrusted !== 'no' && state.setsTrusted
      const index = { simple: full(state.simpleindex), search: full(search), trusted: trusted || remembered }
      for (const file of files) {
        if (!(await setIndex(file, index))) out.warn(`${file.path} is no ordinary file and was left as it is`)
      }
    }
  }
  for (const file of files) out.info(await describeConfig(file))
  out.line(`always-set-cfg: ${state.alwaysSetsConfig ? 'yes' : 'no'}`)
}

async function moveToVenv(session: Session): Promise<void> {
  const { out, state, activeVenv } = session
  if (activeVenv === undefined) throw out.failure('Using --local is only valid in an active virtualenv.')
  const path = join(activeVenv, 'devpi.json')
  if (existsSync(path)) return
  out.info(`Creating local configuration at ${path}`)
  session.state = state.movedTo(path)
  await session.state.save()
}

async function forget(session: Session): Promise<void> {
  const { currentPath } = session.state
  if (!existsSync(currentPath)) throw session.out.failure('NO configuration found')
  await rm(currentPath)
  session.out.info(`REMOVED configuration at ${currentPath}`)
}

async function listIndexes(session: Session, user: string | undefined): Promise<void> {
  const { out, state } = session
  if (state.root === undefined) throw out.failure('not connected to any server')
  const reply = await session.api({ method: 'GET', url: user === undefined ? state.root : below(state.root, user) })
  const users = user === undefined ? resultOf(reply) : { [user]: resultOf(reply) }
  if (session.options.json) out.json(users)
  for (const [name, config] of Object.entries(users).toSorted(byKey)) {
    for (const [index, options] of Object.entries(asObject(asObject(config).indexes)).toSorted(byKey)) {
      const { bases, volatile } = asObject(options)
      out.info(
        `${`${name}/${index}`.padEnd(15)} bases=${shownValue(bases ?? []).padEnd(15)} volatile=${shownValue(volatile ?? null)}`,
      )
    }
  }
}

function warnOfRewrittenUrl(session: Session, given: string | undefined): void {
  const asked = given === undefined ? undefined : asHttpUrl(given)
  const got = session.state.index ?? session.state.root
  if (asked && got && !isSamePlace(asked, got)) session.out.warn(`The server has rewritten the url to: ${got.href}`)
}

function describe(session: Session, user: string | undefined, venv: string | undefined): object {
  const { state } = session
  return {
    root: state.root?.href ?? null,
    index: state.index?.href ?? null,
    simpleindex: state.simpleindex?.href ?? null,
    pypisubmit: state.pypisubmit?.href ?? null,
    features: state.features,
    user: user ?? null,
    venv: venv ?? null,
    alwaysSetCfg: state.alwaysSetsConfig,
  }
}

function byKey([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : a > b ? 1 : 0
}
