/** A Sigstore of a test's own: an authority, both logs, and attestations that they vouch for, or that somebody tampered with. */
import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { PUBLISH_PREDICATE } from '../../src/config/settings.ts'
import type { BuiltFile } from '../builders/wheels.ts'
import { AUTHORITY, certificate, extension, identity, spki } from './certificates.ts'
import { octets } from './der.ts'

/** What goes into an attestation; all but the file has a default. */
export interface Attesting {
  /** Who signs: the certificate's subject and Fulcio's extensions; `github('acme/widget')` unless told. */
  readonly who?: Identity
  readonly subjects?: readonly { readonly name: string; readonly digest: Readonly<Record<string, string>> }[]
  readonly predicateType?: string
  /** When the log takes it in, in minutes after the certificate began; it lasts ten. */
  readonly minute?: number
  /** What the log writes down in place of the true signature. */
  readonly loggedSignature?: Buffer
  /** Signed by another key than the certificate's. */
  readonly isForged?: boolean
  /** The certificate is in no transparency log. */
  readonly isUnstamped?: boolean
}

export interface Identity {
  readonly subject: string
  readonly claims: Readonly<Record<number, string>>
}

/** A PEP 740 attestation object, open to tampering. */
export interface AttestationObject {
  version: number
  verification_material: { certificate: string; transparency_entries: Record<string, unknown>[] }
  envelope: { statement: string; signature: string }
}

export interface ThrowawaySigstore {
  /** Its `trusted_root.json`. */
  readonly trustedRoot: string
  attest(file: Pick<BuiltFile, 'filename' | 'sha256'>, how?: Attesting): AttestationObject
}

interface Keys {
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
}

const BEGIN = new Date('2026-01-01T00:00:00Z')
const MINUTE_MS = 60_000
const LOG = 'log.sigstore.example'

/** A workflow on the best known forge. */
export function github(repository: string, workflow = 'release.yml', ref = 'refs/tags/v1'): Identity {
  const source = `https://github.com/${repository}`
  const config = `${source}/.github/workflows/${workflow}@${ref}`
  return {
    subject: config,
    claims: { 8: 'https://token.actions.githubusercontent.com', 12: source, 14: ref, 18: config },
  }
}

export function throwawaySigstore(): ThrowawaySigstore {
  const authority = { name: 'sigstore.example', ...keys() }
  const [stamps, log] = [keys(), keys()]
  const root = certificate({
    ...{ key: authority.publicKey, issuer: authority, name: authority.name, extensions: AUTHORITY },
    ...{ from: new Date('2025-01-01T00:00:00Z'), to: new Date('2035-01-01T00:00:00Z') },
  })

  function attest(file: Pick<BuiltFile, 'filename' | 'sha256'>, how: Attesting = {}): AttestationObject {
    const own = keys()
    const who = how.who ?? github('acme/widget')
    const leaf = certificate({
      ...{ key: own.publicKey, issuer: authority, name: '', extensions: identity(who.subject, who.claims) },
      ...{ from: BEGIN, to: new Date(BEGIN.getTime() + 10 * MINUTE_MS) },
      ...(how.isUnstamped !== true && { stamp: (unstamped) => stamp(unstamped, authority.publicKey, stamps) }),
    })
    const statement = Buffer.from(
      JSON.stringify({
        _type: 'https://in-toto.io/Statement/v1',
        subject: how.subjects ?? [{ name: file.filename, digest: { sha256: file.sha256 } }],
        predicateType: how.predicateType ?? PUBLISH_PREDICATE,
        predicate: null,
      }),
    )
    const type = 'application/vnd.in-toto+json'
    const enveloped = Buffer.concat([Buffer.from(`DSSEv1 ${type.length} ${type} ${statement.length} `), statement])
    const signature = sign('sha256', enveloped, how.isForged === true ? keys().privateKey : own.privateKey)
    const seconds = BEGIN.getTime() / 1000 + (how.minute ?? 5) * 60
    return {
      version: 1,
      verification_material: {
        certificate: leaf.toString('base64'),
        transparency_entries: [entry(log, seconds, leaf, how.loggedSignature ?? signature, statement)],
      },
      envelope: { statement: statement.toString('base64'), signature: signature.toString('base64') },
    }
  }

  return { trustedRoot: JSON.stringify(trustedRoot(root, stamps, log)), attest }
}

