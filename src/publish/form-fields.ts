/** Reads project and version from an upload form. */

import { faultsOf } from '../archive/fault.ts'
import { Problem } from '../model/errors.ts'
import { asProjectName, type ProjectName } from '../pep/name.ts'
import { asVersion } from '../pep/version.ts'
import { FORM_RULES } from './form-rules.ts'
import type { UploadForm } from './receive.ts'

export interface NamedRelease {
  /** As it was sent. */
  readonly name: string
  readonly project: ProjectName
  readonly version: string
}

/** Throws `bad-request` for a form that says one thing twice, or is one of another protocol. */
export function checkForm(form: UploadForm): void {
  const faults = faultsOf(FORM_RULES, form.fields)
  if (faults.length === 0) return
  const message = faults.map(({ what }) => what).join('; ')
  throw new Problem('bad-request', `Cannot use the upload form: ${message}`, {
    hint: faults.map(({ fix }) => fix).join('; '),
  })
}

/** The first value of a field. */
export function fieldOf(form: UploadForm, field: string): string | undefined {
  return form.fields.get(field)?.[0]
}

/** The project and the version that every form but that of documentation must have. Throws `metadata-invalid`. */
export function releaseOf(form: UploadForm): NamedRelease {
  const missing = ['name', 'version'].filter((field) => !fieldOf(form, field))
  if (missing.length > 0) throw invalid(`the form has no ${missing.join(' and no ')}`)
  return { ...projectOf(form), version: versionIn(form)! }
}

/** Throws `metadata-invalid`. */
export function projectOf(form: UploadForm): Omit<NamedRelease, 'version'> {
  const name = fieldOf(form, 'name')
  if (!name) throw invalid('the form has no name')
  const project = asProjectName(name)
  if (project === undefined) throw invalid(`'${name.slice(0, 200)}' is not a valid project name`)
  return { name, project }
}

/** `undefined` where the form has none, or an empty one. Throws `metadata-invalid`. */
export function versionIn(form: UploadForm): string | undefined {
  const version = fieldOf(form, 'version')
  if (!version) return undefined
  if (asVersion(version) === undefined) throw invalid(`'${version.slice(0, 200)}' is not a valid version (PEP 440)`)
  return version
}

function invalid(what: string): Problem {
  return new Problem('metadata-invalid', `invalid metadata: ${what}`)
}
