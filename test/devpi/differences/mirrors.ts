/** Mirrors, and what happens while an upstream fails. */
import { ABSENT, type RuleSection } from '../rule.ts'

export const MIRRORS: RuleSection = {
  title: 'Mirrors',
  rules: [
    {
      about: 'An upstream that fails, or cannot be reached',
      devpi: 'no such project (404), no files (200), or 500 when one asks for a refresh',
      airlock: '502 with the reason',
      why: 'a failure is never taken for an absence: an installer would resolve to something else',
      covers: [
        {
          steps: [
            'projects: a project that cannot be had, through bases',
            'simple-pages: a project of the mirror that cannot be had, through bases',
          ],
          field: 'status',
          devpi: 200,
          airlock: 502,
        },
        { steps: 'projects: a project of a mirror of nothing', field: 'status', devpi: 404, airlock: 502 },
        { steps: 'simple-pages: a refresh of what cannot be had', field: 'status', devpi: 500, airlock: 502 },
        {
          steps: 'projects: a project that cannot be had',
          field: 'body.message',
          devpi: /^"500 status on GET URL/,
          airlock: /error 500 getting/,
        },
      ],
    },
    {
      about: 'A file that is on a page of upstream, and that upstream answers with 404',
      devpi: '404',
      airlock: '502',
      why: 'the page says that it exists; that it cannot be had is a failure',
      covers: [{ steps: 'files: a file that upstream lost', field: 'status', devpi: 404, airlock: 502 }],
    },
    {
      about: 'A refresh of what upstream does not have',
      devpi: '500',
      airlock: '302 to the page, which says that there is no such project',
      why: 'devpi-client goes on with its other names',
      covers: [{ steps: 'simple-pages: a refresh of what nobody has', field: 'status', devpi: 500, airlock: 302 }],
    },
    {
      about: 'How long the page of a mirror may be kept',
      devpi: 'not at all, when it comes from the memory of the server',
      airlock: 'as long as that of the public index, unless it is older than it should be',
      why: 'a page that is young enough for the server is so for its clients',
      covers: [
        {
          steps: ['simple-pages: a project of the mirror*', 'files: the page of that file'],
          field: ['headers.cache-control', 'headers.last-modified'],
          devpi: /no-store|<date>/,
        },
      ],
    },
    {
      about: 'The number of the last change (`X-PyPI-Last-Serial`)',
      devpi: "upstream's, as a header, on the pages of mirrors",
      airlock: 'also on lists, on pages of stages, and in JSON',
      why: 'bandersnatch reads it there, and mirrors from here',
      covers: [
        {
          steps: [
            'simple-pages: the list*',
            'simple-pages: the index itself*',
            'simple-pages: a project*',
            'projects: the mirror hears of its projects',
            'files: a page with test results',
            'push: a page after the push',
            'deletions: a page that lost a file',
          ],
          field: ['headers.x-pypi-last-serial', 'body.meta._last-serial'],
          devpi: ABSENT,
        },
      ],
    },
    {
      about: 'The names on a mirror without a list',
      devpi: 'those that were asked for once',
      airlock: 'those of which it holds files',
      why: 'it is what can be delivered',
      covers: [
        {
          steps: 'projects: a mirror without a list, with its projects',
          field: 'body.result.projects.0',
          devpi: 'magnet',
          airlock: ABSENT,
        },
      ],
    },
    {
      about: 'Something of a mirror that was removed',
      devpi: '410 for a file, and the project has lost it, until its page is fetched anew',
      airlock: 'fetched again when it is asked for',
      why: 'removing from a mirror makes room; upstream still has it',
      covers: [
        { steps: 'deletions: a file of a mirror that was removed', field: 'status', devpi: 410, airlock: 200 },
        { steps: 'deletions: a project of a mirror that was removed', field: 'body.result.*', devpi: ABSENT },
        { steps: 'deletions: a version of a mirror', field: 'status', devpi: 200, airlock: 404 },
        { steps: 'deletions: a project of a mirror', field: 'status', devpi: 404, airlock: 200 },
      ],
    },
    {
      about: 'A test result for a file of a mirror',
      devpi: '500',
      airlock: 'kept',
      why: 'tests of public releases are worth keeping too',
      covers: [{ steps: 'files: a test result for a file of a mirror', field: 'status', devpi: 500, airlock: 200 }],
    },
    {
      about: 'A release of a mirror after it was pushed',
      devpi: 'has the metadata that the page of upstream told',
      airlock: 'has the metadata of the file',
      why: 'it is a release like any other from then on',
      covers: [
        { steps: 'push: a release of a mirror that was pushed', field: 'body.result.*', devpi: ABSENT },
        {
          steps: 'push: a release of a mirror that was pushed',
          field: 'body.result.requires_python',
          devpi: '>=3.6',
          airlock: '',
        },
      ],
    },
  ],
}
