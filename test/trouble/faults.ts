/** The faults of an upstream, each one a switch for tests. */
import type { Behaviour, FakeUpstream } from '../upstream/fake-upstream.ts'

export interface Fault {
  readonly name: string
  /** Makes every request for what begins with `path` go wrong. */
  begin(upstream: FakeUpstream, path: string): Promise<void>
  end(upstream: FakeUpstream): Promise<void>
  /** Upstream's own way of saying that something is not there: about a page it is an answer. */
  readonly saysAbsent?: true
  /** Slow, and right in the end. */
  readonly isRight?: true
}

function behaving(name: string, behaviour: Behaviour, more: Partial<Fault> = {}): Fault {
  return {
    name,
    begin: async (upstream, path) => upstream.misbehave(path, behaviour),
    end: async (upstream) => upstream.behave(),
    ...more,
  }
}

export const FAULTS: readonly Fault[] = [
  {
    name: 'refused',
    begin: (upstream) => upstream.pause(),
    end: (upstream) => upstream.resume(),
  },
  behaving('DNS fails', { kind: 'redirect', to: 'http://no-such-host.invalid/' }),
  {
    name: 'TLS fails',
    // The port is there and speaks no TLS.
    begin: async (upstream, path) =>
      upstream.misbehave(path, { kind: 'redirect', to: upstream.root.replace(/^http:/, 'https:') }),
    end: async (upstream) => upstream.behave(),
  },
  behaving('hangs before headers', { kind: 'hang' }),
  behaving('hangs in body', { kind: 'hang-body', afterBytes: 1 }),
  behaving('10 KB/s', { kind: 'trickle', bytesPerSecond: 10_000 }, { isRight: true }),
  behaving('cut before the first byte', { kind: 'cut', afterBytes: 0 }),
  behaving('cut in the middle', { kind: 'cut' }),
  behaving('cut before the last byte', { kind: 'cut', afterBytes: -1 }),
  behaving('wrong bytes', { kind: 'wrong-bytes' }),
  behaving('wrong length', { kind: 'wrong-length' }),
  behaving('wrong encoding header', { kind: 'wrong-encoding' }),
  behaving('404 after 200', { kind: 'status', status: 404 }, { saysAbsent: true }),
  behaving('403', { kind: 'status', status: 403 }),
  behaving('429 with Retry-After', { kind: 'status', status: 429, retryAfterSeconds: 1 }),
  behaving('500', { kind: 'status', status: 500 }),
  behaving('503', { kind: 'status', status: 503 }),
  behaving('redirect loop', { kind: 'redirect-loop' }),
  behaving('login page with 200', { kind: 'login-page' }),
  behaving('endless body', { kind: 'endless' }),
]
