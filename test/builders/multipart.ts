/** Upload forms as bytes, in any order and with anything in them. */
export interface FormPart {
  readonly name: string
  readonly content: string | Uint8Array
  /** Makes the part a file. */
  readonly filename?: string
}

export interface Form {
  readonly contentType: string
  readonly body: Buffer
}

const BOUNDARY = '----------tests-of-an-index'

/** The parts in the order given. Names and filenames are written as they are. */
export function multipart(parts: readonly FormPart[]): Form {
  const pieces = parts.flatMap(({ name, content, filename }) => {
    const file = filename === undefined ? '' : `; filename="${filename}"\r\nContent-Type: application/octet-stream`
    return [
      `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"${file}\r\n\r\n`,
      Buffer.from(content),
      '\r\n',
    ]
  })
  const body = Buffer.concat([...pieces, `--${BOUNDARY}--\r\n`].map((piece) => Buffer.from(piece as string)))
  return { contentType: `multipart/form-data; boundary=${BOUNDARY}`, body }
}

/** Text fields from a record; a list is a field sent several times. */
export function fieldParts(fields: Readonly<Record<string, string | readonly string[]>>): FormPart[] {
  return Object.entries(fields).flatMap(([name, value]) =>
    (typeof value === 'string' ? [value] : value).map((content) => ({ name, content })),
  )
}
