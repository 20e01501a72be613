/** Without upstream, by choice or because it is gone: lists and pages show what can be delivered, and only that. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { fieldParts, multipart } from '../builders/multipart.ts'
import { sdist, wheel } from '../builders/wheels.ts'
import { type AddedFile, type FakeUpstream, startFakeUpstream } from '../upstream/fake-upstream.ts'
import { programFetch } from '../world/program-fetch.ts'
import { type ServedFolder, serveFolder } from './served-folder.ts'

const JSON_TYPE = 'application/vnd.pypi.simple.v1+json'
const JOBS_MS = 30_000
/** A server between failed or is not to be asked: nothing is said about the project or file. */
const CANNOT = [502, 503]

interface SimplePage {
  readonly files: readonly {
    readonly filename: string
    readonly url: string
    readonly 'core-metadata'?: true | { readonly sha256: string }
  }[]
  readonly versions: readonly string[]
}
type Links = { readonly '+links': readonly { readonly href: string }[] }

for (const [how, isOffline] of [
  ['with --offline-mode', true],
  ['with upstream gone', false],
] as const) {
  describe(`a mirror ${how}`, { timeout: 300_000 }, () => {
    let upstream: FakeUpstream
    let served: ServedFolder
    let newer: AddedFile
    const newerAddress: string[] = []
    const own = wheel({ name: 'held', version: '1.0', summary: 'What is here' })
    const source = sdist({ name: 'held', version: '1.0' })
    // Upstream knows its metadata; the archive, broken as it is, does not tell them.
    const odd = wheel({ name: 'odd', version: '1.0', metadata: null })

    before(async () => {
      upstream = await startFakeUpstream()
      upstream.add('held', { filename: own.filename, bytes: own.bytes })
      upstream.add('held', { filename: source.filename, bytes: source.bytes })
      newer = upstream.add('held', { filename: 'held-2.0.tar.gz', bytes: 'never fetched' })
      upstream.add('seen', { filename: 'seen-1.0.tar.gz', bytes: 'never fetched' })
      upstream.add('unseen', { filename: 'unseen-1.0.tar.gz', bytes: 'never fetched' })
      upstream.add('suspect', { filename: 'suspect-1.0.tar.gz', bytes: 'bad' })
      upstream.add('odd', {
        filename: odd.filename,
        bytes: odd.bytes,
        metadata: 'Metadata-Version: 2.1\nName: odd\nVersion: 1.0\n',
      })
      served = await serveFolder({ AIRLOCK_UPSTREAM: upstream.url })
      await makeStage()
      const all = await names('root/pypi')
      assert.deepEqual(all, ['held', 'odd', 'seen', 'suspect', 'unseen'])
      for (const file of (await page('root/pypi', 'held')).files) {
        const address = new URL(file.url, `${served.url}/root/pypi/+simple/held/`).href
        if (file.filename === 'held-2.0.tar.gz') newerAddress.push(address)
        else await (await fetch(address)).bytes()
      }
      const [oddFile] = (await page('root/pypi', 'odd')).files
      assert.notEqual(oddFile!['core-metadata'], undefined)
      await (await fetch(new URL(oddFile!.url, `${served.url}/root/pypi/+simple/odd/`))).bytes()
      const [suspect] = (await page('root/pypi', 'suspect')).files
      await (await fetch(new URL(suspect!.url, `${served.url}/root/pypi/+simple/suspect/`))).bytes()
      upstream.setStatus('suspect', 'quarantined')
      await fetch(`${served.url}/root/pypi/+simple/suspect/refresh`, { method: 'POST' })
      await page('root/pypi', 'seen')
      await isDescribed()
      await served.stop()
      if (!isOffline) await upstream.pause()
      upstream.forgetRequests()
      await served.start({ AIRLOCK_MIRROR_CACHE_EXPIRY: '0', ...(isOffline && { AIRLOCK_OFFLINE_MODE: 'true' }) })
      // Somebody has to be the one that finds out.
      if (!isOffline) await ask('/root/pypi/+simple/unseen/')
    })

    after(async () => {
      await served?.[Symbol.asyncDispose]()
      await upstream?.close()
    })

    test('lists the projects that have a file here, alone and behind a stage', async () => {
      assert.deepEqual(await names('root/pypi'), ['held', 'odd'])
      assert.deepEqual(await names('root/prod'), ['held', 'odd', 'private'])
      const shown = (await (await ask('/root/pypi', 'application/json')).json()) as { result: { projects: string[] } }
      assert.deepEqual(shown.result.projects, ['held', 'odd'])
      const html = await (await ask('/root/pypi/+simple/', 'text/html')).text()
      assert.match(html, />held</)
      assert.doesNotMatch(html, />(seen|suspect|unseen)</)
    })

    for (const index of ['root/pypi', 'root/prod']) {
      test(`the page on ${index} has the files that are here, and their versions`, async () => {
        const { files, versions } = await page(index, 'held')
        assert.deepEqual(files.map(({ filename }) => filename).toSorted(), [own.filename, source.filename])
        assert.deepEqual(versions, ['1.0'])
        for (const { url, filename, 'core-metadata': metadata } of files) {
          const address = new URL(url, `${served.url}/${index}/+simple/held/`).href
          for (const method of ['GET', 'HEAD']) {
            const got = await fetch(address, { method })
            assert.deepEqual([got.status, got.headers.get('cache-status')], [200, 'airlock; hit'])
            await got.bytes()
          }
          assert.equal(metadata !== undefined, filename === own.filename)
          if (metadata === undefined) continue
          const got = await fetch(`${address}.metadata`)
          assert.equal(got.status, 200)
          assert.match(await got.text(), /^Summary: What is here$/m)
        }
      })

      test(`devpi's JSON on ${index} has the same, version by version, and latest among them`, async () => {
        const project = (await (await ask(`/${index}/held`, 'application/json')).json()) as {
          result: Record<string, Links>
        }
        assert.deepEqual(Object.keys(project.result), ['1.0'])
        const names = project.result['1.0']!['+links'].map(({ href }) => href.split('/').at(-1)!)
        assert.deepEqual(names.toSorted(), [own.filename, source.filename])
        assert.equal((await ask(`/${index}/held/1.0`, 'application/json')).status, 200)
        const latest = (await (await ask(`/${index}/held/latest`, 'application/json')).json()) as {
          result: { version: string }
        }
        assert.equal(latest.result.version, '1.0')
      })
    }

    test('announces no metadata that is not here', async () => {
      const { files } = await page('root/pypi', 'odd')
      assert.deepEqual(
        files.map((file) => [file.filename, file['core-metadata']]),
        [[odd.filename, undefined]],
      )
      const address = new URL(files[0]!.url, `${served.url}/root/pypi/+simple/odd/`).href
      const refused = await fetch(`${address}.metadata`)
      assert.ok(CANNOT.includes(refused.status), await refused.text())
    })

    test('the search and the pages for people know what is here', async () => {
      for (const [query, hits] of [
        ['held', ['held']],
        ['seen', []],
      ] as const) {
        const found = (await (await ask(`/+search?query=${query}`, 'application/json')).json()) as {
          result: { hits: { name: string }[] }
        }
        assert.deepEqual(
          found.result.hits.map(({ name }) => name),
          hits,
        )
      }
      const shown = await ask('/root/pypi/held', 'text/html,*/*')
      assert.equal(shown.status, 200)
      const html = await shown.text()
      assert.match(html, /1\.0/)
      assert.doesNotMatch(html, /held\/2\.0/)
    })

    test('a file that is listed upstream and not here is told as such, not as gone', async () => {
      const got = await fetch(newerAddress[0]!)
      assert.ok(CANNOT.includes(got.status), `${got.status}`)
      assert.match(await got.text(), /offline mode|Cannot reach/)
      assert.equal(upstream.count(newer.path), 0)
    })

    test('of a project nobody asked for it says that it cannot know; of one that the list lacks that there is none', async () => {
      for (const index of ['root/pypi', 'root/prod']) {
        const unknown = await ask(`/${index}/+simple/unseen/`)
        assert.ok(CANNOT.includes(unknown.status), `${unknown.status}`)
        assert.match(await unknown.text(), /offline mode|Cannot reach/)
        const denied = await ask(`/${index}/+simple/no-such-project/`)
        // Upstream may have gained a project since its list grew old, unless nobody is to ask it.
        assert.ok((isOffline ? [404] : CANNOT).includes(denied.status), `${denied.status}`)
      }
    })

    test('a project without any file here has an empty page where that is for good, else it is told that upstream is gone', async () => {
      for (const index of ['root/pypi', 'root/prod']) {
        const got = await ask(`/${index}/+simple/seen/`)
        const text = await got.text()
        if (isOffline) assert.deepEqual([got.status, (JSON.parse(text) as SimplePage).files], [200, []])
        else assert.ok(CANNOT.includes(got.status) && text.includes('upstream is gone'), `${got.status} ${text}`)
      }
    })

    test('asks upstream for nothing', () => {
      if (isOffline) assert.deepEqual(upstream.requests, [])
    })

    function ask(path: string, accept = JSON_TYPE): Promise<Response> {
      return fetch(served.url + path, { headers: { accept } })
    }

    async function page(index: string, project: string): Promise<SimplePage> {
      const answer = await ask(`/${index}/+simple/${project}/`)
      const text = await answer.text()
      assert.equal(answer.status, 200, text)
      return JSON.parse(text)
    }

    async function names(index: string): Promise<string[]> {
      const answer = await ask(`/${index}/+simple/`)
      assert.equal(answer.status, 200)
      return ((await answer.json()) as { projects: { name: string }[] }).projects.map(({ name }) => name)
    }

    /** What reads the metadata out of the archives runs behind the requests. */
    async function isDescribed(): Promise<void> {
      const file = (await page('root/pypi', 'held')).files.find(({ filename }) => filename === own.filename)!
      const address = new URL(`${file.url}.metadata`, `${served.url}/root/pypi/+simple/held/`)
      const until = performance.now() + JOBS_MS
      while ((await fetch(address)).headers.get('cache-status') !== 'airlock; hit') {
        assert.ok(performance.now() < until)
        await delay(50)
      }
    }

    async function makeStage(): Promise<void> {
      const login = await programFetch(`${served.url}/+login`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ user: 'root', password: '' }),
      })
      const { result } = (await login.json()) as { result: { password: string } }
      const auth = { 'x-devpi-auth': Buffer.from(`root:${result.password}`).toString('base64') }
      const made = await programFetch(`${served.url}/root/prod`, {
        method: 'PUT',
        headers: { ...auth, 'content-type': 'application/json' },
        body: JSON.stringify({ bases: 'root/pypi' }),
      })
      assert.equal(made.status, 200)
      const mine = wheel({ name: 'private', version: '1.0' })
      const form = multipart([
        ...fieldParts({ ':action': 'file_upload', name: 'private', version: '1.0' }),
        { name: 'content', filename: mine.filename, content: mine.bytes },
      ])
      const put = await programFetch(`${served.url}/root/prod/`, {
        method: 'POST',
        headers: { ...auth, 'content-type': form.contentType },
        body: new Uint8Array(form.body),
      })
      assert.equal(put.status, 200, await put.text())
    }
  })
}
