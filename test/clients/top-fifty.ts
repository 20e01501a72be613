/** The newest sdist and one wheel of each of the fifty most downloaded projects, as `scripts/top-fifty.ts` has found them. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type RealUpstream, realUpstream } from '../upstream/real-upstream.ts'

export interface TopFile {
  readonly project: string
  readonly filename: string
  readonly sha256: string
  readonly sizeBytes: number
}

export interface PageFile {
  readonly filename: string
  readonly url: string
  readonly size?: number
  readonly yanked?: boolean | string
  readonly hashes: Readonly<Record<string, string>>
}

/** By downloads of a month, as the public index's own statistics have them; a few that only Google's or Amazon's tools pull are left out. */
export const TOP_FIFTY = [
  ...['boto3', 'packaging', 'urllib3', 'setuptools', 'requests', 'certifi', 'charset-normalizer', 'idna'],
  ...['typing-extensions', 'python-dateutil', 'botocore', 's3transfer', 'six', 'numpy', 'pyyaml', 'aiobotocore'],
  ...['s3fs', 'fsspec', 'cryptography', 'pydantic', 'cffi', 'pycparser', 'pandas', 'click', 'attrs', 'grpcio-status'],
  ...['importlib-metadata', 'pip', 'jmespath', 'markupsafe', 'rsa', 'pyasn1', 'wheel', 'protobuf', 'zipp', 'pytz'],
  ...['jinja2', 'platformdirs', 'pyjwt', 'colorama', 'virtualenv', 'filelock', 'google-api-core', 'pluggy', 'pytest'],
  ...['aiohttp', 'wrapt', 'pydantic-core', 'tomli', 'pyparsing'],
]

const LIST = join(import.meta.dirname, 'top-fifty.json')

/** The list that is kept beside this file. */
export function topFiles(): readonly TopFile[] {
  return JSON.parse(readFileSync(LIST, 'utf8')) as readonly TopFile[]
}

/** Bytes by filename, each fetched once and kept. */
export async function openTopFiles(): Promise<AsyncDisposable & { read(file: TopFile): Promise<Buffer> }> {
  await using stack = new AsyncDisposableStack()
  // What a page said once of a file is true for ever; only a file that is newer than the page makes it fetched again.
  const kept = stack.use(await realUpstream({ pageAgeMs: Number.POSITIVE_INFINITY }))
  const fresh = stack.use(await realUpstream({ pageAgeMs: 0 }))
  const opened = stack.move()
  return {
    async read({ project, filename }) {
      const named = (files: readonly PageFile[]) => files.find((file) => file.filename === filename)
      const file = named(await filesOf(kept, project)) ?? named(await filesOf(fresh, project))
      if (file === undefined)
        throw new Error(`Cannot find "${filename}" upstream: run "bin/with-node scripts/top-fifty.ts"`)
      const answer = await fetch(file.url)
      if (answer.status !== 200) throw new Error(`Cannot fetch "${filename}": ${answer.status} ${await answer.text()}`)
      return Buffer.from(await answer.arrayBuffer())
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

export async function filesOf(upstream: RealUpstream, project: string): Promise<readonly PageFile[]> {
  const page = await fetch(`${upstream.url}${project}/`, { headers: { accept: 'application/vnd.pypi.simple.v1+json' } })
  if (page.status !== 200) throw new Error(`Cannot fetch the page of "${project}": ${page.status} ${await page.text()}`)
  const { files } = (await page.json()) as { files: readonly PageFile[] }
  return files
}
