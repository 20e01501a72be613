/** Every address and method of the app by which something could be changed, as the app registers them: none can be forgotten. */
import { subscribe } from 'node:diagnostics_channel'

export interface ChangingRoute {
  readonly method: string
  /** With its parameters (`/:user/:index`). */
  readonly pattern: string
  /** With values for them. */
  readonly path: string
}

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS'])

const VALUES: Readonly<Record<string, string>> = {
  user: 'alice',
  index: 'dev',
  project: 'acme',
  version: '1.0',
  group: 'staff',
  id: '1',
  first: 'abc',
  second: '0123456789abc',
  folder: 'abcdef',
  filename: 'acme-1.0.tar.gz',
  session: '6f1c7b9c-2d3e-4f50-8a61-7b8c9d0e1f20',
  file: '0a1b2c3d-4e5f-4061-8273-8495a6b7c8d9',
}

/** To be called before the app is made; the list fills as it is. */
export function watchChangingRoutes(): readonly ChangingRoute[] {
  const found: ChangingRoute[] = []
  subscribe('fastify.initialization', (message) => {
    const { fastify } = message as { fastify: { addHook(name: string, hook: (route: Route) => void): void } }
    fastify.addHook('onRoute', ({ method, url }) => {
      for (const each of [method].flat()) {
        if (!SAFE.has(each)) found.push({ method: each, pattern: url, path: filled(url) })
      }
    })
  })
  return found
}

interface Route {
  readonly method: string | string[]
  readonly url: string
}

/** Throws for a parameter without a value here. */
function filled(pattern: string): string {
  return pattern.replace(/:(\w+)/g, (_all, name: string) => {
    const value = VALUES[name]
    if (value === undefined) throw new Error(`Cannot fill in :${name} of ${pattern}: give it a value in VALUES`)
    return value
  })
}
