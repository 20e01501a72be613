/** A fixture for devpi's client: a server that our executables made and run, and users with a HOME each. */
import assert from 'node:assert/strict'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { BuiltFile } from '../builders/wheels.ts'
import type { Env } from '../programs/clean-env.ts'
import {
  type DevpiClientOptions,
  type DevpiClientVersion,
  prepareDevpiClient,
  runDevpiClient,
} from '../programs/devpi-clients.ts'
import type { Outcome } from '../programs/run-program.ts'
import { programFetch } from '../world/program-fetch.ts'
import { tempFolder } from '../world/temp-folder.ts'
import { serveFolder } from './served-folder.ts'

type RunOptions = Omit<DevpiClientOptions, 'home'>

export interface DevpiPerson {
  readonly home: string
  /** Whatever comes of it. */
  devpi(args: readonly string[], options?: RunOptions): Promise<Outcome>
  /** Must end with 0, and have printed what fits each pattern. */
  does(args: readonly string[], says: readonly RegExp[], options?: RunOptions): Promise<Outcome>
  /** Must end with 1, and have printed what fits each pattern. */
  fails(args: readonly string[], says: readonly RegExp[], options?: RunOptions): Promise<Outcome>
  /** A program of the client's Python. */
  python(args: readonly string[], options?: RunOptions): Promise<Outcome>
  /** Writes files below HOME: path to content. Gives the first one's absolute path. */
  writes(files: Readonly<Record<string, string | Uint8Array>>): Promise<string>
  /** Writes an archive into HOME, and gives its absolute path. */
  keeps(file: BuiltFile): Promise<string>
  /** The text of a file below HOME. */
  reads(path: string): Promise<string>
}

export interface DevpiDesk extends AsyncDisposable {
  readonly version: DevpiClientVersion
  /** Without a trailing slash. */
  readonly url: string
  /** Somebody new, with a user and `dev`, an index, unless `isStranger`; uses that index then. */
  person(name: string, isStranger?: boolean): Promise<DevpiPerson>
  /** `result` of what the server answers, as root; `undefined` when it is not there. */
  state(path: string): Promise<Record<string, unknown> | undefined>
  /** Basenames of what lies on an index for a project by itself, sorted; `rel` is releasefile unless told. */
  files(index: string, project: string, rel?: string): Promise<string[]>
}

/** `upstream`: what root/pypi mirrors. */
export async function devpiDesk(version: DevpiClientVersion, env: Env = {}): Promise<DevpiDesk> {
  await prepareDevpiClient(version)
  // Its people push to other servers, which are on this machine as well.
  const served = await serveFolder({ AIRLOCK_OUTGOING_ALLOW: '127.0.0.1,localhost', ...env })
  const homes: AsyncDisposable[] = []
  const { url } = served

  async function state(path: string): Promise<Record<string, unknown> | undefined> {
    const authorization = `Basic ${Buffer.from('root:').toString('base64')}`
    const answer = await programFetch(`${url}/${path}`, { headers: { accept: 'application/json', authorization } })
    if (answer.status === 404 || answer.status === 410) return undefined
    assert.equal(answer.status, 200, await answer.clone().text())
    return ((await answer.json()) as { result: Record<string, unknown> }).result
  }

  return {
    version,
    url,
    state,
    async files(index, project, rel = 'releasefile') {
      const versions = (await state(`${index}/${project}?ignore_bases=`)) ?? {}
      const links = Object.values(versions).flatMap(
        (one) => (one as { '+links'?: { rel: string; href: string }[] })['+links'] ?? [],
      )
      return links
        .filter((link) => link.rel === rel)
        .map((link) => link.href.slice(link.href.lastIndexOf('/') + 1))
        .sort()
    },
    async person(name, isStranger = false) {
      const home = await tempFolder()
      homes.push(home)
      const person = personAt(version, home.path)
      await person.does(['use', url], [/using server: /])
      if (isStranger) return person
      await person.does(['user', '-c', name, `password=secret of ${name}`], [])
      await person.does(['login', name, '--password', `secret of ${name}`], [])
      await person.does(['index', '-c', 'dev'], [])
      await person.does(['use', 'dev'], [])
      return person
    },
    async [Symbol.asyncDispose]() {
      try {
        await served[Symbol.asyncDispose]()
      } finally {
        for (const home of homes) await home[Symbol.asyncDispose]()
      }
    },
  }
}

function personAt(version: DevpiClientVersion, home: string): DevpiPerson {
  const devpi = (args: readonly string[], options: RunOptions = {}) =>
    runDevpiClient(version, 'devpi', args, { home, ...options })
  async function ends(code: number, args: readonly string[], says: readonly RegExp[], options?: RunOptions) {
    const outcome = await devpi(args, options)
    const told = `devpi ${args.join(' ')}\n${outcome.output}`
    assert.equal(outcome.code, code, told)
    for (const pattern of says) assert.match(outcome.output, pattern, told)
    return outcome
  }
  return {
    home,
    devpi,
    does: (args, says, options) => ends(0, args, says, options),
    fails: (args, says, options) => ends(1, args, says, options),
    python: (args, options = {}) => runDevpiClient(version, 'python', args, { home, ...options }),
    async writes(files) {
      for (const [path, content] of Object.entries(files)) {
        await mkdir(dirname(join(home, path)), { recursive: true })
        await writeFile(join(home, path), content)
      }
      return join(home, Object.keys(files)[0]!)
    },
    async keeps(file) {
      const path = join(home, file.filename)
      await writeFile(path, file.bytes)
      return path
    },
    reads: (path) => readFile(join(home, path), 'utf8'),
  }
}
