/** Just enough DER (X.690) to write a certificate. */

export const SEQUENCE = 0x30
export const SET = 0x31

/** One value: tag, length, and content in any number of pieces. */
export function der(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content)
  if (body.length < 0x80) return Buffer.concat([Buffer.of(tag, body.length), body])
  const digits = body.length < 0x100 ? [body.length] : [body.length >> 8, body.length & 0xff]
  return Buffer.concat([Buffer.of(tag, 0x80 | digits.length, ...digits), body])
}

/** From 0 to 127: versions, and serial numbers of a few. */
export function integer(value: number): Buffer {
  if (value > 127) throw new RangeError(`Cannot write ${value}: it takes more than one byte`)
  return der(0x02, Buffer.of(value))
}

export function objectId(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  const bytes = [first * 40 + second, ...rest].flatMap((part) => {
    const digits = [part & 0x7f]
    for (let left = part >>> 7; left > 0; left >>>= 7) digits.unshift(0x80 | (left & 0x7f))
    return digits
  })
  return der(0x06, Buffer.from(bytes))
}

export function utf8(text: string): Buffer {
  return der(0x0c, Buffer.from(text))
}

export function octets(...content: readonly Uint8Array[]): Buffer {
  return der(0x04, ...content)
}

export function bits(content: Uint8Array, unused = 0): Buffer {
  return der(0x03, Buffer.of(unused), content)
}

/** UTCTime, for years until 2049. */
export function time(date: Date): Buffer {
  return der(0x17, Buffer.from(`${date.toISOString().slice(2, 19).replace(/[-:T]/g, '')}Z`))
}
