/** Uploads, and what is told of releases. */
import { ABSENT, type RuleSection } from '../rule.ts'

export const UPLOADS: RuleSection = {
  title: 'Uploads and releases',
  rules: [
    {
      about: 'A digest in the form that is not the digest of the file',
      devpi: 'not looked at',
      airlock: '400',
      why: 'what arrives broken is never kept',
      covers: [
        {
          steps: ['uploads: a file with a wrong sha256', 'uploads: a file with a wrong md5'],
          field: 'status',
          devpi: 200,
          airlock: 400,
        },
      ],
    },
    {
      about:
        'A file that no installer could use: empty, with a version that is none (PEP 440), documentation that is no zip',
      devpi: 'kept',
      airlock: '400 with what is wrong',
      why: 'the one who uploads can mend it, the one who installs cannot',
      covers: [
        {
          steps: [
            'uploads: an empty file',
            'uploads: a version that is none',
            'uploads: documentation that is no zip',
            'hostile: a filename with a line end',
          ],
          field: 'status',
          devpi: 200,
          airlock: 400,
        },
        { steps: 'hostile: the index after all that', field: 'body.result.projects.0', devpi: 'acme', airlock: ABSENT },
      ],
    },
    {
      about: 'A form that lacks its name, its version or its boundary, or has them wrong',
      devpi: '500',
      airlock: '400 with what is wrong',
      why: 'a mistake of the client is no failure of the server',
      covers: [
        {
          steps: [
            'uploads: a file with an empty filename',
            'uploads: an upload without a *',
            'uploads: a version with a slash',
            'uploads: an upload with the content as a field',
            'uploads: a form without a boundary',
            'uploads: documentation without a name',
          ],
          field: 'status',
          devpi: 500,
          airlock: 400,
        },
      ],
    },
    {
      about: 'The sentence about a name, a version or a file that is wrong',
      devpi: 'the first thing that is wrong, in the words of its checks',
      airlock: 'everything that is wrong, with the value that was sent; a folder before a filename is dropped',
      why: 'nobody uploads again and again to hear the next thing',
      covers: [
        {
          steps: ['uploads: *', 'hostile: *'],
          field: 'reason',
          devpi: /^"(filename|invalid metadata:|action) /,
        },
      ],
    },
    {
      about: 'Metadata of a release',
      devpi: 'what the last form said, even one that was refused',
      airlock: 'what the first file says itself, filled up from the form',
      why: 'installers read the file; a form that was refused changes nothing',
      covers: [
        {
          steps: ['uploads: *', 'projects: *', 'files: *', 'push: *', 'deletions: *'],
          field: ['body.result*.metadata_version', 'body.result*.summary', 'body.result*.requires_python'],
          airlock: /./,
        },
        {
          steps: 'uploads: all metadata',
          field: 'body.result.platform.0',
          devpi: 'UNKNOWN',
          airlock: ABSENT,
        },
      ],
    },
    {
      about: 'The history of a file that was replaced',
      devpi: 'not by whom, and not where',
      airlock: 'both',
      why: 'it is what one wants to know',
      covers: [
        {
          steps: ['uploads: the metadata after both', 'uploads: a project with documentation'],
          field: ['body.result*.log.0.who', 'body.result*.log.0.dst'],
        },
      ],
    },
    {
      about: 'Documentation with an empty version',
      devpi: '400',
      airlock: 'the latest version, as without one',
      why: 'an empty field says as much as none',
      covers: [{ steps: 'uploads: documentation with an empty version', field: 'status', devpi: 400, airlock: 200 }],
    },
  ],
}
