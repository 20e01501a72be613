/** The real Bandersnatch, as operators run it: a configuration file and a folder. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { cleanEnv, cleanPath } from './clean-env.ts'
import { type PythonEnvironment, preparePythonEnvironment } from './python-environment.ts'
import { type Outcome, runProgram } from './run-program.ts'
import { CHECKOUT } from './server-process.ts'

const BANDERSNATCH: PythonEnvironment = {
  folder: join(CHECKOUT, '.cache', 'bandersnatch'),
  pins: join(import.meta.dirname, 'bandersnatch.txt'),
  holds: 'Bandersnatch and its libraries',
  oldest: [3, 12],
}

export interface Bandersnatch {
  /** What it wrote below `web/packages`, with `/` between folders, in order. */
  packages(): Promise<readonly string[]>
  /** A file below the mirror's folder. */
  read(path: string): Promise<Buffer>
  /** Runs a command to its end. Never throws because of its exit code. */
  run(...args: readonly string[]): Promise<Outcome>
}

/** Works in `home`, mirrors `packages` from `master`, JSON and core metadata included. Builds its environment where it is missing. */
export async function bandersnatch(
  home: string,
  { master, packages }: { readonly master: string; readonly packages: readonly string[] },
): Promise<Bandersnatch> {
  await preparePythonEnvironment(undefined, BANDERSNATCH)
  const folder = join(home, 'mirror')
  await mkdir(folder, { recursive: true })
  const lines = (address: string) => [
    [
      '[mirror]',
      `directory = ${folder}`,
      `master = ${address}`,
      'allow-non-https = true',
      'json = true',
      'workers = 3',
    ],
    ['timeout = 60', 'stop-on-error = true', 'hash-index = false', 'verifiers = 3', 'storage-backend = filesystem'],
    ['[plugins]', 'enabled =', '    allowlist_project'],
    ['[allowlist]', 'packages =', ...packages.map((name) => `    ${name}`)],
  ]
  // `verify` takes no other scheme, whatever the configuration allows; in a dry run it asks nobody.
  const schemes = { http: master, https: master.replace(/^http:/, 'https:') }
  for (const [scheme, address] of Object.entries(schemes)) {
    await writeFile(join(home, `${scheme}.conf`), `${lines(address).flat().join('\n')}\n`)
  }
  const bin = join(BANDERSNATCH.folder, 'bin')
  const env = cleanEnv(home, { PATH: cleanPath(bin), PYTHONUTF8: '1' })
  return {
    run: (...args) => {
      const config = join(home, args[0] === 'verify' ? 'https.conf' : 'http.conf')
      const options = { cwd: home, env, timeoutMs: 180_000 }
      return runProgram(join(bin, 'bandersnatch'), ['--config', config, ...args], options)
    },
    read: (path) => readFile(join(folder, path)),
    packages: async () => {
      const base = join(folder, 'web', 'packages')
      const found = await readdir(base, { recursive: true, withFileTypes: true })
      const files = found.filter((each) => each.isFile())
      return files.map((each) => join(each.parentPath, each.name).slice(base.length + 1)).sort()
    },
  }
}
