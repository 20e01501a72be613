/** Who gets a page and who gets JSON, and at which addresses. */
import { ABSENT, type RuleSection } from '../rule.ts'

const JSON_FOR_HTML = {
  field: 'headers.content-type',
  devpi: 'text/html; charset=utf-8',
  airlock: 'application/json',
} as const

export const PAGES: RuleSection = {
  title: 'Pages, JSON and addresses',
  rules: [
    {
      about: 'A program that takes anything (`Accept: */*`, or none) asks at an address for people',
      devpi: 'a page where devpi-web is installed, else JSON',
      airlock: 'JSON',
      why: 'browsers ask for HTML by name; whoever does not is a program',
      covers: [
        {
          steps: [
            'accounts: * for whoever takes anything',
            'indexes: * for whoever takes anything',
            'projects: * for whoever takes anything',
            'projects: * without Accept',
            'operators: * for whoever takes anything',
            'simple-pages: the index itself, without a slash, for a program *',
            'simple-pages: a project without simple and slash, for a program *',
          ],
          ...JSON_FOR_HTML,
        },
        { steps: 'projects: an own project as text', field: 'status', devpi: 404, airlock: 200 },
      ],
    },
    {
      about: 'A browser asks for what only programs read (`+api`, `+login`)',
      devpi: '404',
      airlock: 'JSON',
      why: 'a person who looks at it sees what a program would',
      covers: [{ steps: 'accounts: * browser', field: 'status', devpi: 404, airlock: 200 }],
    },
    {
      about: 'A browser asks for `+status`',
      devpi: 'a page',
      airlock: 'JSON',
      why: 'it is for monitors; people have the pages of the indexes',
      covers: [{ steps: 'operators: the status for a browser', ...JSON_FOR_HTML }],
    },
    {
      about: 'What `+status` tells',
      devpi: 'the folder of its program (`server-code`)',
      airlock: 'its mirrors and their upstreams, and the address the request came from; no folder of the program',
      why: 'where the program lies helps nobody but an intruder',
      covers: [{ steps: 'operators: the status', field: 'body.result.*' }],
    },
    {
      about: 'An address with a slash at its end',
      devpi: '302 to the one without, unless it is of the simple pages',
      airlock: 'the same answer with and without it',
      why: 'one request less; devpi-client takes both',
      covers: [
        {
          steps: [
            'accounts: * with a slash',
            'indexes: * with a slash',
            'projects: * with a slash',
            'operators: * with a slash',
            'simple-pages: the index itself, for a *',
            'simple-pages: a project without simple, for a *',
          ],
          field: 'status',
          devpi: 302,
          airlock: 200,
        },
        { steps: 'accounts: login with a slash', field: 'status', devpi: 404, airlock: 200 },
        { steps: 'indexes: an unknown index with a slash', field: 'status', devpi: 302, airlock: 404 },
        { steps: 'operators: two slashes at the end', field: 'status', devpi: 302, airlock: 404 },
      ],
    },
    {
      about: 'A project in another spelling, with a slash at its end or none',
      devpi: 'two redirects, one for the slash and one for the spelling',
      airlock: 'one to the right address',
      why: 'one request less',
      covers: [
        {
          steps: [
            'projects: an own project in another spelling, with a slash',
            'simple-pages: a project in capitals, without a slash',
          ],
          field: 'headers.location',
        },
      ],
    },
    {
      about: 'A version of a project in another spelling',
      devpi: '302 to the right spelling',
      airlock: 'the version',
      why: 'one request less',
      covers: [
        {
          steps: 'projects: a version in another spelling of the project',
          field: 'status',
          devpi: 302,
          airlock: 200,
        },
      ],
    },
    {
      about: 'A project by what is no name: `a b`, `...`, an emoji, a NUL',
      devpi: '302 to a name made of it (`a-b`, `-`)',
      airlock: '404; 400 for what no address can be made of',
      why: 'a name that nobody can give a project is not made into another one',
      covers: [
        {
          steps: [
            'projects: a project with a name that is none',
            'simple-pages: a project with a space',
            'simple-pages: a project of dots',
            'hostile: a NUL in a project',
            'hostile: an emoji as a project',
            'hostile: a redirect with a line end',
          ],
          field: 'status',
          devpi: 302,
          airlock: 404,
        },
        { steps: 'hostile: a percent sign alone', field: 'status', devpi: 302, airlock: 400 },
      ],
    },
    {
      about: 'The versions `latest` and `stable` of a project, as JSON',
      devpi: '404; devpi-web knows them on its pages',
      airlock: 'the version that is meant',
      why: 'what the pages know programs may ask for as well',
      covers: [
        {
          steps: ['projects: the latest version', 'projects: the stable version'],
          field: 'status',
          devpi: 404,
          airlock: 200,
        },
      ],
    },
    {
      about: 'A version with `?ignore_bases`',
      devpi: 'the bases are looked through all the same',
      airlock: 'only this index is',
      why: 'it is what the words say, and what they do for a project',
      covers: [{ steps: 'projects: a version of the base, alone', field: 'status', devpi: 200, airlock: 404 }],
    },
    {
      about: 'Outside addresses that end in a slash, or are none',
      devpi: 'used as they are: `https://host/devpi//+login`, `javascript://…`, a host with quotes in it',
      airlock: 'the slash is dropped; what is no address of http or https, or no host, is not used',
      why: 'devpi-client makes all further addresses from these',
      covers: [
        { steps: 'projects: api seen from outside', field: 'body.result.*', devpi: /devpi\/\// },
        {
          steps: ['hostile: a host with a script', 'hostile: an outside address that is none'],
          field: 'body.result.*',
          devpi: /script/,
        },
        { steps: 'hostile: HTTP/1.0 without a host', field: 'body.result.login', devpi: /waitress\.invalid/ },
      ],
    },
    {
      about: 'Documentation at the address without `index.html`',
      devpi: '302 to an address with `%2Bdoc`; 404 without the slash at its end',
      airlock: '302 to the address with `+doc` from both',
      why: 'the address stays as people know it',
      covers: [
        { steps: 'uploads: documentation read at its root', field: 'headers.location', devpi: /%2Bdoc/ },
        { steps: 'uploads: documentation read without a slash', field: 'status', devpi: 404, airlock: 302 },
      ],
    },
    {
      about: 'A page of documentation',
      devpi: '`text/html; charset=UTF-8`, with `Last-Modified`',
      airlock: '`text/html`, with an `ETag`',
      why: 'the page itself says how it is encoded, and what was uploaded anew may be older than what was there',
      covers: [
        {
          steps: ['uploads: documentation read', 'uploads: documentation of the * release'],
          field: 'headers.content-type',
          devpi: 'text/html; charset=utf-8',
          airlock: 'text/html',
        },
        {
          steps: ['uploads: documentation read', 'uploads: documentation of the * release'],
          field: 'headers.last-modified',
          airlock: ABSENT,
        },
      ],
    },
    {
      about: 'The answer of `+authcheck`',
      devpi: 'a JSON body that says `200 OK`',
      airlock: 'no body',
      why: 'nginx looks at the status alone',
      covers: [
        {
          steps: 'operators: whether somebody *',
          field: 'headers.content-type',
          devpi: 'application/json',
          airlock: ABSENT,
        },
      ],
    },
    {
      about: 'Help for the search, a search by a page number',
      devpi: 'a page; 500 for a page number that is none',
      airlock: '404, one page without numbers',
      why: 'the search takes words and needs no help page',
      covers: [
        { steps: 'operators: what to search by', field: 'status', devpi: 200, airlock: 404 },
        { steps: 'operators: a search on a page that is none', field: 'status', devpi: 500, airlock: 200 },
      ],
    },
    {
      about: 'The changelog of what is no number',
      devpi: '404',
      airlock: '403, as the whole changelog',
      why: 'nothing below that address is there for anybody',
      covers: [{ steps: 'operators: the changelog of no number', field: 'status', devpi: 404, airlock: 403 }],
    },
  ],
}
