/**
 * Attestations that real publishers made, with the files that they are about: the test assets in the source distribution of
 * pypi-attestations 0.0.30 (Apache-2.0), taken from the index that pip is configured with, once, and kept.
 */

import { basename } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { extract } from 'tar-stream'
import { type Digest, digestOf } from '../../src/lib/digest.ts'
import { collect } from '../../src/lib/streams.ts'
import type { BuiltFile } from '../builders/wheels.ts'
import { realUpstream } from '../upstream/real-upstream.ts'

const SDIST = 'pypi_attestations-0.0.30.tar.gz'
const SHA256 = '14ff13c76bbef02a483c2b77532da02bfd746b5141b881f355e06b9807434423' as Digest
const ASSET_BYTES = 1024 * 1024

export interface RealAttestations {
  /** A file of that name among the assets. */
  bytes(name: string): Buffer
  json(name: string): unknown
  distribution(name: string): BuiltFile
}

export async function realAttestations(): Promise<RealAttestations> {
  await using upstream = await realUpstream()
  const page = await fetch(`${upstream.url}pypi-attestations/`, {
    headers: { accept: 'application/vnd.pypi.simple.v1+json' },
  })
  const { files } = (await page.json()) as { files: { filename: string; url: string }[] }
  const url = files.find(({ filename }) => filename === SDIST)?.url
  if (url === undefined) throw new Error(`Cannot find ${SDIST} on the index that pip is configured with`)
  const packed = Buffer.from(await (await fetch(url)).arrayBuffer())
  if (digestOf(packed) !== SHA256) throw new Error(`Cannot use ${SDIST}: it has another sha256 than it had`)
  const assets = await unpacked(packed)
  const bytes = (name: string) => {
    const found = assets.get(name)
    if (found === undefined) throw new Error(`Cannot find "${name}" among the assets of ${SDIST}`)
    return found
  }
  return {
    bytes,
    json: (name) => JSON.parse(bytes(name).toString('utf8')),
    distribution: (name) => ({ filename: name, bytes: bytes(name), sha256: digestOf(bytes(name)) }),
  }
}

async function unpacked(packed: Buffer): Promise<ReadonlyMap<string, Buffer>> {
  const assets = new Map<string, Buffer>()
  const tar = extract()
  const reading = (async () => {
    for await (const entry of tar) {
      const bytes = await collect(entry as AsyncIterable<Uint8Array>, ASSET_BYTES)
      if (entry.header.name.includes('/test/assets/')) assets.set(basename(entry.header.name), bytes)
    }
  })()
  await pipeline(Readable.from([packed]), createGunzip(), tar)
  await reading
  return assets
}
