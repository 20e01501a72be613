/** The simple pages. */
import { ABSENT, type RuleSection } from '../rule.ts'

export const SIMPLE_PAGES: RuleSection = {
  title: 'Simple pages',
  rules: [
    {
      about: 'Version of the Simple API',
      devpi: '1.0',
      airlock: '1.4: sizes, upload times, versions and metadata files (PEP 700, 658, 714)',
      why: 'resolvers need fewer downloads, and `--exclude-newer` works',
      covers: [
        { steps: 'simple-pages: *', field: 'body.meta.api-version', devpi: '1.0', airlock: '1.4' },
        { steps: 'simple-pages: *', field: 'body.versions', devpi: ABSENT },
        // Whether the metadata of a wheel that was fetched a moment ago is known by then, is a matter of luck.
        {
          steps: ['simple-pages: *', 'files: the page of that file', 'push: *', 'deletions: *'],
          field: [
            'body.files.*.size',
            'body.files.*.upload-time',
            'body.files.*.core-metadata',
            'body.links.*.data-size',
            'body.links.*.data-upload-time',
            'body.links.*.data-core-metadata',
            'body.links.*.data-dist-info-metadata',
          ],
          devpi: ABSENT,
        },
      ],
    },
    {
      about: 'Which headers a simple page depends on',
      devpi: '`Vary: Accept, User-Agent`',
      airlock: '`Vary: Accept` below `+simple`, where the page is the same for every agent',
      why: 'a proxy keeps one copy for all',
      covers: [
        {
          steps: ['projects: *', 'simple-pages: *', 'files: *', 'push: *', 'deletions: *'],
          field: 'headers.vary',
          devpi: 'Accept, User-Agent',
          airlock: 'Accept',
        },
      ],
    },
    {
      about: 'Python versions that a file needs',
      devpi: 'what the last form for its release said, for all files of the release; empty where it said nothing',
      airlock: 'what the file itself says; left out where it says nothing',
      why: 'what pip finds in the file counts in the end, and one file cannot change another',
      covers: [
        {
          steps: ['simple-pages: *', 'push: *', 'deletions: *'],
          field: ['body.files.*.requires-python', 'body.links.*.data-requires-python'],
        },
      ],
    },
    {
      about: 'A simple page for who takes neither HTML nor JSON v1',
      devpi: 'HTML, as `text_html`, which is no media type',
      airlock: 'the type that was asked for where it is one of the Simple API, else `text/html`',
      why: 'the Simple API has more types than two (PEP 691)',
      covers: [
        {
          steps: [
            'projects: the mirror hears of its projects',
            'simple-pages: *',
            'files: the page of a file that upstream lost',
            'files: a page with test results',
            'push: the page of a mirror',
            'deletions: the page of a mirror',
          ],
          field: 'headers.content-type',
          devpi: 'text_html',
        },
        {
          steps: 'simple-pages: a project without simple and slash, for a program that takes JSON v1',
          field: 'status',
          devpi: 404,
          airlock: 200,
        },
      ],
    },
    {
      about: 'A simple page without a slash at the end',
      devpi: 'at once for installers, 302 for others',
      airlock: '302 for everybody, so the answer depends on no header',
      why: 'relative links lead to the right place from one address only; installers ask with the slash',
      covers: [
        {
          steps: ['simple-pages: the list without a slash, for *', 'simple-pages: a project without a slash, for *'],
          field: 'status',
          devpi: 200,
          airlock: 302,
        },
        {
          steps: [
            'simple-pages: the list without a slash, for *',
            'simple-pages: a project without a slash, f*',
            'simple-pages: a project that nobody has, without a slash',
          ],
          field: 'headers.vary',
          airlock: ABSENT,
        },
      ],
    },
    {
      about: 'A simple page for people',
      devpi: 'names by index under headings, files newest first, a button that asks upstream anew',
      airlock: 'the page that installers get, sorted by name and version; the button is on the page of the project',
      why: 'one page for all can be kept ready; people have pages of their own',
      covers: [
        { steps: 'simple-pages: the list*', field: 'body.headings', airlock: ABSENT },
        {
          steps: ['simple-pages: the list with bases, for a browser', 'simple-pages: a project*'],
          field: 'body.order.*',
        },
        { steps: 'simple-pages: a project*', field: 'body.refreshes', devpi: true, airlock: false },
      ],
    },
  ],
}
