/**
 * Three hundred real project pages through a mirror and through a stage, as JSON and as HTML, read by pip's, pypi-simple's and uv's own
 * parsers: nothing that upstream tells is lost or changed. What no plain mirror tells (metadata, provenance, status) is added to some of them.
 */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type PythonClients, pythonClients } from '../programs/python-clients.ts'
import { htmlOnly, type Lock, type Pins, pinsOf, uvLock } from '../programs/uv-lock.ts'
import { addUp, type Comparison, comparePages, preparePageParsers } from '../upstream/page-parsers.ts'
import { htmlFaults, jsonFaults, unlistedVersions } from '../upstream/page-shape.ts'
import { type RealPages, realPages, type UpstreamFile, type UpstreamPage } from '../upstream/real-pages.ts'
import { FILELESS_PROJECTS, ODD_PROJECTS, USED_PROJECTS } from '../upstream/real-projects.ts'
import { programFetch } from '../world/program-fetch.ts'
import { type TempFolder, tempFolder } from '../world/temp-folder.ts'
import { type ServedFolder, serveFolder } from './served-folder.ts'

const PASSWORD = 'correct horse'
const JSON_TYPE = 'application/vnd.pypi.simple.v1+json'
const HTML_TYPE = 'text/html'
/**
 * Most of all files are on some forty pages; of those every so many-eth file stands for the others, unless `WHOLE_PAGES=1` is set: then
 * all 201,000 files are compared, which takes minutes.
 */
const FILES_MOST = process.env.WHOLE_PAGES === '1' ? Number.POSITIVE_INFINITY : 400
const WHOLE = ['boto3-stubs', 'botocore', 'tf-nightly']
const BATCH = 75
const LANES = 3

const ODD = Object.values(ODD_PROJECTS).flat()
const NAMES = [...USED_PROJECTS, ...ODD].map(normalized)
/** Files of the largest page that is dressed. */
const DRESSED_FILES_MOST = 250

