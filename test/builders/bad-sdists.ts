/** Sdists of acme 1.0 that are wrong in one thing each, with the words that refuse them. */
import { gzipSync } from 'node:zlib'
import type { BadFile } from './bad-wheels.ts'
import { paxHeader, type RawTarMember, rawMember, rawTarGz, TAR_END } from './raw-tar.ts'
import { rawZip } from './raw-zip.ts'
import { tarMember } from './wheels.ts'

const PKG_INFO = 'Metadata-Version: 2.4\nName: acme\nVersion: 1.0\n'
const INFO: RawTarMember = { path: 'acme-1.0/PKG-INFO', content: PKG_INFO }
const END_OF_ZIP = Buffer.concat([Buffer.from('PK\x05\x06', 'latin1'), Buffer.alloc(18)])

const bad = (what: string, says: string, content: readonly RawTarMember[] | Buffer): BadFile => ({
  what: `an sdist with ${what}`,
  filename: 'acme-1.0.tar.gz',
  bytes: Buffer.isBuffer(content) ? content : rawTarGz(content),
  says,
})
const withMember = (member: RawTarMember) => [INFO, member]
const good = rawTarGz([INFO])
const many = (records: number) => Object.fromEntries(Array.from({ length: records }, (_, at) => [`a${at}`, 'x']))
/** The size in a member's own header is 5, whatever comes. */
const twoSizes = rawMember({ path: 'acme-1.0/x', content: 'hello', pax: { size: '512' } })

export const BAD_SDISTS: readonly BadFile[] = [
  bad('a login page in its place', 'it is no complete tar.gz', Buffer.from('<html>Please log in</html>')),
  bad('its last bytes missing', 'unexpected end of file', good.subarray(0, good.length - 9)),
  bad('a tar that is cut short', 'Unexpected end of data', gzipSync(rawMember(INFO).subarray(0, 600))),
  bad('a tar without end', 'its tar has no end, as if it was cut short', rawTarGz([INFO], Buffer.alloc(0))),
  bad('a member behind its end', 'it has something behind the end of its tar', tarBehindItsEnd()),
  bad('text behind its gzip', 'it has bytes behind the end of its gzip', Buffer.concat([good, Buffer.from('hidden')])),
  bad('a zip behind its gzip', 'it is a tar and a zip at once', Buffer.concat([good, END_OF_ZIP])),
  bad('a compression bomb', 'compression bombs', rawTarGz([INFO, { path: 'acme-1.0/x', content: Buffer.alloc(7e7) }])),
  bad(
    'two sizes of a file',
    'a member of it has two sizes',
    gzipSync(Buffer.concat([rawMember(INFO), twoSizes, TAR_END])),
  ),
  bad('one name for all files', 'gives all members the same name', gzipSync(globalName())),
  bad(
    'a sparse file of pax',
    '"acme-1.0/x" is a sparse file',
    withMember({ path: 'acme-1.0/x', pax: { 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0' } }),
  ),
  bad('a sparse file of GNU tar', 'is of a kind that installers do not', withMember({ path: 'acme-1.0/x', kind: 'S' })),
  bad('a device', '"acme-1.0/x" is a device or a pipe', withMember({ path: 'acme-1.0/x', kind: '3' })),
  bad('a pipe', '"acme-1.0/pipe" is a device or a pipe', withMember({ path: 'acme-1.0/pipe', kind: '6' })),
  bad(
    'a link to a file outside',
    '"acme-1.0/x" is a symbolic link that leaves the archive',
    withMember({ path: 'acme-1.0/x', kind: '2', linkTo: '../../x' }),
  ),
  bad(
    'a link to an absolute path',
    '"acme-1.0/y" is a symbolic link that leaves the archive',
    withMember({ path: 'acme-1.0/y', kind: '2', linkTo: '/etc/passwd' }),
  ),
  bad(
    'a hard link to what is not there',
    'is a hard link to what is no file of it',
    withMember({ path: 'acme-1.0/x', kind: '1', linkTo: 'acme-1.0/gone' }),
  ),
  bad('a file written through a link', '"acme-1.0/x" is a file and a folder at once', [
    INFO,
    { path: 'acme-1.0/x', kind: '2', linkTo: '.' },
    { path: 'acme-1.0/x/y' },
  ]),
  bad(
    'a name of 80,000 parts',
    'has more than 50 parts',
    withMember({ path: 'x', pax: { path: `acme-1.0/${'a/'.repeat(80_000)}x` } }),
  ),
  bad(
    'a header for all members of many records',
    'a header for all its members has more than 32 records',
    gzipSync(Buffer.concat([paxHeader(many(33), 'g'), rawMember(INFO), TAR_END])),
  ),
  bad(
    'a header for all members that is long',
    'a header of it has more than 16384 bytes',
    gzipSync(Buffer.concat([paxHeader({ comment: 'x'.repeat(17_000) }, 'g'), rawMember(INFO), TAR_END])),
  ),
  bad('an absolute path', '"/etc/passwd" is an absolute path', withMember({ path: '/etc/passwd' })),
  bad('a path that climbs out', '"acme-1.0/../x" climbs out', withMember({ path: 'acme-1.0/../x' })),
  bad('a backslash', '"acme-1.0\\\\x" has a backslash', withMember({ path: 'acme-1.0\\x' })),
  bad(
    'a name in Latin-1',
    'has a name that is not UTF-8',
    withMember({ path: Buffer.from('acme-1.0/\xe9', 'latin1') }),
  ),
  bad('two folders at its top', 'it has more than one folder at its top', withMember({ path: 'other/x' })),
  bad('the folder of another release', 'its folder "acme-2.0" belongs to another', [
    { ...INFO, path: 'acme-2.0/PKG-INFO' },
  ]),
  bad('no PKG-INFO', 'it contains no PKG-INFO', [{ path: 'acme-1.0/setup.py' }]),
  bad('two PKG-INFO', 'it contains more than one PKG-INFO', [INFO, INFO]),
  bad('metadata of another project', "the archive says name 'b'", [
    { ...INFO, content: PKG_INFO.replace('acme', 'b') },
  ]),
  bad('a licence that is missing', 'it does not hold its licence file "LICENCE"', [
    { ...INFO, content: `${PKG_INFO}License-File: LICENCE\n` },
  ]),
  {
    what: 'an sdist as zip with a path that climbs out',
    filename: 'acme-1.0.zip',
    bytes: rawZip([
      { name: 'acme-1.0/PKG-INFO', content: PKG_INFO },
      { name: '../x', content: '' },
    ]),
    says: '"../x" climbs out of its folder',
  },
  {
    what: 'an sdist as zip without PKG-INFO',
    filename: 'acme-1.0.zip',
    bytes: rawZip([{ name: 'acme-1.0/setup.py', content: '' }]),
    says: "Cannot read archive 'acme-1.0.zip': it contains no PKG-INFO",
  },
]

function tarBehindItsEnd(): Buffer {
  return gzipSync(Buffer.concat([rawMember(INFO), TAR_END, tarMember('acme-1.0/x', Buffer.from('hidden')), TAR_END]))
}

function globalName(): Buffer {
  return Buffer.concat([paxHeader({ path: 'acme-1.0/PKG-INFO' }, 'g'), rawMember(INFO), TAR_END])
}
