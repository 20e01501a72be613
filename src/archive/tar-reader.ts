/** A tar's members as they come by, with bounds for the headers that stand before them. */
import tar from 'tar-stream'
import { ArchiveError } from './source.ts'

/** Of a pax header or a long name: real ones have some 200 bytes, with extended attributes some thousand. */
const HEADER_BYTES_MOST = 1024 * 1024
/** Of a header for all members that follow: git writes one record there. The reader copies them for each member. */
const GLOBAL_BYTES_MOST = 16 * 1024
const GLOBAL_RECORDS_MOST = 32

/** What tar-stream 3 has and its types do not tell. */
interface LongHeaders {
  readonly _header: { readonly type: string }
  readonly _paxGlobal: object | null
  _decodeLongHeader(bytes: Uint8Array): void
}

/** Fails with `ArchiveError` at a header past its bound. */
export function openTar(): tar.Extract {
  const reader = tar.extract()
  const hidden = reader as unknown as LongHeaders
  const decode = hidden._decodeLongHeader.bind(hidden)
  hidden._decodeLongHeader = (bytes) => {
    const isGlobal = hidden._header.type === 'pax-global-header'
    const most = isGlobal ? GLOBAL_BYTES_MOST : HEADER_BYTES_MOST
    if (bytes.length > most) throw new ArchiveError('too-big', `a header of it has more than ${most} bytes`)
    decode(bytes)
    if (isGlobal && Object.keys(hidden._paxGlobal ?? {}).length > GLOBAL_RECORDS_MOST) {
      throw new ArchiveError('too-big', `a header for all its members has more than ${GLOBAL_RECORDS_MOST} records`)
    }
  }
  return reader
}
