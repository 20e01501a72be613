import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Bench, loggedIn } from '../../../test/world/client-bench.ts'

/** acme 1.0, 1.5 and 2.0 on root/prod, and 3.0 that comes from a base. */
async function withReleases(): Promise<Bench> {
  const bench = await loggedIn()
  const file = (index: string, version: string) => ({
    rel: 'releasefile',
    href: `/${index}/+f/1/acme-${version}.tar.gz`,
  })
  const result = {
    '2.0': { '+links': [file('root/prod', '2.0'), { rel: 'doczip', href: '/root/prod/+f/2/acme-2.0.doc.zip' }] },
    '1.5': { '+links': [file('root/prod', '1.5')] },
    '1.0': { '+links': [file('root/prod', '1.0')] },
    '3.0': { '+links': [file('root/pypi', '3.0')] },
  }
  bench.answers['GET /root/prod/acme/?ignore_bases='] = { json: { type: 'projectconfig', result } }
  const deleted = { json: { message: 'deleted' } }
  for (const path of ['acme/', 'acme/1.0', 'acme/1.5', 'acme/2.0?force=', '+f/1/acme-1.0.tar.gz']) {
    bench.answers[`DELETE /root/prod/${path}`] = deleted
  }
  bench.seen.length = 0
  return bench
}

function deletions(bench: Bench): string[] {
  return bench.seen.map(({ line }) => line).filter((line) => line.startsWith('DELETE'))
}

test('remove shows what goes, asks, and deletes the whole project', async () => {
  await using bench = await withReleases()
  const listed = [
    'About to remove the following releases and distributions',
    ...['1.0', '1.5'].flatMap((version) => [`version: ${version}`, `  - URL/root/prod/+f/1/acme-${version}.tar.gz`]),
    'version: 2.0',
    '  - URL/root/prod/+f/2/acme-2.0.doc.zip',
    '  - URL/root/prod/+f/1/acme-2.0.tar.gz',
  ]
  const no = await bench.run(['remove', 'acme'], 'maybe\nno\n')
  assert.deepEqual([no.code, no.out], [0, [...listed, "not a valid choice 'maybe'", 'not deleting anything']])
  assert.deepEqual(deletions(bench), [])
  const nobody = await bench.run(['remove', 'acme'])
  assert.equal(nobody.code, 1)
  assert.deepEqual(deletions(bench), [])
  const yes = await bench.run(['remove', 'acme'], 'yes\n')
  assert.deepEqual([yes.code, yes.out], [0, listed])
  assert.deepEqual(deletions(bench), ['DELETE /root/prod/acme/'])
})

test('remove with versions deletes each of them', async () => {
  await using bench = await withReleases()
  assert.deepEqual((await bench.lines('remove', '-y', 'acme<2')).slice(-3), [
    'Are you sure (yes/no)? yes (autoset from -y option)',
    'deleting release 1.0 of acme',
    'deleting release 1.5 of acme',
  ])
  assert.deepEqual(deletions(bench), ['DELETE /root/prod/acme/1.0', 'DELETE /root/prod/acme/1.5'])
})

test('remove --force tells the server so', async () => {
  await using bench = await withReleases()
  await bench.lines('remove', '-f', '-y', 'acme==2.0')
  assert.deepEqual(deletions(bench), ['DELETE /root/prod/acme/2.0?force='])
})

test('remove leaves alone what comes from a base, and ends with 1 when nothing is left', async () => {
  await using bench = await withReleases()
  for (const spec of ['acme==3.0', 'acme>9']) {
    assert.deepEqual(await bench.run(['remove', '-y', spec]), {
      code: 1,
      out: [`No releases or distributions found matching '${spec}'.`],
      err: [],
    })
  }
  assert.match((await bench.run(['remove', '-y', 'a b'])).out.join(''), /^Cannot read "a b"/)
  assert.deepEqual(deletions(bench), [])
})

test('remove ends with 1 at the first refusal', async () => {
  await using bench = await withReleases()
  bench.answers['DELETE /root/prod/acme/1.0'] = { status: 403, json: { message: 'not volatile' } }
  const { code, out } = await bench.run(['remove', '-y', 'acme<2'])
  assert.deepEqual([code, out.slice(-2)], [1, ['DELETE URL/root/prod/acme/1.0', '403 Forbidden: not volatile']])
  assert.deepEqual(deletions(bench), ['DELETE /root/prod/acme/1.0'])
})

test('remove with an address deletes that file', async () => {
  await using bench = await withReleases()
  const url = 'URL/root/prod/+f/1/acme-1.0.tar.gz'
  assert.deepEqual(await bench.lines('remove', '-y', url), [
    'About to remove the following file:',
    url,
    'Are you sure (yes/no)? yes (autoset from -y option)',
  ])
  assert.deepEqual(deletions(bench), ['DELETE /root/prod/+f/1/acme-1.0.tar.gz'])
  assert.equal(bench.seen.at(-1)?.headers['x-devpi-auth'], Buffer.from('root:tok-en').toString('base64'))
})

test('remove --json gives what was deleted', async () => {
  await using bench = await withReleases()
  const { out } = await bench.run(['remove', '--json', '-y', 'acme==1.0'])
  const releases: Record<string, { basename: string }[]> = JSON.parse(out.join(''))
  assert.deepEqual(
    releases['1.0']?.map(({ basename }) => basename),
    ['acme-1.0.tar.gz'],
  )
})
