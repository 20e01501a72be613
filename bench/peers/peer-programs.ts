/** Programs from the Python index that the benchmark starts, in an environment of their own. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type PythonEnvironment, preparePythonEnvironment } from '../../test/programs/python-environment.ts'
import { CHECKOUT } from '../../test/programs/server-process.ts'

const PEERS: PythonEnvironment = {
  folder: join(CHECKOUT, '.cache', 'peers'),
  pins: join(import.meta.dirname, '..', 'peers.txt'),
  holds: 'the servers that the benchmark compares',
  oldest: [3, 11],
}

/** The absolute path of a program. Builds the environment first where it is missing: a minute, and the network. */
export async function peerProgram(program: string): Promise<string> {
  await preparePythonEnvironment((line) => process.stderr.write(`${line}\n`), PEERS)
  return join(PEERS.folder, 'bin', program)
}

/** As pinned. */
export async function pinnedVersion(project: string): Promise<string> {
  const pins = await readFile(PEERS.pins, 'utf8')
  return pins
    .split('\n')
    .find((line) => line.startsWith(`${project}==`))!
    .split('==')[1]!
}
