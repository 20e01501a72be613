/** Wheels of acme 1.0 that are wrong in one thing each, with the words that refuse them. */
import { createHash } from 'node:crypto'
import { extraField, type RawEnd, type RawMember, rawZip } from './raw-zip.ts'

export interface BadFile {
  readonly what: string
  readonly filename: string
  readonly bytes: Buffer
  /** Stands in the answer. */
  readonly says: string
}

interface Changes {
  /** Files of `.dist-info`: `null` leaves one out. */
  readonly METADATA?: string | null
  readonly WHEEL?: string | null
  readonly RECORD?: string | null | ((record: string) => string)
  readonly 'entry_points.txt'?: string
  readonly info?: string
  /** More members, listed in RECORD unless it is given. */
  readonly add?: readonly RawMember[]
  readonly end?: RawEnd
}

const METADATA = 'Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n'
const WHEEL = 'Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n'
const CODE: RawMember = { name: 'acme/__init__.py', content: 'x = 1\n' }
const X: RawMember = { name: 'acme/x.py', content: 'x = 2\n', stored: true }
const HUGE = 500 * 1024 * 1024
const PATH = { id: 0x7075, head: Buffer.from([1, 0, 0, 0, 0]) }

/** A wheel that is right but for `changes`, and wholly right without. */
export function acmeWheel(changes: Changes = {}): Buffer {
  const { info = 'acme-1.0.dist-info', add = [], end } = changes
  const text = (name: 'METADATA' | 'WHEEL' | 'entry_points.txt', usual?: string): RawMember[] => {
    const content = changes[name] === undefined ? usual : changes[name]
    return content == null ? [] : [{ name: `${info}/${name}`, content }]
  }
  const members = [CODE, ...add, ...text('METADATA', METADATA), ...text('WHEEL', WHEEL), ...text('entry_points.txt')]
  const rows = members.filter(({ name }) => !name.toString().endsWith('/')).map(row)
  const record = `${rows.join('')}${info}/RECORD,,\n`
  const written = typeof changes.RECORD === 'function' ? changes.RECORD(record) : (changes.RECORD ?? record)
  if (changes.RECORD !== null) members.push({ name: `${info}/RECORD`, content: written })
  return rawZip(members, end)
}

function row({ name, content }: RawMember): string {
  const hash = createHash('sha256').update(content).digest('base64url')
  return `${name},sha256=${hash},${Buffer.byteLength(content)}\n`
}

const bad = (what: string, says: string, changes: Changes | Buffer): BadFile => ({
  what: `a wheel with ${what}`,
  filename: 'acme-1.0-py3-none-any.whl',
  bytes: Buffer.isBuffer(changes) ? changes : acmeWheel(changes),
  says,
})
/** A tar's mark, where its first header would have it, behind the header of a zip's first member. */
function tarsMark(): string {
  return 'ustar'.padStart(257 + 5 - 30 - X.name.length).padEnd(600)
}
const named = (name: string | Buffer): Changes => ({ add: [{ name, content: '' }] })
const member = (more: Partial<RawMember>): Changes => ({ add: [{ ...X, ...more }] })
const good = acmeWheel()

