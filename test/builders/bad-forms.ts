/** Upload forms for a good wheel of acme 1.0 that are wrong in one thing each, with the words that refuse them. */
import { acmeWheel } from './bad-wheels.ts'
import type { FormPart } from './multipart.ts'

export interface BadForm {
  readonly what: string
  readonly parts: readonly FormPart[]
  /** Stands in the answer. */
  readonly says: string
}

type Fields = Readonly<Record<string, string | readonly string[] | undefined>>

const FILENAME = 'acme-1.0-py3-none-any.whl'
const CONTENT: FormPart = { name: 'content', filename: FILENAME, content: acmeWheel() }
const TRUE: Fields = { ':action': 'file_upload', protocol_version: '1', name: 'acme', version: '1.0' }

/** The form with some of its fields changed, added, or left out (`undefined`). */
export function acmeForm(fields: Fields = {}, content: readonly FormPart[] = [CONTENT]): FormPart[] {
  const texts = Object.entries({ ...TRUE, ...fields }).flatMap(([name, value]) =>
    [value ?? []].flat().map((text) => ({ name, content: text })),
  )
  return [...texts, ...content]
}

const bad = (what: string, says: string, fields: Fields, content?: readonly FormPart[]): BadForm => ({
  what: `a form with ${what}`,
  says,
  parts: acmeForm(fields, content),
})

export const BAD_FORMS: readonly BadForm[] = [
  bad('no :action', ':action field not found', { ':action': undefined }),
  bad('an unknown :action', "action 'erase' not supported", { ':action': 'erase' }),
  bad('two actions', 'it has field ":action" more than once', { ':action': ['file_upload', 'submit'] }),
  bad('two names', 'it has field "name" more than once', { name: ['acme', 'other'] }),
  bad('two versions', 'it has field "version" more than once', { version: ['1.0', '2.0'] }),
  bad('another protocol', 'its protocol_version "2" is not 1', { protocol_version: '2' }),
  bad('no file', 'content file field not found', {}, []),
  bad('text for a file', 'content file field not found: the field "content" is text', { content: 'PK' }, []),
  bad('two files', 'it has more than one file called content', {}, [CONTENT, CONTENT]),
  bad('an empty file', `file '${FILENAME}' is empty`, {}, [{ ...CONTENT, content: '' }]),
  bad('a file of no archive', "'acme-1.0.txt' is not a valid archive name", {}, [
    { ...CONTENT, filename: 'acme-1.0.txt' },
  ]),
  bad('a file without name', "'' is not a valid archive name", {}, [{ ...CONTENT, filename: '' }]),
  bad('a wheel with two tags', "filename 'acme-1.0-py3-none.whl' does not", {}, [
    { ...CONTENT, filename: 'acme-1.0-py3-none.whl' },
  ]),
  bad('no name', 'invalid metadata: the form has no name', { name: undefined }),
  bad('no version', 'invalid metadata: the form has no version', { version: undefined }),
  bad('a name that is none', "'ac me' is not a valid project name", { name: 'ac me' }),
  bad('a version that is none', "'one' is not a valid version (PEP 440)", { version: 'one' }),
  bad('the name of another project', "does not match project name 'other'", { name: 'other' }),
  bad('another version', "does not contain version '2.0'", { version: '2.0' }),
  bad('an unknown filetype', "filetype 'bdist_snake' is not known", { filetype: 'bdist_snake' }),
  bad('the filetype of an sdist', "filetype 'sdist' does not fit filename", { filetype: 'sdist' }),
  bad('the pyversion of an sdist', "pyversion 'source' does not fit filename", { pyversion: 'source' }),
  bad('the pyversion of another Python', "pyversion 'cp39' does not fit filename", { pyversion: 'cp39' }),
  bad('another sha256', `the form declares ${'a'.repeat(64)}`, { sha256_digest: 'a'.repeat(64) }),
  bad('another md5', `md5 of the file is`, { md5_digest: 'b'.repeat(32) }),
  bad('another md5 in base64', 'the form declares AAAAAAAAAAAAAAAAAAAAAA', { md5_digest: 'A'.repeat(22) }),
  bad('another blake2b', 'blake2_256 of the file is', { blake2_256_digest: 'c'.repeat(64) }),
  bad('the metadata of version 3', "the form says metadata_version '3.0'", { metadata_version: '3.0' }),
  bad('another requires_python', "requires_python '', the form '>=99'", { requires_python: '>=99' }),
]
