/** Users, indexes and their options. */
import { ABSENT, type RuleSection } from '../rule.ts'

export const ACCOUNTS: RuleSection = {
  title: 'Users and indexes',
  rules: [
    {
      about: 'A body of another kind than it should be: a list for an object, a number for a text',
      devpi: '500, or a sentence about something else',
      airlock: '400 with what is wrong',
      why: 'a mistake of the client is no failure of the server',
      covers: [
        {
          steps: [
            'accounts: a user with a number for a password',
            'indexes: an index from a list',
            'indexes: an index from a text',
            'indexes: an operation that adds to *',
            'indexes: an operation that is a number',
            'indexes: a change that is a text',
          ],
          field: 'status',
          devpi: 500,
          airlock: 400,
        },
        {
          steps: 'accounts: a user from a list',
          field: 'body.message',
          devpi: 'password needs to be set',
          airlock: 'Bad request: could not decode json',
        },
      ],
    },
    {
      about: 'What a server gave out about a user is sent back to make one',
      devpi: '500',
      airlock: '201: `username`, `created`, `modified` and `indexes` are passed over',
      why: 'it is what a change of a user does',
      covers: [
        { steps: 'accounts: a user with what the server knows better', field: 'status', devpi: 500, airlock: 201 },
        {
          steps: ['accounts: all users*', 'operators: two slashes'],
          field: ['body.result.known', 'body.result.half'],
          devpi: ABSENT,
        },
      ],
    },
    {
      about: 'A user or index whose name has a `+`, or is `.` or `..`',
      devpi: '404 for the first; the others are made, and no browser can reach them',
      airlock: '400 with the rule for names',
      why: 'nothing is there that could not be found',
      covers: [
        {
          steps: [
            'accounts: a user with a plus',
            'accounts: a user that begins with a plus',
            'indexes: an index with a plus',
            'hostile: a user with an escaped slash',
          ],
          field: 'status',
          devpi: 404,
          airlock: 400,
        },
        {
          steps: ['hostile: a user of two dots', 'hostile: a user of one dot'],
          field: 'status',
          devpi: 201,
          airlock: 400,
        },
        { steps: 'hostile: a user of escaped dots', field: 'status', devpi: 409, airlock: 400 },
      ],
    },
    {
      about: 'Names of more than 1,000 characters',
      devpi: 'taken',
      airlock: '414',
      why: 'every text from outside has a bound',
      covers: [
        { steps: 'hostile: a long *', field: 'status', airlock: 414 },
        {
          steps: ['hostile: an absolute address', 'hostile: a long header'],
          field: 'body.result.indexes.<long name>',
          airlock: ABSENT,
        },
      ],
    },
    {
      about: 'A base that is named twice',
      devpi: 'kept twice',
      airlock: 'kept once',
      why: 'an index is looked through once anyway',
      covers: [
        {
          steps: ['indexes: a base twice', 'indexes: *ida', 'operators: two slashes'],
          field: 'body.result.*bases.1',
          devpi: 'ida/dev',
          airlock: ABSENT,
        },
      ],
    },
    {
      about: 'An empty title',
      devpi: 'kept as an empty text',
      airlock: 'no title',
      why: 'it says as much',
      covers: [
        {
          steps: ['indexes: no operations', 'indexes: options with an empty title', 'indexes: options that are none'],
          field: 'body.result.title',
          devpi: '',
          airlock: ABSENT,
        },
        { steps: 'indexes: options with null', field: 'status', devpi: 500, airlock: 200 },
      ],
    },
    {
      about: 'An operation without an equals sign',
      devpi: 'sets an empty text',
      airlock: '400',
      why: 'a mistyped command should not change an index',
      covers: [{ steps: 'indexes: an operation without an equals sign', field: 'status', devpi: 200, airlock: 400 }],
    },
    {
      about: 'No options, with `?error_on_noop`',
      devpi: '200',
      airlock: '400: nothing would change',
      why: 'it is what the words say, and what they do for operations',
      covers: [
        { steps: 'indexes: options that are none, and error_on_noop', field: 'status', devpi: 200, airlock: 400 },
      ],
    },
    {
      about: 'An index whose base was removed is changed',
      devpi: '400 until the base is taken out of the list',
      airlock: '200: only bases that are new in the list must be there',
      why: 'a title can be changed without repairing the bases first',
      covers: [
        { steps: 'indexes: an index whose base was removed is changed', field: 'status', devpi: 400, airlock: 200 },
        {
          steps: ['indexes: all indexes of ida', 'operators: two slashes'],
          field: 'body.result.*onbase.title',
          devpi: ABSENT,
          airlock: 'x',
        },
      ],
    },
    {
      about: 'An option with a wrong address or number',
      devpi: 'what it must be',
      airlock: 'what it must be, and what was sent',
      why: 'one sees at once what went wrong',
      covers: [
        { steps: 'indexes: a mirror of *', field: 'body.message', devpi: /must be a URL\./ },
        { steps: 'indexes: a mirror with no number of seconds', field: 'body.message', devpi: /must be an integer/ },
      ],
    },
  ],
}