/** The zip itself. */
const BAD_ZIPS: readonly BadFile[] = [
  bad('a login page in its place', 'it does not begin as a zip does', Buffer.from('<html>Please log in</html>')),
  bad('its last quarter missing', 'it is no zip, or was cut short', good.subarray(0, good.length * 0.75)),
  bad('bytes before it', 'invalid central directory file header', Buffer.concat([Buffer.from('PK\x03\x04'), good])),
  bad('text behind it', 'Invalid comment length', { end: { after: Buffer.from('<script>') } }),
  bad('a comment', 'it has a comment of 5 bytes', { end: { comment: 'hello' } }),
  bad('a disk before it', 'multi-disk', { end: { disk: 1 } }),
  bad('one entry more than it says', 'its directory does not end where', { add: [X], end: { members: 4 } }),
  bad('an end record for another directory', 'the records at its end contradict', { end: { members: 3 } }),
  bad('bytes between directory and end', 'where the end record begins', { end: { between: Buffer.alloc(7) } }),
  bad('a tar in it from its first byte', 'it is a zip and a tar at once', rawZip([{ ...X, content: tarsMark() }])),
  bad('two files of one name', 'it contains "acme/__init__.py" twice', { add: [{ ...CODE, content: 'x = 3\n' }] }),
  bad('a name in Latin-1', 'has a name that is not UTF-8', named(Buffer.from('acme/\xe9.py', 'latin1'))),
  bad(
    'a second name for a file',
    'is also named "acme/y.py"',
    member({ both: { extra: extraField(PATH.id, Buffer.concat([PATH.head, Buffer.from('acme/y.py')])) } }),
  ),
  bad(
    'two zip64 fields for a file',
    'has an extra field twice',
    member({ both: { extra: Buffer.concat([extraField(1, Buffer.alloc(8)), extraField(1, Buffer.alloc(8))]) } }),
  ),
  bad('a comment on a file', '"acme/x.py" has a comment', member({ central: { comment: 'hello' } })),
  bad('an encrypted file', '"acme/x.py" is encrypted', member({ both: { flags: 0x801, sizeBytes: 0 }, stored: false })),
  bad('a strongly encrypted file', 'strong encryption', member({ both: { flags: 0x841 } })),
  bad('a file packed with LZMA', 'by a method that installers do not know', member({ both: { method: 14 } })),
  bad('a symbolic link', '"acme/x.py" is a symbolic link', member({ central: { mode: 0o120777 } })),
  bad('a device', '"acme/x.py" is a special file', member({ central: { mode: 0o020666 } })),
  bad('a folder with bytes', 'is a folder and holds bytes', member({ name: 'acme/sub/' })),
  bad('a file without a header', 'has no header where the directory says', member({ central: { headerAt: 5 } })),
  bad('a file outside of it', 'its member "acme/y.py" has no header', {
    add: [{ ...X, name: 'acme/y.py', central: { headerAt: 2 ** 30 } }],
  }),
  bad(
    'another name in the header',
    'is called "acme/y.py" in its own header',
    member({ local: { name: 'acme/y.py' } }),
  ),
  bad('another method in the header', 'is packed in another way by its header', member({ local: { method: 8 } })),
  bad('another size in the header', 'has another size or checksum in its header', member({ local: { sizeBytes: 1 } })),
  bad('another checksum in the header', 'another size or checksum', {
    add: [{ ...X, name: 'acme/z.py', local: { crc: 1 } }],
  }),
  bad('hidden bytes between two files', 'that belong to no member', member({ before: Buffer.from('hidden') })),
  bad('files that overlap', 'its members overlap', {
    add: [
      { ...X, content: rawZip([{ ...X, name: 'acme/y.py' }]).subarray(0, 45) },
      { ...X, name: 'acme/y.py', central: { headerAt: 0 } },
    ],
  }),
  bad('a compression bomb', 'as compression bombs do', member({ stored: false, both: { sizeBytes: HUGE } })),
  bad('a stored file with two sizes', 'size mismatch for stored file', member({ both: { sizeBytes: 7 } })),
  bad('a name that is empty', 'it has a member without a name', named('')),
  bad('a name of too many parts', 'has more than 50 parts', named(`${'a/'.repeat(50)}x.py`)),
  bad('a name that is too long', 'more than 50 parts or 1024 characters', named(`acme/${'a'.repeat(1100)}.py`)),
  bad('an absolute path', 'the name of its member "/etc/passwd" is an absolute path', named('/etc/passwd')),
  bad('a drive letter', '"c:/x.py" begins with a drive letter', named('c:/x.py')),
  bad('a backslash', 'has a backslash', named('acme\\x.py')),
  bad('a line feed in a name', 'has control characters', named('acme/x\n.py')),
  bad('a path that climbs out', '"acme/../../x.py" climbs out of its folder', named('acme/../../x.py')),
  bad('two slashes in a name', '"acme//x.py" is not plain', named('acme//x.py')),
  bad('a file below a file', '"acme/__init__.py" is a file and a folder at once', named('acme/__init__.py/x.py')),
]

