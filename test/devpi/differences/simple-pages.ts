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
        { steps: ['projects: *', 'simple-pages: *'], field: 'body.meta.api-version', devpi: '1.0', airlock: '1.4' },
        { steps: 'simple-pages: *', field: 'body.versions', devpi: ABSENT },
        {
          steps: ['simple-pages: *', 'files: *', 'push: *', 'deletions: *'],
          field: [
            'body.files.*.size',
            'body.files.*.upload-time',
            'body.links.*.data-size',
            'body.links.*.data-upload-time',
          ],
          devpi: ABSENT,
        },
        {
          steps: ['simple-pages: *', 'files: *', 'push: *', 'deletions: *'],
          field: [
            'body.files.*.core-metadata',
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
          steps: ['simple-pages: *', 'push: *', 'deletions: *', 'files: *'],
          field: ['body.files.*.requires-python', 'body.links.*.data-requires-python'],
        },
      ],
    },
  ],
}