describe('real project pages', { timeout: 900_000 }, () => {
  let pages: RealPages
  let served: ServedFolder
  let clients: PythonClients
  let folder: TempFolder
  const upstream = new Map<string, UpstreamPage>()

  before(async () => {
    await preparePageParsers()
    folder = await tempFolder()
    pages = await realPages({ filesMost: FILES_MOST, whole: WHOLE })
    served = await serveFolder({ AIRLOCK_UPSTREAM: pages.url, AIRLOCK_ROOT_PASSWD: PASSWORD })
    clients = await pythonClients()
    await create('prod', { bases: 'root/pypi' })
    await create('dressed', { type: 'mirror', mirror_url: pages.dressedUrl, mirror_use_external_urls: false })
    await create('over', { bases: 'root/dressed' })
  })

  after(async () => {
    await clients?.[Symbol.asyncDispose]()
    await served?.[Symbol.asyncDispose]()
    await pages?.[Symbol.asyncDispose]()
    await folder?.remove()
  })

  test('pip and pypi-simple read from both representations what upstream tells, file by file and field by field', async () => {
    assert.equal(new Set(NAMES).size, 300)
    const parts: Promise<Comparison>[] = []
    for (let at = 0; at < NAMES.length; at += BATCH) {
      const batch = NAMES.slice(at, at + BATCH)
      await inLanes(batch, async (name) => {
        const told = await pages.page(name)
        assert.ok(told !== undefined, `the real index has no page for ${name}`)
        upstream.set(name, told)
        await throughStage('prod', name, await checked('pypi', told))
      })
      // Read while the next are fetched.
      parts.push(comparePages(folder.path, batch))
    }
    const found = addUp(await Promise.all(parts))
    assert.deepEqual(found.differences, [])
    assert.equal(found.differenceCount, 0)
    assert.equal(found.pages, 300)
    const files = [...upstream.values()].flatMap((page) => page.files)
    assert.equal(found.files, files.length)
    // A comparison of nothing with nothing would go well, too.
    for (const [parser, fields] of Object.entries(found.fields)) {
      const hash = parser.endsWith('JSON') ? 'hashes' : 'one hash'
      assert.equal(fields[hash], files.length, parser)
      assert.ok(fields['requires-python']! > files.length / 2, `${parser}: ${fields['requires-python']}`)
      assert.ok(fields.yanked! > 500, `${parser}: ${fields.yanked}`)
      if (parser !== 'pypi-simple of HTML') assert.equal(fields['upload-time'], files.length, parser)
    }
  })

  test('the three hundred have every oddity that they are there for', () => {
    const all = [...upstream.values()]
    const files = all.flatMap((page) => page.files)
    const versions = all.flatMap((page) => page.versions)
    const has = (what: string, count: number, least: number) => assert.ok(count >= least, `${what}: ${count}`)
    const named = (pattern: RegExp) => files.filter((file) => pattern.test(file.filename)).length
    has('epochs', versions.filter((version) => /^\d+!/.test(version)).length, 10)
    has('local versions', named(/^[^+]+-\d[^+-]*\+/), 5)
    has('no PEP 440', versions.filter((version) => /\d(p\d|\.f$|dev-r)|final/.test(version)).length, 20)
    has('thousands of files', all.filter((page) => page.files.length > 2000).length, 3)
    for (const ending of ['egg', 'exe', 'msi', 'rpm', 'dmg', 'tgz', 'tar.bz2', 'zip', 'ZIP', 'whl', 'tar.gz'])
      has(ending, named(new RegExp(`\\.${ending}$`)), 1)
    has('yanked without a reason', files.filter((file) => file.yanked === true).length, 50)
    has('yanked with one', files.filter((file) => typeof file.yanked === 'string').length, 500)
    has('odd requires-python', files.filter((file) => /['"]|dev|\*$/.test(file['requires-python'] ?? '')).length, 5)
    has('one file', all.filter((page) => page.files.length === 1).length, 3)
    has('before 2008', files.filter((file) => String(file['upload-time']) < '2008').length, 50)
  })

  test('what PyPI tells beyond a plain mirror comes through: metadata hashes, provenance, status, reasons, more hashes', async () => {
    const names = ODD.map(normalized).filter((name) => upstream.get(name)!.files.length <= DRESSED_FILES_MOST)
    await inLanes(names, async (name) => {
      const told = await pages.dressedPage(name)
      await throughStage('over', name, await checked('dressed', told, `dressed-${name}`))
    })
    const found = await comparePages(
      folder.path,
      names.map((name) => `dressed-${name}`),
    )
    assert.deepEqual(found.differences, [])
    assert.equal(found.differenceCount, 0)
    for (const [parser, fields] of Object.entries(found.fields)) {
      assert.ok(fields['core-metadata']! > 500, `${parser}: ${fields['core-metadata']}`)
      if (!parser.startsWith('pip ')) {
        assert.ok(fields.provenance! > 500, `${parser}: ${fields.provenance}`)
        assert.ok(fields['status reason']! > 10, `${parser}: ${fields['status reason']}`)
      }
    }
  })

  test('a name without files is answered as upstream answers it, and any writing of a name leads to its page', async () => {
    for (const name of FILELESS_PROJECTS.map(normalized)) {
      const told = await pages.page(name)
      const answer = await fetch(`${served.url}/root/pypi/+simple/${name}/`, { headers: { accept: JSON_TYPE } })
      assert.equal(answer.status, told === undefined ? 404 : 200, name)
      if (told === undefined) await answer.body?.cancel()
      else assert.deepEqual(((await answer.json()) as UpstreamPage).files, [])
    }
    const written = ODD.filter((name) => name !== normalized(name))
    assert.ok(written.length > 20)
    for (const name of written) {
      const answer = await fetch(`${served.url}/root/prod/+simple/${name}/`, { method: 'HEAD', redirect: 'manual' })
      assert.deepEqual(
        [answer.status, new URL(answer.headers.get('location') ?? '', answer.url).pathname],
        [302, `/root/prod/+simple/${normalized(name)}/`],
      )
    }
  })

  test('uv locks a thousand versions through a mirror and a stage as it does from upstream, from JSON and from HTML', async () => {
    await using html = await htmlOnly(served.url)
    const pins = [...upstream.values()].map(pinsOf).filter((one): one is Pins => one !== undefined)
    assert.ok(pins.length > 280, `${pins.length} projects`)
    const direct = await lock('direct', pages.url, pins)
    assert.ok(direct.files.length > 1500 && direct.remarks.length > 1000, `${direct.files.length} files`)
    assertFilesAsTold(direct)
    for (const [what, index] of [
      ['stage', `${served.url}/root/prod/+simple/`],
      ['html', `${html.url}/root/pypi/+simple/`],
    ] as const) {
      const through = await lock(what, index, pins)
      assert.deepEqual(through.remarks, direct.remarks, what)
      assertFilesAsTold(through)
      assert.ok(through.text === direct.text, `${what}: ${firstDifference(through.text, direct.text)}`)
    }
  })

  /** Keeps both pages of a project for the parsers, and checks their shape. */
  async function checked(index: string, told: UpstreamPage, as = told.name) {
    const path = `root/${index}/+simple/${told.name}/`
    const json = await pageText(path, JSON_TYPE)
    const html = await pageText(path, HTML_TYPE)
    const filenames = new Set(told.files.map((file) => file.filename))
    const unlisted = unlistedVersions(told.name, told.versions, told.files)
    assert.deepEqual(jsonFaults(json, told.name, unlisted), [], `${told.name} as JSON`)
    assert.deepEqual(htmlFaults(html, filenames), [], `${told.name} as HTML`)
    await writeFile(join(folder.path, `${as}.upstream.json`), JSON.stringify(told))
    await writeFile(join(folder.path, `${as}.json`), json)
    await writeFile(join(folder.path, `${as}.html`), html)
    return { [JSON_TYPE]: json, [HTML_TYPE]: html }
  }

  /** A stage passes on what its base tells, to the letter. */
  async function throughStage(stage: string, name: string, texts: Readonly<Record<string, string>>): Promise<void> {
    for (const [type, text] of Object.entries(texts)) {
      const [through, wanted] = [await pageText(`root/${stage}/+simple/${name}/`, type), withoutSerial(text)]
      assert.ok(through === wanted, `${name} through the stage: ${firstDifference(through, wanted)}`)
    }
  }

  async function pageText(path: string, accept: string): Promise<string> {
    const answer = await fetch(`${served.url}/${path}`, { headers: { accept } })
    const text = await answer.text()
    assert.equal(answer.status, 200, `${path}: ${text.slice(0, 500)}`)
    assert.equal(answer.headers.get('content-type')?.split(';')[0], accept, path)
    return text
  }

  function lock(name: string, index: string, pins: readonly Pins[]): Promise<Lock> {
    return uvLock(clients, join(folder.path, `lock-${name}`), index, pins)
  }

  function assertFilesAsTold(locked: Lock): void {
    const told = new Map<string, UpstreamFile>()
    for (const page of upstream.values()) for (const file of page.files) told.set(`${page.name} ${file.filename}`, file)
    for (const { project, filename, hash, size, uploadTime } of locked.files) {
      const file = told.get(`${project} ${filename}`)
      assert.ok(file !== undefined, `upstream has no ${filename} of ${project}`)
      const wanted = [`sha256:${file.hashes.sha256}`, file.size, Date.parse(String(file['upload-time']))]
      assert.deepEqual([hash, size, Date.parse(uploadTime ?? '')], wanted, filename)
    }
  }

  async function create(index: string, options: Record<string, unknown>): Promise<void> {
    const authorization = `Basic ${Buffer.from(`root:${PASSWORD}`).toString('base64')}`
    const answer = await programFetch(`${served.url}/root/${index}`, {
      method: 'PUT',
      headers: { authorization, 'content-type': 'application/json' },
      body: JSON.stringify(options),
    })
    assert.equal(answer.status, 200, await answer.text())
  }
})

function normalized(name: string): string {
  return name.toLowerCase().replace(/[-_.]+/g, '-')
}

/** A stage has changes of its own, and does not tell upstream's number for them. */
function withoutSerial(text: string): string {
  return text.replace(/,"_last-serial":\d+/, '').replace(/<!--SERIAL \d+-->\n$/, '')
}

async function inLanes<T>(things: readonly T[], work: (thing: T) => Promise<void>): Promise<void> {
  const waiting = [...things]
  const lane = async () => {
    for (let thing = waiting.shift(); thing !== undefined; thing = waiting.shift()) await work(thing)
  }
  await Promise.all(Array.from({ length: LANES }, lane))
}

function firstDifference(one: string, other: string): string {
  const [ours, theirs] = [one.split('\n'), other.split('\n')]
  const at = ours.findIndex((line, index) => line !== theirs[index])
  return `line ${at + 1} is ${ours[at]}, not ${theirs[at]}`
}