/** What a sound zip has to hold. */
const BAD_CONTENTS: readonly BadFile[] = [
  bad('no .dist-info', 'it has no .dist-info folder', rawZip([CODE])),
  bad('two .dist-info', 'it has more than one .dist-info folder', named('b-1.dist-info/METADATA')),
  bad('the .dist-info of another project', '"b-1.0.dist-info" belongs to another release', { info: 'b-1.0.dist-info' }),
  bad('the .dist-info of another version', '"acme-2.dist-info" belongs to another', { info: 'acme-2.dist-info' }),
  bad('no METADATA', 'it has no METADATA', { METADATA: null }),
  bad('no WHEEL', 'it has no WHEEL', { WHEEL: null }),
  bad('no RECORD', 'it has no RECORD', { RECORD: null }),
  bad('a WHEEL without version', 'its WHEEL names no Wheel-Version', { WHEEL: 'Tag: py3-none-any\n' }),
  bad('a WHEEL of version 2', 'its Wheel-Version "2.0" is not 1.x', { WHEEL: 'Wheel-Version: 2.0\n' }),
  bad('a RECORD that is no CSV', 'line 1 is no path, hash and size', { RECORD: 'acme "quoted" badly\n' }),
  bad('a RECORD with a strange hash', 'line 1 has no hash as RECORD writes it', { RECORD: 'acme/x.py,sha256:1,1\n' }),
  bad('a RECORD with a strange size', 'line 1 has no size in bytes', { RECORD: 'acme/x.py,sha256=a,two\n' }),
  bad('md5 in RECORD', 'no hash of sha256 or better for "acme/__init__.py"', {
    RECORD: (text) => text.replace(/sha256=[\w-]+/, 'md5=1B2M2Y8AsgTpgAmY7PhCfg'),
  }),
  bad('a file that RECORD does not list', 'its RECORD does not list "acme/__init__.py"', {
    RECORD: (text) => text.replace(/^.*\n/, ''),
  }),
  bad('a file in RECORD that is not there', 'its RECORD lists "acme/gone.py", and it is not there', {
    RECORD: (text) => `${row({ name: 'acme/gone.py', content: '' })}${text}`,
  }),
  bad('another size in RECORD', 'its RECORD says that "acme/__init__.py" has 9 bytes, and it has 6', {
    RECORD: (text) => text.replace(',6\n', ',9\n'),
  }),
  bad('a file twice in RECORD', 'its RECORD lists "acme/__init__.py" twice', { RECORD: (text) => row(CODE) + text }),
  bad('an entry point without group', 'line 1 stands before the first group', {
    'entry_points.txt': 'a = acme:main\n',
  }),
  bad('an entry point without object', 'line 2 is no "name = module:object"', { 'entry_points.txt': '[a]\nmain\n' }),
  bad('an entry point that is a command', 'line 2 names no "module:object"', {
    'entry_points.txt': '[a]\nb = rm -r\n',
  }),
  bad('a group that does not end', 'line 1 begins a group and does not end it', { 'entry_points.txt': '[a\n' }),
  bad('a script called python3', '"acme-1.0.data/scripts/python3" would replace Python', {
    add: [{ name: 'acme-1.0.data/scripts/python3', content: '#!python\n' }],
  }),
  bad('a command called python', 'its command "python" would replace Python itself', {
    'entry_points.txt': '[console_scripts]\npython = acme:main\n',
  }),
  bad('a licence that is missing', 'it does not hold its licence file "LICENCE.txt"', {
    METADATA: `${METADATA.replace('2.1', '2.4')}License-File: LICENCE.txt\n`,
  }),
]

const metadata = (what: string, lines: string, says: string): BadFile =>
  bad(`metadata that has ${what}`, says, { METADATA: METADATA + lines })

const BAD_METADATA: readonly BadFile[] = [
  bad('metadata without a name', 'Cannot read metadata: it has no "Name"', { METADATA: 'Version: 1.0\n' }),
  bad('metadata without a version', 'Cannot read metadata: it has no "Version"', { METADATA: 'Name: acme\n' }),
  bad('metadata of version 3', '"Metadata-Version" "3.0" is not known', { METADATA: METADATA.replace('2.1', '3.0') }),
  bad('metadata of a name that is none', 'the name "ac me" is invalid', {
    METADATA: METADATA.replace('acme', 'ac me'),
  }),
  bad('metadata of another project', "the archive says name 'other'", { METADATA: METADATA.replace('acme', 'other') }),
  bad('metadata of another version', "the archive says version '2.0'", { METADATA: METADATA.replace('1.0', '2.0') }),
  bad('metadata of no version', 'its version "one" is not one of PEP 440', {
    METADATA: METADATA.replace('1.0', 'one'),
  }),
  metadata('no specifier', 'Requires-Python: three\n', "requires_python 'three' is not a version specifier"),
  metadata('a requirement that is none', 'Requires-Dist: a b\n', 'its Requires-Dist "a b" is no requirement'),
  metadata('a marker that is none', "Requires-Dist: a; os == 'x'\n", `"a; os == 'x'" is no requirement`),
  metadata('an extra that is none', 'Provides-Extra: a b\n', 'its Provides-Extra "a b" is no name'),
  metadata('a description of HTML', 'Description-Content-Type: text/html\n', '"text/html" is not one of text/plain'),
  metadata('a long summary', `Summary: ${'x'.repeat(600)}\n`, 'its Summary has 600 characters'),
  metadata('an address without label', 'Project-URL: http://localhost/\n', 'its Project-URL "http://localhost/" is no'),
  metadata('a licence that is none', 'License-Expression: MIT, free\n', '"MIT, free" is none of SPDX'),
  metadata('a licence file elsewhere', 'License-File: ../LICENCE\n', 'its License-File "../LICENCE" is no path'),
  metadata('a dynamic name', 'Dynamic: Name\n', 'its Dynamic names "Name", which cannot be dynamic'),
]

export const BAD_WHEELS: readonly BadFile[] = [...BAD_ZIPS, ...BAD_CONTENTS, ...BAD_METADATA]
