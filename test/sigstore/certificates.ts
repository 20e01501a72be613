/** Certificates as Fulcio issues them, and the authority above them, made by hand. */
import { createHash, type KeyObject, sign } from 'node:crypto'
import { bits, der, integer, objectId, octets, SEQUENCE, SET, time, utf8 } from './der.ts'

export interface CertificateOptions {
  readonly key: KeyObject
  readonly issuer: { readonly name: string; readonly privateKey: KeyObject; readonly publicKey: KeyObject }
  readonly name: string
  readonly from: Date
  readonly to: Date
  readonly extensions: readonly Buffer[]
  /** Makes the extension that the certificate transparency log gives for the rest of it. */
  readonly stamp?: (unstamped: Buffer) => Buffer
}

const ECDSA_SHA256 = der(SEQUENCE, objectId('1.2.840.10045.4.3.2'))
/** Nothing here tells certificates apart by it. */
const SERIAL = integer(1)

export function certificate(options: CertificateOptions): Buffer {
  const { key, issuer, name, from, to, extensions, stamp } = options
  const body = (all: readonly Buffer[]) =>
    der(
      SEQUENCE,
      der(0xa0, integer(2)),
      SERIAL,
      ECDSA_SHA256,
      nameOf(issuer.name),
      der(SEQUENCE, time(from), time(to)),
      nameOf(name),
      spki(key),
      der(0xa3, der(SEQUENCE, ...all)),
    )
  const all = [...extensions, keyIds(key, issuer.publicKey)].flat()
  const signed = body(stamp === undefined ? all : [...all, stamp(body(all))])
  return der(SEQUENCE, signed, ECDSA_SHA256, bits(sign('sha256', signed, issuer.privateKey)))
}

export function extension(id: string, value: Buffer, isCritical = false): Buffer {
  return der(SEQUENCE, objectId(id), ...(isCritical ? [der(0x01, Buffer.of(0xff))] : []), octets(value))
}

/** An authority, that may sign certificates. */
export const AUTHORITY = [
  extension('2.5.29.15', bits(Buffer.of(0x06), 1), true),
  extension('2.5.29.19', der(SEQUENCE, der(0x01, Buffer.of(0xff))), true),
]

/** What Fulcio writes of who asked. Keys that are numbers: Fulcio's own extensions, below 1.3.6.1.4.1.57264.1. */
export function identity(subject: string, claims: Readonly<Record<number, string>>): Buffer[] {
  const isMail = !subject.includes('://')
  return [
    extension('2.5.29.15', bits(Buffer.of(0x80), 7), true),
    extension('2.5.29.37', der(SEQUENCE, objectId('1.3.6.1.5.5.7.3.3'))),
    extension('2.5.29.17', der(SEQUENCE, der(isMail ? 0x81 : 0x86, Buffer.from(subject))), true),
    ...Object.entries(claims).map(([id, text]) => extension(`1.3.6.1.4.1.57264.1.${id}`, utf8(text))),
  ]
}

export function spki(key: KeyObject): Buffer {
  return key.export({ type: 'spki', format: 'der' })
}

function keyIds(own: KeyObject, issuers: KeyObject): Buffer[] {
  const id = (key: KeyObject) => createHash('sha1').update(spki(key)).digest()
  return [extension('2.5.29.14', octets(id(own))), extension('2.5.29.35', der(SEQUENCE, der(0x80, id(issuers))))]
}

function nameOf(text: string): Buffer {
  if (text === '') return der(SEQUENCE)
  return der(SEQUENCE, der(SET, der(SEQUENCE, objectId('2.5.4.3'), utf8(text))))
}
