/** How something is refused, and in which order it is looked at. */
import { ABSENT, type RuleSection } from '../rule.ts'

export const REFUSALS: RuleSection = {
  title: 'Refusals',
  rules: [
    {
      about: 'Something is not allowed, and JSON is asked for',
      devpi: '`message` names a class of the program, `code` and `title` stand beside it',
      airlock: '`message` says what is not allowed',
      why: 'devpi-client prints the message to a person',
      covers: [
        {
          steps: ['accounts: *', 'indexes: *', 'deletions: *'],
          field: 'body.message',
          devpi: /PyPIView failed permission check/,
          airlock: /^"no permission to/,
        },
        {
          steps: 'operators: the changelog*',
          field: 'body.message',
          devpi: /Replication protocol disabled/,
          airlock: 'Replication protocol disabled',
        },
        {
          steps: 'uploads: a release submitted by a stranger who asks for JSON',
          field: 'body.message',
          devpi: /could not verify that you are authorized/,
          airlock: /^"no permission to submit/,
        },
        {
          steps: ['accounts: *', 'indexes: *', 'uploads: *', 'deletions: *', 'operators: *'],
          field: ['body.code', 'body.title'],
          devpi: /Forbidden|Unauthorized/,
          airlock: ABSENT,
        },
      ],
    },
    {
      about: 'Names of users, projects and values in sentences',
      devpi:
        "as Python shows objects: `<devpi_server.model.User object at 0x7f…>`, `<NormalizedName 'a' 'a'>`, `None`, `\"it's\"`",
      airlock: 'the name or the value in single quotes',
      why: 'what a program is made of helps nobody, and the sentence stays the same from run to run',
      covers: [
        {
          steps: 'accounts: * changes *alice',
          field: 'body.message',
          devpi: /model\.User object/,
          airlock: /user alice"$/,
        },
        {
          steps: 'accounts: bob changes the password of alice',
          field: 'body.message',
          devpi: /model\.User object/,
          airlock: 'no permission to change password for user alice',
        },
        { steps: 'deletions: *', field: 'body.message', devpi: /NormalizedName/, airlock: /'/ },
        {
          steps: 'indexes: volatile as *',
          field: 'body.message',
          devpi: /^"Unknown boolean/,
        },
        {
          steps: ['hostile: a NUL in a user', 'hostile: SQL in a user'],
          field: 'body.message',
          devpi: /^"no user/,
          airlock: /^"no user/,
        },
      ],
    },
    {
      about: 'A hint',
      devpi: 'none',
      airlock: '`hint` beside the message, where there is a way out',
      why: 'it says what to do',
      covers: [{ steps: ['indexes: *', 'uploads: *', 'push: *', 'deletions: *'], field: 'body.hint', devpi: ABSENT }],
    },
    {
      about: 'A refusal for uploaders, installers and programs that take anything; and an address that nobody has',
      devpi: 'an HTML page',
      airlock: 'plain text, or JSON at the addresses of the API',
      why: 'it is read on a terminal; browsers, which ask for HTML, get a page',
      covers: [
        {
          steps: ['indexes: *', 'uploads: *', 'simple-pages: *', 'deletions: *', 'operators: the icon', 'hostile: *'],
          field: 'headers.content-type',
          devpi: 'text/html; charset=utf-8',
          airlock: 'text/plain; charset=utf-8',
        },
        {
          steps: [
            'accounts: login by GET',
            'accounts: * to a user',
            'accounts: OPTIONS of a user',
            'accounts: * the root',
            'indexes: OPTIONS of an index',
            'uploads: a page that the documentation lacks',
            'uploads: documentation that is not there',
            'projects: * as text',
            'projects: below a version',
            'projects: P* of a *',
            'projects: POST to a project',
            'simple-pages: a refresh by GET',
            'files: a f*',
            'deletions: *',
            'operators: a*',
            'operators: two slashes within',
            'operators: what robots may',
            'hostile: a*',
          ],
          field: 'headers.content-type',
          devpi: 'text/html; charset=utf-8',
          airlock: 'application/json',
        },
      ],
    },
    {
      about: 'The reason phrase of a refusal to an installer, an uploader or whoever fetches a file',
      devpi: '`Not Found`, `Gone`, `Bad Gateway`, `Unauthorized`; a sentence for some uploads only',
      airlock: 'always the sentence; after `Unauthorized:` where a login is missing',
      why: 'pip, twine and devpi-client print the reason phrase',
      covers: [
        {
          steps: ['uploads: *', 'simple-pages: *', 'files: *', 'push: *', 'deletions: *', 'hostile: *'],
          field: 'reason',
          devpi: /^"(Not Found|Gone|Bad Request|Bad Gateway|Unauthorized)"$/,
        },
      ],
    },
    {
      about: 'A file that is not there',
      devpi: '`no such file`',
      airlock: '`no such file:` with the name and the index',
      why: 'the log of an installer is read later and elsewhere',
      covers: [
        {
          steps: 'files: a file at the wrong hash, as JSON',
          field: 'body.message',
          devpi: 'no such file',
          airlock: /^"no such file: /,
        },
      ],
    },
    {
      about: 'An index that is not there is changed, removed, or sent something',
      devpi: '403: nobody is allowed to',
      airlock: '404 `The stage … could not be found.`',
      why: 'it is what reading the index says, too',
      covers: [
        {
          steps: [
            'indexes: a change of an unknown index',
            'indexes: an index that is removed already',
            'files: a test result on an unknown index',
            'deletions: a version of an unknown index',
          ],
          field: 'status',
          devpi: 403,
          airlock: 404,
        },
      ],
    },
    {
      about: 'A method that an address does not have',
      devpi: 'the answer to GET at some addresses, 404 at others',
      airlock: '404; 400 where the body cannot be read, or Node does not know the method',
      why: 'an answer to what was not asked hides a mistake',
      covers: [
        {
          steps: [
            'accounts: api by POST',
            'simple-pages: a project by POST',
            'simple-pages: a project by DELETE',
            'files: PATCH of a file',
            'operators: the status by POST',
          ],
          field: 'status',
          devpi: 200,
          airlock: 404,
        },
        {
          steps: ['accounts: login by PUT', 'accounts: PUT of the root', 'accounts: a method that nobody knows'],
          field: 'status',
          devpi: 404,
          airlock: 400,
        },
      ],
    },
  ],
}
