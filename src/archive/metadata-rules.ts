/** Rules for core metadata: they refuse metadata that breaks installers or that other parsers read differently. */

import type { CoreMetadata } from '../pep/metadata.ts'
import { asProjectName } from '../pep/name.ts'
import { isRequirement } from '../pep/requirement.ts'
import { asVersion } from '../pep/version.ts'
import { quoted, type Rule } from './fault.ts'

/** The newest minor version of core metadata that is known here. */
const MINOR_KNOWN = 6
const SUMMARY_MOST = 512
const LABEL_MOST = 32
const DESCRIPTION_TYPES = ['text/plain', 'text/x-rst', 'text/markdown']
const FIX = 'correct it in pyproject.toml, or in what your build tool reads, and build again'

/** Name and the version of the format are looked at where metadata is read; the name and the version are compared with the form. */
export const METADATA_RULES: readonly Rule<CoreMetadata>[] = [
  {
    refuses: 'A version in the metadata that is not one of PEP 440',
    fix: FIX,
    fault: ({ version }) =>
      asVersion(version) === undefined ? `its version ${quoted(version)} is not one of PEP 440` : undefined,
  },
  {
    refuses: 'A Requires-Dist that is no requirement (PEP 508)',
    fix: FIX,
    isForm: true,
    fault: (metadata) => {
      const wrong = listOf(metadata, 'requires_dist').find((requirement) => !isRequirement(requirement))
      return wrong && `its Requires-Dist ${quoted(wrong)} is no requirement`
    },
  },
  {
    refuses: 'A Provides-Extra that is no name of an extra',
    fix: FIX,
    isForm: true,
    fault: (metadata) => {
      const wrong = listOf(metadata, 'provides_extras').find((extra) => asProjectName(extra) === undefined)
      return wrong && `its Provides-Extra ${quoted(wrong)} is no name of an extra`
    },
  },
  {
    refuses: 'A Description-Content-Type other than text/plain, text/x-rst and text/markdown',
    fix: FIX,
    isForm: true,
    fault: (metadata) => {
      const type = textOf(metadata, 'description_content_type')
      if (type === '' || DESCRIPTION_TYPES.includes(type.split(';')[0]!.trim().toLowerCase())) return undefined
      return `its Description-Content-Type ${quoted(type)} is not one of ${DESCRIPTION_TYPES.join(', ')}`
    },
  },
  {
    refuses: `A Summary of more than ${SUMMARY_MOST} characters`,
    fix: 'shorten it, and write the rest into the description',
    isForm: true,
    fault: (metadata) => {
      const { length } = textOf(metadata, 'summary')
      return length > SUMMARY_MOST ? `its Summary has ${length} characters, more than ${SUMMARY_MOST}` : undefined
    },
  },
  {
    refuses: `A Project-URL without label and address, or with a label of more than ${LABEL_MOST} characters`,
    fix: FIX,
    isForm: true,
    fault: (metadata) => {
      const wrong = listOf(metadata, 'project_urls').find((text) => !isProjectUrl(text))
      return (
        wrong &&
        `its Project-URL ${quoted(wrong)} is no label of at most ${LABEL_MOST} characters, a comma and an address`
      )
    },
  },
  {
    refuses: 'A License-Expression that is none of SPDX: names joined by AND, OR and WITH',
    fix: FIX,
    isForm: true,
    fault: (metadata) => {
      const expression = textOf(metadata, 'license_expression')
      return expression === '' || isLicenceExpression(expression)
        ? undefined
        : `its License-Expression ${quoted(expression)} is none of SPDX`
    },
  },
  {
    refuses: 'A License-File outside of the archive',
    fix: FIX,
    fault: (metadata) => {
      const wrong = listOf(metadata, 'license_file').find((path) => /^\/|^[a-z]:|\\|(?:^|\/)\.\.(?:\/|$)/i.test(path))
      return wrong && `its License-File ${quoted(wrong)} is no path within the project, with "/" between folders`
    },
  },
  {
    refuses: 'A Dynamic that names Name, Version or Metadata-Version, which are never dynamic (PEP 643)',
    fix: FIX,
    isForm: true,
    fault: (metadata) => {
      const wrong = listOf(metadata, 'dynamic').find((field) => /^(?:name|version|metadata-version)$/i.test(field))
      return wrong && `its Dynamic names ${quoted(wrong)}, which cannot be dynamic`
    },
  },
]

/** What is told to whoever uploads metadata of a newer minor version than is known here; it is taken all the same. */
export function noteOnVersion({ metadataVersion }: Pick<CoreMetadata, 'metadataVersion'>): string | undefined {
  const [major, minor] = metadataVersion.split('.').map(Number)
  if (major !== 2 || minor === undefined || minor <= MINOR_KNOWN) return undefined
  return `Metadata-Version ${metadataVersion} is newer than 2.${MINOR_KNOWN}, the newest known here: fields that came with it are kept and not checked`
}

function isProjectUrl(text: string): boolean {
  const comma = text.indexOf(',')
  const label = text.slice(0, comma).trim()
  return comma > 0 && label !== '' && label.length <= LABEL_MOST && text.slice(comma + 1).trim() !== ''
}

/** By its form: whether the names stand in SPDX's list changes with that list. */
function isLicenceExpression(text: string): boolean {
  let open = 0
  let wantsName = true
  for (const token of text.replace(/[()]/g, ' $& ').trim().split(/\s+/)) {
    const isJoint = /^(?:and|or|with)$/i.test(token)
    if (token === '(' ? !wantsName : token === ')' || isJoint ? wantsName : !wantsName) return false
    if (token === '(') open++
    else if (token === ')') open--
    else if (isJoint) wantsName = true
    else if (/^[a-z0-9][a-z0-9.:-]*\+?$/i.test(token)) wantsName = false
    else return false
    if (open < 0) return false
  }
  return open === 0 && !wantsName
}

function listOf({ fields }: CoreMetadata, key: string): readonly string[] {
  const value = fields[key] ?? []
  return typeof value === 'string' ? [value] : value
}

function textOf({ fields }: CoreMetadata, key: string): string {
  const value = fields[key] ?? ''
  return typeof value === 'string' ? value : (value[0] ?? '')
}
