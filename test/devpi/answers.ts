/** Sends the steps to a server, in order, and gives what it answered in normal form. */
import { createHash } from 'node:crypto'
import type { FakeUpstream } from '../upstream/fake-upstream.ts'
import { exchange } from './exchange.ts'
import type { ExternalIndex } from './external-index.ts'
import { type NormalAnswer, normalAnswer, type PageKind } from './normal-answer.ts'
import { requestBytes } from './request-bytes.ts'
import type { Step, StepGroup } from './step.ts'

/** One step and what came of it, as it is recorded. */
export interface Answer extends NormalAnswer {
  readonly title: string
  readonly request: string
  /** Of the whole step: a recording that was made of another one is out of date. */
  readonly stamp: string
}

export interface Stage {
  /** The server's own address, without a trailing slash. */
  readonly url: string
  readonly upstream: FakeUpstream
  readonly external: ExternalIndex
}

/** Answers by group, in order. Throws when a step cannot be sent. */
export async function answersOf(stage: Stage, groups: readonly StepGroup[]): Promise<Map<string, Answer[]>> {
  const variables = new Map([
    ['base', stage.url],
    ['upstream', stage.upstream.root],
    ['external', stage.external.url],
  ])
  const tokens = new Map<string, string>()
  const result = new Map<string, Answer[]>()
  for (const group of groups) {
    const answers: Answer[] = []
    for (const step of group.steps) {
      const bytes = requestBytes(step, new URL(stage.url).host, variables, tokens)
      const raw = await exchange(stage.url, bytes).catch((error: unknown) => {
        throw new Error(`Cannot send "${group.name}: ${step.title}"`, { cause: error })
      })
      if (raw !== undefined) remember(step, raw.body.toString('utf8'), raw.status)
      const received = stage.external.takeReceived()
      const places = {
        base: stage.url,
        upstream: stage.upstream.root,
        external: stage.external.url,
        tokens: [...tokens.values()],
        asked: askedAddress(step, stage.url),
      }
      const { title } = step
      const request = step.request.replaceAll(/a{1000,}/g, '<long name>')
      answers.push({ title, request, stamp: stampOf(step), ...normalAnswer(raw, received, places, pageKind(step)) })
    }
    result.set(group.name, answers)
  }
  return result

  function remember(step: Step, text: string, status: number): void {
    if (step.request === 'POST /+login' && status === 200) {
      const token = (JSON.parse(text) as { result?: { password?: unknown } }).result?.password
      const user = (step.json as { user?: unknown } | undefined)?.user
      if (typeof token === 'string' && typeof user === 'string') tokens.set(user, token)
    }
    if (step.keep === undefined) return
    const found = new RegExp(step.keep.pattern).exec(text)?.[1]
    variables.set(step.keep.name, found ?? 'nothing-was-found')
  }
}

/** With the outside address that the step's proxy tells, or else the server's own. */
function askedAddress({ request, headers }: Step, url: string): string {
  const path = request.slice(request.indexOf(' ') + 1)
  const outside = headers?.['x-outside-url']
  if (outside === undefined || !/^https?:/.test(outside)) return url + path
  const base = outside.replace(/\/+$/, '')
  const prefix = new URL(base).pathname
  return base + (path.startsWith(`${prefix}/`) ? path.slice(prefix.length) : path)
}

/** Installers may leave `+simple` out. */
function pageKind({ request, headers }: Step): PageKind {
  if (/\b(pip|uv|setuptools)\//.test(headers?.['user-agent'] ?? '')) return 'simple'
  return request.includes('+simple') ? 'simple-for-people' : 'page'
}

export function stampOf(step: Step): string {
  return createHash('sha256').update(JSON.stringify(step)).digest('hex').slice(0, 12)
}
