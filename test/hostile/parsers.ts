/** Every parser that reads what strangers write, by the file and name of its function, and what to call it with. */
import { entryPointsFault } from '../../src/archive/entry-points.ts'
import { isTooLong } from '../../src/archive/member-paths.ts'
import { parseRecord } from '../../src/archive/wheel-record.ts'
import { HtmlText } from '../../src/jobs/html-text.ts'
import { plainAddress } from '../../src/lib/addresses.ts'
import { parseBoundedJson } from '../../src/lib/bounded-json.ts'
import { parseByteSize } from '../../src/lib/byte-size.ts'
import { asDigest, parseDigest } from '../../src/lib/digest.ts'
import { HtmlTooDeep } from '../../src/lib/html-depth.ts'
import { linesOf } from '../../src/lib/lines.ts'
import { withoutUrlSecrets } from '../../src/lib/log.ts'
import { withoutTrailing } from '../../src/lib/trailing.ts'
import { readRequirement } from '../../src/locks/requirement.ts'
import { readHash } from '../../src/locks/wanted.ts'
import { Problem } from '../../src/model/errors.ts'
import { asIndexName, asUserName, groupName, indexPart, parseIndexName, userName } from '../../src/model/names.ts'
import { AttestationError, parseAttestations } from '../../src/pep/attestation.ts'
import * as facts from '../../src/pep/file-facts.ts'
import * as filenames from '../../src/pep/filename.ts'
import { MetadataError, parseMetadata } from '../../src/pep/metadata.ts'
import { asProjectName, projectName } from '../../src/pep/name.ts'
import { parseProvenance } from '../../src/pep/provenance.ts'
import { isMarker, isRequirement } from '../../src/pep/requirement.ts'
import { detailFromHtml } from '../../src/pep/simple-html.ts'
import { detailFromJson } from '../../src/pep/simple-json.ts'
import { asVersion, isPrerelease, isSpecifier, version } from '../../src/pep/version.ts'
import { parse } from '../../src/pep/version-parts.ts'
import { textOf } from '../../src/upstream/body.ts'
import { readNetrc } from '../../src/upstream/netrc.ts'
import { retryAfterMs } from '../../src/upstream/request.ts'
import { cleanReadme } from '../../src/web/packages/readme-clean.ts'

export type Read = (text: string) => unknown

const PAGE = new URL('http://127.0.0.1/simple/demo/')
const NAME = projectName('demo')
const CLOCK = { now: () => new Date(0) }
const bytes = (text: string) => Buffer.from(text)
const header = (name: string) => (text: string) =>
  parseMetadata(bytes(`Metadata-Version: 2.1\nName: demo\nVersion: 1\n${name}: a${text}b\n`))

/** `folder/file#name`; behind a space which part of its input the text is. */
export const PARSERS: Readonly<Record<string, Read>> = {
  'archive/entry-points#entryPointsFault': (text) => entryPointsFault(`[a]\nb = c${text}d`),
  'archive/member-paths#isTooLong': isTooLong,
  'archive/wheel-record#parseRecord': parseRecord,
  'jobs/html-text#HtmlText': (text) => {
    const page = new HtmlText(1_000_000)
    page.write(bytes(text))
    return page.end()
  },
  'lib/bounded-json#parseBoundedJson': (text) => parseBoundedJson(text),
  'lib/byte-size#parseByteSize': (text) => parseByteSize(`1${text}!`),
  'lib/digest#asDigest': asDigest,
  'lib/digest#parseDigest': parseDigest,
  'lib/lines#linesOf': (text) => [...linesOf(text)],
  'lib/log#withoutUrlSecrets': withoutUrlSecrets,
  'lib/trailing#withoutTrailing': (text) => withoutTrailing(`${text}!`, '/'),
  'locks/requirement#readRequirement': (text) => readRequirement(`demo${text}(`),
  'locks/wanted#readHash': readHash,
  'model/names#groupName': groupName,
  'model/names#indexPart': indexPart,
  'model/names#parseIndexName': parseIndexName,
  'model/names#userName': userName,
  'pep/attestation#parseAttestations': (text) => parseAttestations(text, 8),
  'pep/file-facts#readAddress': (text) => facts.readAddress(text, PAGE),
  'pep/file-facts#readHashes': (text) => facts.readHashes({ sha256: text }),
  'pep/file-facts#readSize': facts.readSize,
  'pep/file-facts#readStamp': facts.readStamp,
  'pep/file-facts#readStatus': facts.readStatus,
  'pep/file-facts#readUploadTime': facts.readUploadTime,
  'pep/filename#asFilename': filenames.asFilename,
  'pep/filename#candidates': (text) => filenames.candidates(`${text}.tar.gz`),
  'pep/filename#fileTypeOf': filenames.fileTypeOf,
  'pep/filename#filename': filenames.filename,
  'pep/filename#isStemOf': (text) => filenames.isStemOf(text, NAME, '1'),
  'pep/filename#matchesProject': (text) => filenames.matchesProject(`${text}.tar.gz`, NAME),
  'pep/filename#matchesVersion': (text) => filenames.matchesVersion(`${text}.tar.gz`, '1', NAME),
  'pep/filename#parseFilename': (text) => filenames.parseFilename(`demo-${text}.tar.gz`),
  'pep/filename#pythonTagOf': (text) => filenames.pythonTagOf(`${text}.whl`),
  'pep/filename#versionOf': (text) => filenames.versionOf(`demo-${text}.tar.gz`, NAME),
  'pep/metadata#parseMetadata': (text) => parseMetadata(bytes(text)),
  'pep/metadata#parseMetadata Summary': header('Summary'),
  'pep/metadata#parseMetadata Keywords': header('Keywords'),
  'pep/metadata#parseMetadata Requires-Dist': header('Requires-Dist'),
  'lib/addresses#plainAddress': plainAddress,
  'model/names#asIndexName': asIndexName,
  'model/names#asUserName': asUserName,
  'pep/name#asProjectName': asProjectName,
  'pep/name#projectName': projectName,
  'pep/provenance#parseProvenance': parseProvenance,
  'pep/requirement#isMarker': isMarker,
  'pep/requirement#isRequirement': (text) => isRequirement(`demo @ a${text}`),
  'pep/simple-html#detailFromHtml': (text) => detailFromHtml(`<html>${text}</html>`, PAGE, NAME),
  'pep/simple-json#detailFromJson': (text) => detailFromJson(text, PAGE),
  'pep/version#asVersion': asVersion,
  'pep/version#isPrerelease': isPrerelease,
  'pep/version#isSpecifier': isSpecifier,
  'pep/version#version': version,
  'pep/version-parts#parse': parse,
  'upstream/body#textOf': (text) => textOf(bytes('a'), `text/html${text}`),
  'upstream/netrc#readNetrc': readNetrc,
  'upstream/request#retryAfterMs': (text) => retryAfterMs(`1${text}!`, CLOCK),
  'web/packages/readme-clean#cleanReadme': cleanReadme,
}

