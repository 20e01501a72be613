/**
 * Sends the steps of `test/devpi` to a real devpi-server and writes down what it answers: `bin/with-node scripts/record-devpi.ts`.
 * Needed when the steps change, or the devpi-server that is spoken for. It sends them twice, and refuses what was not the same.
 */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { answersOf } from '../test/devpi/answers.ts'
import { GROUPS } from '../test/devpi/groups.ts'
import { writeRecording } from '../test/devpi/recording.ts'
import { withDevpi } from '../test/devpi/servers.ts'
import { CHECKOUT } from '../test/programs/server-process.ts'

const first = await withDevpi((stage) => answersOf(stage, GROUPS))
const second = await withDevpi((stage) => answersOf(stage, GROUPS))
const biome = join(CHECKOUT, 'node_modules', '.bin', 'biome')
let unlike = 0
for (const [group, answers] of first) {
  for (const [at, answer] of answers.entries()) {
    const again = second.get(group)![at]!
    if (isDeepStrictEqual(answer, again)) continue
    unlike++
    process.stderr.write(
      `Not the same twice: ${group}: ${answer.title}\n${JSON.stringify(answer)}\n${JSON.stringify(again)}\n`,
    )
  }
  writeRecording(group, answers)
}
// As every file here is formatted.
execFileSync(biome, ['format', '--write', join(CHECKOUT, 'test', 'devpi', 'recorded')], { stdio: 'ignore' })
process.stdout.write(`${[...first.values()].flat().length} answers recorded, ${unlike} not the same twice\n`)
process.exitCode = unlike === 0 ? 0 : 1
