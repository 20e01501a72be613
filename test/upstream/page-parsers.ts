/** pip's and pypi-simple's own parsers of project pages, in an environment of their own, compared with what upstream's JSON says. */
import { join } from 'node:path'
import { cleanEnv } from '../programs/clean-env.ts'
import { type PythonEnvironment, preparePythonEnvironment } from '../programs/python-environment.ts'
import { runProgram } from '../programs/run-program.ts'
import { CHECKOUT } from '../programs/server-process.ts'

type PageParser = 'pip of JSON' | 'pip of HTML' | 'pypi-simple of JSON' | 'pypi-simple of HTML'

export interface Comparison {
  readonly pages: number
  readonly files: number
  /** How many values of each field were there to compare. */
  readonly fields: Readonly<Record<PageParser, Readonly<Record<string, number>>>>
  /** The first of them, in sentences. */
  readonly differences: readonly string[]
  readonly differenceCount: number
}

const PARSERS: PythonEnvironment = {
  folder: join(CHECKOUT, '.cache', 'page-parsers'),
  pins: join(import.meta.dirname, 'page-parsers.txt'),
  holds: "pypi-simple's and pip's parsers",
}
const RUN_MS = 5 * 60_000

/** Builds the environment where it does not stand: some seconds, and the network. */
export async function preparePageParsers(): Promise<void> {
  await preparePythonEnvironment(undefined, PARSERS)
}

/**
 * Compares the pages of `names` that `folder` holds: `NAME.upstream.json` as upstream wrote it, `NAME.json` and `NAME.html` as the server
 * under test did. Throws when a parser refuses a page.
 */
export async function comparePages(folder: string, names: readonly string[]): Promise<Comparison> {
  const script = join(import.meta.dirname, 'page_parsers.py')
  const run = await runProgram(join(PARSERS.folder, 'bin', 'python'), [script, folder], {
    cwd: folder,
    env: cleanEnv(folder, { PYTHONUTF8: '1' }),
    input: names.join('\n'),
    timeoutMs: RUN_MS,
  })
  if (run.code !== 0) throw new Error(`Cannot parse the pages of ${names.length} projects:\n${run.output.slice(-4000)}`)
  return JSON.parse(run.stdout) as Comparison
}

/** Of all parts together. */
export function addUp(parts: readonly Comparison[]): Comparison {
  const fields: Record<string, Record<string, number>> = {}
  for (const part of parts)
    for (const [parser, counts] of Object.entries(part.fields))
      for (const [field, count] of Object.entries(counts)) {
        fields[parser] ??= {}
        fields[parser][field] = (fields[parser][field] ?? 0) + count
      }
  return {
    pages: parts.reduce((sum, part) => sum + part.pages, 0),
    files: parts.reduce((sum, part) => sum + part.files, 0),
    fields: fields as Comparison['fields'],
    differences: parts.flatMap((part) => part.differences),
    differenceCount: parts.reduce((sum, part) => sum + part.differenceCount, 0),
  }
}