/** What a parser may throw. A recursion that ends with the stack is a fault, and so is a mere `TypeError`. */
export function isDocumented(error: unknown): boolean {
  if (error instanceof RangeError) return !/call stack/.test(error.message)
  return [SyntaxError, Problem, HtmlTooDeep, AttestationError, MetadataError].some((known) => error instanceof known)
}

const SHORT = 'not measured yet: takes a value, not the text that it was read from'
const FILES = 'takes a path, not text; what it reads is read by others of this table'
/** Functions that look like parsers, and why they are not measured here. */
export const APART: Readonly<Record<string, string>> = {
  'archive/fault#quoted': 'writes a text that is shown',
  'archive/read-metadata#readArchiveMetadata': FILES,
  'archive/small-zip#listSmallZip': 'takes a zip, bounded by its count of members',
  'config/devpi-file#readDevpiFile': FILES,
  'lib/digest#digestOf': 'hashes bytes',
  'lib/addresses#hextetsOf': 'takes what isIP has taken for an address',
  'lib/addresses#isLoopbackAddress': 'compares the beginning of a text',
  'lib/addresses#isOwnAddress': 'calls plainAddress',
  'lib/json-object#asObject': SHORT,
  'lib/nearest#nearest': 'takes what the operator wrote',
  'lib/reason#reasonOf': 'takes an error',
  'locks/wanted-file#readWanted': FILES,
  'model/aliases#isAlias': SHORT,
  'model/errors#isDiskFull': 'takes an error',
  'model/index-options#isIndexOption': 'looks a key up',
  'model/option-values#readText': SHORT,
  'pep/attestation#isSameDistribution': SHORT,
  'pep/attestation#readAttestation': 'is called by parseAttestations',
  'pep/osv-query#readAdvisoryQuery': SHORT,
  'pep/osv-record#isPythonEcosystem': SHORT,
  'pep/osv-record#readAdvisory': SHORT,
  'publish/form-metadata#isSingle': 'looks a field up',
  'publish/small-form#readSmallForm': 'not measured yet: it takes a boundary and bytes',
  'transfer/devpi/devpi-dump#readDump': FILES,
  'transfer/devpi/dump-values#asRecord': SHORT,
  'transfer/devpi/dump-values#dumpVersion': SHORT,
  'transfer/devpi/dump-values#timeOf': SHORT,
  'transfer/devpi/dump-values#yankedOf': SHORT,
  'transfer/devpi/file-description#isTestResult': SHORT,
  'web/html#raw': 'marks text as HTML',
  'web/links#pathOf': 'writes a link',
  'web/packages/install-lines#shellWord': 'writes a word of a command',
  'web/packages/readme#markupOf': SHORT,
  'web/packages/readme-rst#htmlOfRst': 'not measured yet: the work is that of a library, bounded by readmeBytes',
  'web/readable#dayOf': SHORT,
}
