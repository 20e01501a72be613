/** Certificates for tests of TLS, made on the spot: an authority, and what it signs for a server or a client (RFC 5280). */
import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'

export interface Certificate {
  /** PEM. */
  readonly certificate: string
  /** PEM, PKCS #8. */
  readonly key: string
}

export interface Authority extends Certificate {
  /** For servers on 127.0.0.1 and localhost, and for clients. */
  issue(commonName: string): Certificate
}

/** Valid from a day ago for ten years. */
export function makeAuthority(commonName = 'Airlock test authority'): Authority {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const own = build({ subject: commonName, issuer: commonName, publicKey, signer: privateKey, isAuthority: true })
  return {
    certificate: own,
    key: pemOf(privateKey),
    issue: (subject) => {
      const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      const made = build({
        subject,
        issuer: commonName,
        publicKey: pair.publicKey,
        signer: privateKey,
        isAuthority: false,
      })
      return { certificate: made, key: pemOf(pair.privateKey) }
    },
  }
}

const DAY_MS = 24 * 3600 * 1000
const ECDSA_WITH_SHA256 = der(0x30, oid('1.2.840.10045.4.3.2'))

function build(of: {
  readonly subject: string
  readonly issuer: string
  readonly publicKey: KeyObject
  readonly signer: KeyObject
  readonly isAuthority: boolean
}): string {
  const serial = randomBytes(16)
  // Positive, and without a leading zero.
  serial[0] = (serial[0]! & 0x7f) | 0x40
  const extensions = [
    extension('2.5.29.19', der(0x30, of.isAuthority ? der(0x01, Buffer.from([0xff])) : Buffer.alloc(0))),
    ...(of.isAuthority
      ? []
      : [
          extension(
            '2.5.29.17',
            der(0x30, der(0x82, Buffer.from('localhost')), der(0x87, Buffer.from([127, 0, 0, 1]))),
          ),
        ]),
  ]
  const body = der(
    0x30,
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, serial),
    ECDSA_WITH_SHA256,
    distinguishedName(of.issuer),
    der(0x30, time(Date.now() - DAY_MS), time(Date.now() + 3650 * DAY_MS)),
    distinguishedName(of.subject),
    of.publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, der(0x30, ...extensions)),
  )
  const signature = sign('sha256', body, createPrivateKey(of.signer.export({ type: 'pkcs8', format: 'pem' })))
  const whole = der(0x30, body, ECDSA_WITH_SHA256, der(0x03, Buffer.from([0]), signature))
  const lines = whole
    .toString('base64')
    .match(/.{1,64}/g)!
    .join('\n')
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`
}

function pemOf(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }) as string
}

function distinguishedName(commonName: string): Buffer {
  return der(0x30, der(0x31, der(0x30, oid('2.5.4.3'), der(0x0c, Buffer.from(commonName)))))
}

function extension(id: string, value: Buffer): Buffer {
  return der(0x30, oid(id), der(0x04, value))
}

/** UTCTime, `YYMMDDHHMMSSZ`, as the standard wants it before 2050. */
function time(ms: number): Buffer {
  const written = `${new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, '')}`
  return der(0x17, Buffer.from(written.slice(2)))
}

/** One value in DER: tag, length, content. */
function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts)
  const length = content.length
  const head =
    length < 128 ? [tag, length] : length < 256 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 255]
  return Buffer.concat([Buffer.from(head), content])
}

function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  const bytes = [first * 40 + second]
  for (const arc of rest) {
    const groups = [arc & 0x7f]
    for (let left = arc >> 7; left > 0; left >>= 7) groups.unshift((left & 0x7f) | 0x80)
    bytes.push(...groups)
  }
  return der(0x06, Buffer.from(bytes))
}
