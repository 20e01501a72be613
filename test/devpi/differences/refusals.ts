/** How something is refused. */
import { ABSENT, type RuleSection } from '../rule.ts'

export const REFUSALS: RuleSection = {
  title: 'How refusals are said',
  rules: [
    {
      about: 'Something is not allowed, and JSON is asked for',
      devpi: '`message` tells the name of a class, with `code` and `title` beside it',
      airlock: '`message` tells what is not allowed to whom',
      why: 'devpi-client prints the message to a person',
      covers: [
        {
          steps: ['accounts: *', 'indexes: *', 'deletions: *'],
          field: 'body.message',
          devpi: /Unauthorized: PyPIView failed permission check/,
          airlock: /^"no permission to/,
        },
        {
          steps: 'operators: the changelog*',
          field: 'body.message',
          devpi: /Replication protocol disabled/,
          airlock: 'Replication protocol disabled',
        },
        {
          steps: ['accounts: *', 'indexes: *', 'deletions: *', 'operators: *'],
          field: ['body.code', 'body.title'],
          devpi: /Forbidden/,
          airlock: ABSENT,
        },
      ],
    },
    {
      about: 'A refusal names a user',
      devpi: '`<devpi_server.model.User object at 0x7f…>`',
      airlock: 'the name',
      why: 'the address of an object helps nobody',
      covers: [
        {
          steps: 'accounts: * changes *alice',
          field: 'body.message',
          devpi: /model\.User object/,
          airlock: /user alice"$/,
        },
      ],
    },
    {
      about: 'A refusal for an installer, an uploader or a program that takes anything',
      devpi: 'an HTML page',
      airlock: 'plain text, or JSON at the addresses of the API',
      why: 'it is read on a terminal',
      covers: [
        {
          steps: '*',
          field: 'headers.content-type',
          devpi: 'text/html; charset=utf-8',
          airlock: 'text/plain; charset=utf-8',
        },
      ],
    },
    {
      about: 'The reason phrase of a refusal at an address of files and simple pages',
      devpi: '`Not Found`, `Forbidden`, `Gone`',
      airlock: 'the sentence that says what is wrong, as devpi has it for uploads',
      why: 'pip and devpi-client print the reason phrase and nothing else',
      covers: [],
    },
  ],
}
