/** Requests that are not what HTTP wants. */
import { ABSENT, type RuleSection } from '../rule.ts'

export const REQUESTS: RuleSection = {
  title: 'Requests that are not as they should be',
  rules: [
    {
      about:
        'JSON that is not called `application/json`, or a body of another type where JSON is read (the XML of `pip search`, too); a test result may have no type',
      devpi: 'what can be read as JSON is taken, whatever it is called',
      airlock: '415',
      why: 'a page of elsewhere can have a browser send text and forms with what it remembers for its user, and JSON it cannot',
      covers: [
        {
          steps: [
            'accounts: login with a form',
            'accounts: login with JSON under another type',
            'accounts: a user that exists, and no JSON',
            'accounts: alice sends no JSON',
            'indexes: an index from what is no JSON',
            'indexes: a change without JSON',
            'uploads: a form as XML',
            'files: PUT of a file',
            'push: a push that is no JSON',
            'operators: a search as XML',
            'hostile: JSON that is deep',
            'hostile: JSON with a key twice',
            'hostile: JSON with __proto__',
            'hostile: JSON with half a character',
            'hostile: JSON in latin-1',
            'hostile: JSON with NaN',
            'hostile: a request that expects to go on',
          ],
          field: 'status',
          airlock: 415,
        },
      ],
    },
    {
      about: 'An address with bytes that are no UTF-8',
      devpi: '500',
      airlock: '400',
      why: 'a mistake of the client is no failure of the server',
      covers: [{ steps: 'hostile: bytes that are no UTF-8*', field: 'status', devpi: 500, airlock: 400 }],
    },
    {
      about: 'HTTP/1.1 without a host; a length together with chunks',
      devpi: 'taken',
      airlock: '400',
      why: 'RFC 9112 wants it so: proxies and servers that read such a request differently can be played off against each other',
      covers: [
        { steps: 'hostile: HTTP/1.1 without a host', field: 'status', devpi: 200, airlock: 400 },
        { steps: 'hostile: a length and chunks', field: 'status', devpi: 403, airlock: 400 },
      ],
    },
    {
      about: 'What is no HTTP at all',
      devpi: '400 with a sentence',
      airlock: '400 without a body',
      why: 'nobody reads it',
      covers: [
        {
          steps: ['hostile: no request at all', 'hostile: a header without a colon', 'hostile: two lengths'],
          field: 'headers.content-type',
          devpi: 'text/plain; charset=utf-8',
          airlock: ABSENT,
        },
      ],
    },
  ],
}