/** An extension with one signed certificate timestamp (RFC 6962 §3.3). */
function stamp(unstamped: Buffer, issuer: KeyObject, by: Keys): Buffer {
  const at = Buffer.alloc(8)
  at.writeBigUInt64BE(BigInt(BEGIN.getTime()))
  const signed = Buffer.concat([
    ...[Buffer.of(0, 0), at, Buffer.of(0, 1), sha256(spki(issuer))],
    ...[Buffer.of(unstamped.length >> 16, (unstamped.length >> 8) & 0xff, unstamped.length & 0xff), unstamped],
    Buffer.of(0, 0),
  ])
  const signature = sign('sha256', signed, by.privateKey)
  const timestamp = Buffer.concat([
    ...[Buffer.of(0), sha256(spki(by.publicKey)), at, Buffer.of(0, 0, 4, 3), short(signature.length), signature],
  ])
  const list = Buffer.concat([short(timestamp.length + 2), short(timestamp.length), timestamp])
  return extension('1.3.6.1.4.1.11129.2.4.2', octets(list))
}

/** The only entry of a log: promised, and proven by a checkpoint over a tree of one leaf. */
function entry(log: Keys, seconds: number, leaf: Buffer, signature: Buffer, statement: Buffer) {
  const id = sha256(spki(log.publicKey))
  const pem = `-----BEGIN CERTIFICATE-----\n${leaf.toString('base64')}\n-----END CERTIFICATE-----\n`
  const body = Buffer.from(
    JSON.stringify({
      apiVersion: '0.0.1',
      kind: 'dsse',
      spec: {
        payloadHash: { algorithm: 'sha256', value: sha256(statement).toString('hex') },
        signatures: [{ signature: signature.toString('base64'), verifier: Buffer.from(pem).toString('base64') }],
      },
    }),
  )
  const canonicalizedBody = body.toString('base64')
  // Keys in this order: it is signed as canonical JSON (RFC 8785).
  const promise = { body: canonicalizedBody, integratedTime: seconds, logID: id.toString('hex'), logIndex: 0 }
  const rootHash = sha256(Buffer.of(0), body).toString('base64')
  const note = `${LOG} - 1\n1\n${rootHash}\n`
  const noted = Buffer.concat([id.subarray(0, 4), sign('sha256', Buffer.from(note), log.privateKey)])
  return {
    logIndex: '0',
    logId: { keyId: id.toString('base64') },
    kindVersion: { kind: 'dsse', version: '0.0.1' },
    integratedTime: String(seconds),
    inclusionPromise: {
      signedEntryTimestamp: sign('sha256', Buffer.from(JSON.stringify(promise)), log.privateKey).toString('base64'),
    },
    inclusionProof: {
      ...{ logIndex: '0', rootHash, treeSize: '1', hashes: [] },
      checkpoint: { envelope: `${note}\n\u2014 ${LOG} ${noted.toString('base64')}\n` },
    },
    canonicalizedBody,
  }
}

function trustedRoot(root: Buffer, stamps: Keys, log: Keys) {
  const validFor = { start: '2025-01-01T00:00:00Z' }
  const logged = (baseUrl: string, { publicKey }: Keys) => ({
    baseUrl,
    hashAlgorithm: 'SHA2_256',
    publicKey: {
      rawBytes: spki(publicKey).toString('base64'),
      keyDetails: 'PKIX_ECDSA_P256_SHA_256',
      validFor,
    },
    logId: { keyId: sha256(spki(publicKey)).toString('base64') },
  })
  return {
    mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
    tlogs: [logged(`https://${LOG}`, log)],
    certificateAuthorities: [
      {
        subject: { organization: 'sigstore.example', commonName: 'sigstore.example' },
        uri: 'https://fulcio.sigstore.example',
        certChain: { certificates: [{ rawBytes: root.toString('base64') }] },
        validFor,
      },
    ],
    ctlogs: [logged('https://ct.sigstore.example', stamps)],
    timestampAuthorities: [],
  }
}

function keys(): Keys {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' })
}

function sha256(...pieces: readonly Uint8Array[]): Buffer {
  const hash = createHash('sha256')
  for (const piece of pieces) hash.update(piece)
  return hash.digest()
}

function short(value: number): Buffer {
  return Buffer.of(value >> 8, value & 0xff)
}
