import assert from 'node:assert/strict'
import { Readable, Writable } from 'node:stream'
import { test } from 'node:test'
import { runCli } from '../../src/cli/cli.ts'
import { serverCommands } from '../../src/compose/commands.ts'
import { startFakeUpstream } from '../upstream/fake-upstream.ts'
import { tempFolder } from '../world/temp-folder.ts'
import { ask, startInProcess } from './in-process-server.ts'
import { fileUrl } from './read-away.ts'

/** Runs the command as a person would; gives the exit code and what it printed. */
async function airlock(cwd: string, ...argv: string[]) {
  let stdout = ''
  let stderr = ''
  const sink = (take: (text: string) => void) =>
    new Writable({
      write(chunk, _encoding, done) {
        take(String(chunk))
        done()
      },
    })
  const context = {
    env: {},
    cwd,
    stdin: Readable.from([]),
    stdout: sink((text) => {
      stdout += text
    }),
    stderr: sink((text) => {
      stderr += text
    }),
  }
  const code = await runCli(argv, context, serverCommands)
  return { code, stdout, stderr }
}

test('airlock cache tells what mirrors keep beside a server that runs, and lets it go when that has stopped', async () => {
  await using upstream = await startFakeUpstream({ projectList: false })
  await using folder = await tempFolder()
  const place = ['--serverdir', folder.path]
  {
    await using server = await startInProcess({ flags: { upstream: upstream.url, serverdir: folder.path } })
    for (const project of ['small', 'large']) {
      const sizeBytes = project === 'small' ? 1_000_000 : 3_000_000
      await upstream.bigFile(project, `${project}-1.0.tar.gz`, sizeBytes)
      const url = await fileUrl(server.url, project)
      assert.equal((await ask(url)).isComplete, true)
      assert.equal((await ask(url)).isComplete, true)
    }
    const all = await airlock(folder.path, 'cache', ...place, '--mirror-cache-size', '5GB')
    assert.deepEqual([all.code, all.stdout], [0, 'root/pypi: 2 files, 4.0 MB of 5.0 GB\n'])
    const one = await airlock(folder.path, 'cache', 'root/pypi', ...place, '--json')
    const { projects, files, bytes } = JSON.parse(one.stdout) as {
      files: number
      bytes: number
      projects: { project: string; files: number }[]
    }
    assert.deepEqual([files, bytes], [2, 4_000_000])
    assert.deepEqual(
      projects.map(({ project, files: count }) => [project, count]),
      [
        ['large', 1],
        ['small', 1],
      ],
    )
    const busy = await airlock(folder.path, 'cache', '--evict', ...place, '--mirror-cache-size', '1MB')
    assert.equal(busy.code, 1)
    assert.match(busy.stderr, /another process/)
    const dry = await airlock(folder.path, 'gc', '--dry-run', ...place)
    assert.deepEqual([dry.code, dry.stdout], [0, 'would delete 0 blobs, 0 bytes\n'])
  }
  const shown = await airlock(folder.path, 'cache', 'root/pypi', ...place)
  assert.match(shown.stdout, /^root\/pypi: 2 files, 4\.0 MB\n +3\.0 MB {2}large: 1 files, used 2 times, last 20/)
  const evicted = await airlock(folder.path, 'cache', '--evict', ...place, '--mirror-cache-size', '3500kB')
  assert.deepEqual([evicted.code, evicted.stdout], [0, 'let go 1 files, 1.0 MB\n'])
  const unknown = await airlock(folder.path, 'cache', 'root/none', ...place)
  assert.equal(unknown.code, 1)
  const wrong = await airlock(folder.path, 'cache', ...place, '--mirror-cache-size', 'much')
  assert.match(wrong.stderr, /Cannot use "much" for mirror_cache_size .*a size such as 500MB/)
})
