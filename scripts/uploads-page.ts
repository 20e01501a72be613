/** `docs/uploads.md`, from the lists of rules that uploads are held to. */
import type { Rule } from '../src/archive/fault.ts'
import { PATH_RULES } from '../src/archive/member-paths.ts'
import { METADATA_RULES } from '../src/archive/metadata-rules.ts'
import { SDIST_RULES } from '../src/archive/sdist-rules.ts'
import { TAR_RULES } from '../src/archive/tar-rules.ts'
import { WHEEL_RULES } from '../src/archive/wheel-rules.ts'
import { ZIP_RULES } from '../src/archive/zip-rules.ts'
import { CHECKS } from '../src/publish/checks.ts'
import { FORM_RULES } from '../src/publish/form-rules.ts'

type Listed = Pick<Rule<never>, 'refuses' | 'fix' | 'isForm'>

const HEAD = `# What an upload is held to

Made by \`scripts/docs.ts\` from the lists of rules. Do not edit it by hand.

twine, uv, poetry, pdm, hatch, flit and devpi's client upload with a form (\`POST\` to the address of an index). Its fields may come in any order,
also behind the file; fields that are not known are ignored. The file goes straight to the disk while its hashes are made, up to 10 GB
(setting \`max_request_body_size\`). What is known of the release afterwards is what the metadata in the file says; the form fills what that leaves
open. Local versions (\`1.0+cu128\`) are welcome.

An upload that breaks a rule is refused with status 400 and kept nowhere. The answer names all that is wrong, and as a hint what to do. The same
file again is a success. On an index that is not volatile another file of the same name is refused with 409, and so is a second sdist for a release.

A mirror's files, and what \`devpi-import\` and \`devpi push\` bring, are not held to these rules: they are what they are.

Rules marked *form* are about form, not safety: an index that is set so takes what breaks them, as devpi does:

\`\`\`sh
devpi index alice/dev upload_checks=lenient     # upload_checks-= makes it strict again
\`\`\`

Eggs, installers, \`.tar.bz2\`, \`.tar.xz\`, \`.tar\` and \`.tar.Z\` are taken as they come: of them only the form and the name are looked at. Old spellings
of names (\`Acme.Tools-1.0.tar.gz\`) are accepted like those of PEP 625. An sdist that was packed by hand may have no folder of its own, as long
as its PKG-INFO is at the top. Members of a wheel may be packed with Zstandard, which uv installs and pip does not; its metadata may not.
`

/** The page as it has to be. */
export function uploadsPage(): string {
  const ownOf = (rules: readonly Listed[]) =>
    rules.filter(({ refuses }) => !PATH_RULES.some((rule) => rule.refuses === refuses))
  return [
    HEAD,
    section('The form', [...FORM_RULES, ...CHECKS]),
    section('Zips: wheels, and sdists that are zips', [
      { refuses: 'A file that does not begin as a zip, or ends before its end record', fix: REBUILD },
      {
        refuses: 'A zip that unpacks to more than 64 MiB and 50 times its size; more than 200,000 members',
        fix: REBUILD,
      },
      {
        refuses: 'A stored member with two sizes, or one that is encrypted strongly; a zip in several parts',
        fix: REBUILD,
      },
      ...ownOf(ZIP_RULES),
    ]),
    section('Names in zips and tars', PATH_RULES),
    section('Wheels', WHEEL_RULES),
    section('Gzipped tars', [
      { refuses: 'A file that is no gzip, ends early, does not match its checksum, or holds no tar', fix: REBUILD },
      {
        refuses: 'A tar that unpacks to more than 64 MiB and 50 times its size; more than 200,000 members',
        fix: REBUILD,
      },
      ...ownOf(TAR_RULES),
    ]),
    section('Sdists', [
      { refuses: 'An sdist without PKG-INFO in its folder, or with more than one', fix: REBUILD },
      ...SDIST_RULES,
    ]),
    section('Metadata', [
      { refuses: 'Metadata without a name, without a version, or with a name that is none', fix: REBUILD },
      {
        refuses:
          'A Metadata-Version that is not 1.x or 2.x. A newer minor version than is known here is taken, with a note',
        fix: REBUILD,
      },
      ...METADATA_RULES,
    ]),
  ].join('\n')
}

const REBUILD = 'build it again with a current build tool, and upload it whole'

function section(title: string, rules: readonly Listed[]): string {
  const rows = rules.map(({ refuses, fix, isForm }) => `| ${refuses}${isForm ? ' (*form*)' : ''} | ${fix} |\n`)
  return `## ${title}\n\n| Refused | What to do |\n| --- | --- |\n${rows.join('')}`
}
