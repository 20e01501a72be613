/** Test results that devpi keeps beside a file, for `devpi list -t` and `-f`. */

import { asObject } from '../../lib/json-object.ts'
import type { ReleaseLink } from '../release-links.ts'
import type { Session } from '../session.ts'

interface Command {
  readonly text: string
  readonly output: string
  readonly isFailed: boolean
}

interface ToxEnvironment {
  readonly prefix: string
  readonly python: string | undefined
  readonly setup: readonly Command[]
  readonly test: readonly Command[]
}

/** Shows the newest result for each host, platform and tox environment; with `withLogs` the output of what failed. */
export async function showToxResults(
  session: Session,
  links: readonly ReleaseLink[],
  withLogs: boolean,
): Promise<void> {
  const { out } = session
  const seen = new Set<string>()
  for (const { href } of links.toReversed()) {
    const reply = await session.fetch({ method: 'GET', url: new URL(href) })
    const environments = reply.status === 200 && reply.json ? environmentsOf(reply.json) : undefined
    if (environments === undefined) {
      out.error(`corrupt toxresult, skipping: ${href}`)
      continue
    }
    for (const environment of environments) {
      if (seen.has(environment.prefix)) continue
      seen.add(environment.prefix)
      show(session, environment, withLogs)
    }
  }
}

function show({ out }: Session, { prefix, python, setup, test }: ToxEnvironment, withLogs: boolean): void {
  const log = (commands: readonly Command[]) => {
    for (const { text, output, isFailed } of withLogs ? commands : []) {
      if (!isFailed) {
        out.info(`    OK:  ${text}`)
        continue
      }
      out.error(`    FAIL: ${text}`)
      for (const line of output.split('\n')) out.error(`    ${line}`)
      return
    }
  }
  if (setup.length === 0) out.error(`${prefix} no setup was performed`)
  else if (setup.some(({ isFailed }) => isFailed)) {
    out.error(`${prefix} setup failed`)
    log(setup)
  }
  const full = python === undefined ? prefix : `${prefix} ${python}`
  if (test.length === 0) out.error(`${full} no tests were run`)
  else if (test.some(({ isFailed }) => isFailed)) {
    out.error(`${full} tests failed`)
    log(test)
  } else out.line(`${full} tests passed`)
}

/** `undefined` when the result lacks what every tox result has. */
function environmentsOf(result: Readonly<Record<string, unknown>>): readonly ToxEnvironment[] | undefined {
  const { host, platform, testenvs } = result
  if (typeof host !== 'string' || typeof platform !== 'string' || testenvs === undefined) return undefined
  return Object.entries(asObject(testenvs))
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => {
      const { python, setup, test } = asObject(value)
      const version = asObject(python).version
      return {
        prefix: `${host.padEnd(10)} ${platform.padEnd(7)} ${name.padEnd(10)}`,
        python: typeof version === 'string' ? version.trim().split(/\s+/)[0] : undefined,
        setup: commandsOf(setup),
        test: commandsOf(test),
      }
    })
}

function commandsOf(value: unknown): readonly Command[] {
  if (!Array.isArray(value)) return []
  return value.map((item: unknown) => {
    const { command, output, retcode } = asObject(item)
    return {
      text: Array.isArray(command) ? command.join(' ') : '',
      output: typeof output === 'string' ? output : '',
      isFailed: retcode !== null && retcode !== undefined && Number(retcode) !== 0,
    }
  })
}
