/** Files, test results, pushes. */
import { ABSENT, type RuleSection } from '../rule.ts'

export const FILES: RuleSection = {
  title: 'Files and pushes',
  rules: [
    {
      about: 'The media type of a file',
      devpi: '`application/octet-stream` for a wheel, `application/x-tar` for an sdist',
      airlock: '`application/zip`, `application/gzip`',
      why: 'it is what they are',
      covers: [
        {
          steps: ['files: *', 'deletions: a file *'],
          field: 'headers.content-type',
          devpi: 'application/octet-stream',
          airlock: 'application/zip',
        },
        {
          steps: 'files: an sdist',
          field: 'headers.content-type',
          devpi: 'application/x-tar',
          airlock: 'application/gzip',
        },
      ],
    },
    {
      about: 'A part of a file (`Range`)',
      devpi: 'the whole file',
      airlock: '206 with the part, 416 for a part that it does not have',
      why: 'installers read the metadata of a wheel without fetching all of it, and take up broken downloads',
      covers: [
        { steps: 'files: part of a wheel', field: 'status', devpi: 200, airlock: 206 },
        { steps: 'files: part of a wheel that it does not have', field: 'status', devpi: 200, airlock: 416 },
      ],
    },
    {
      about: 'The metadata file of a wheel (PEP 658)',
      devpi: '404 unless `--enable-core-metadata` is given',
      airlock: 'served',
      why: 'resolvers need no wheels then',
      covers: [{ steps: 'files: the metadata file of a wheel', field: 'status', devpi: 404, airlock: 200 }],
    },
    {
      about: 'A file of an index, or of a user, that was removed whole',
      devpi: '410',
      airlock: '404: there is no such index',
      why: 'the name of the index is free for another one',
      covers: [
        {
          steps: ['deletions: a file of an index that was removed', 'deletions: a file of a user that was removed'],
          field: 'status',
          devpi: 410,
          airlock: 404,
        },
      ],
    },
    {
      about: 'The page with the test results of a file',
      devpi: '500 for a result without a host, and for a file that is not there',
      airlock: 'the page; 404',
      why: 'a result is kept as it came, and may lack anything',
      covers: [
        {
          steps: 'files: all test results of a file, for a browser',
          field: 'status',
          devpi: 500,
          airlock: 200,
        },
        { steps: 'files: test results of a file that is not there', field: 'status', devpi: 500, airlock: 404 },
      ],
    },
    {
      about: 'A push that lacks something, or is of another kind than it should be',
      devpi: '500',
      airlock: '400 with what is missing',
      why: 'a mistake of the client is no failure of the server',
      covers: [
        {
          steps: [
            'push: to a number',
            'push: without a name',
            'push: without a version',
            'push: with nothing',
            'push: with a list',
            'push: a release elsewhere without *',
          ],
          field: 'status',
          devpi: 500,
          airlock: 400,
        },
        { steps: 'indexes: POST of JSON to an unknown index', field: 'status', devpi: 404, airlock: 400 },
      ],
    },
    {
      about: 'A push to another index by somebody who did not log in',
      devpi: 'a push elsewhere is sent; for one here 401',
      airlock: '401, with `WWW-Authenticate`',
      why: 'nobody unknown makes this server send things to addresses of their choice',
      covers: [
        {
          steps: 'push: a release elsewhere, by a stranger',
          field: ['status', 'received'],
        },
        {
          steps: 'push: a release by a stranger',
          field: 'headers.www-authenticate',
          devpi: ABSENT,
          airlock: 'Basic realm="pypi"',
        },
      ],
    },
    {
      about: 'A push to an index elsewhere that does not answer',
      devpi: '500; where it registers first, a row that says `register`',
      airlock: '502, with a row that says what failed',
      why: 'devpi-client prints the rows',
      covers: [
        { steps: 'push: a release elsewhere that nobody serves', field: 'status', devpi: 500, airlock: 502 },
        {
          steps: 'push: a release elsewhere that nobody serves, registered first',
          field: 'body.result.0.*',
        },
      ],
    },
    {
      about: 'What an index elsewhere is sent',
      devpi: 'metadata of the last form; `pyversion` as `3`',
      airlock: 'metadata of the file; `pyversion` as `py3`, as twine has it',
      why: 'the form and the file agree',
      covers: [
        {
          steps: 'push: a release *elsewhere*',
          field: [
            'received.*.fields.metadata_version',
            'received.*.fields.requires_python',
            'received.*.fields.summary.0',
            'received.*.fields.pyversion.0',
          ],
        },
        {
          steps: 'push: documentation alone elsewhere',
          field: [
            'received.*.fields.metadata_version',
            'received.*.fields.requires_python',
            'received.*.fields.summary.0',
          ],
        },
      ],
    },
  ],
}
