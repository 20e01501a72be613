/** Project pages for property tests: any that an index could serve, with absolute addresses. */
import fc from 'fast-check'
import { projectName } from '../../src/pep/name.ts'
import type { ProjectDetail } from '../../src/pep/simple.ts'

const hex = fc
  .array(fc.constantFrom(...'0123456789abcdef'), { minLength: 64, maxLength: 64 })
  .map((digits) => digits.join(''))
const record = <T>(shape: { [K in keyof T]: fc.Arbitrary<T[K]> }) => fc.record(shape, { noNullPrototype: true })
const word = fc.stringMatching(/^[a-z0-9]{1,8}$/)
const version = fc.tuple(fc.nat(20), fc.nat(20)).map((parts) => parts.join('.'))
const hashes = fc.oneof(fc.constant({}), record({ sha256: hex }), record({ md5: hex, sha256: hex }))
const reason = fc.string({ minLength: 1 })

const file = fc
  .tuple(word, version, fc.constantFrom('.tar.gz', '-py3-none-any.whl', '.zip'), word, fc.constantFrom('http', 'https'))
  .chain(([project, release, ending, host, scheme]) => {
    const filename = `${project}-${release}${ending}`
    return fc.record(
      {
        filename: fc.constant(filename),
        url: fc.constant(`${scheme}://${host}a.example/${project}/${filename}`),
        hashes,
        size: fc.nat(),
        uploadTime: fc
          .date({ min: new Date('2000-01-01T00:00:00Z'), max: new Date('2100-01-01T00:00:00Z'), noInvalidDate: true })
          .map((date) => date.toISOString()),
        requiresPython: fc.constantFrom('>=3.8', '<4,>=3.8', '!=3.9.*', "=='&amp;\"'"),
        yanked: fc.oneof(fc.constant(true as const), reason),
        coreMetadata: fc.oneof(fc.constant(true as const), record({ sha256: hex })),
        provenance: fc.constant(`https://${host}a.example/integrity/${filename}/provenance`),
        gpgSig: fc.boolean(),
      },
      { requiredKeys: ['filename', 'url', 'hashes'], noNullPrototype: true },
    )
  })

/** A `ProjectDetail` that JSON carries without loss. */
export const details: fc.Arbitrary<ProjectDetail> = fc.record(
  {
    name: word.map(projectName),
    files: fc.array(file, { maxLength: 5 }),
    versions: fc.uniqueArray(version, { maxLength: 5 }),
    status: fc.record(
      { status: fc.constantFrom('active', 'archived', 'quarantined', 'deprecated'), reason },
      { requiredKeys: ['status'], noNullPrototype: true },
    ),
    lastStamp: fc.nat(),
  },
  { requiredKeys: ['name', 'files', 'versions'], noNullPrototype: true },
)
