/** One route: what the table in `routes.ts` says about it, and how Fastify gets to know it. */
import type {
  FastifyContextConfig,
  FastifyError,
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  RouteGenericInterface,
  RouteHandlerMethod,
} from 'fastify'
import type { Problem } from '../model/errors.ts'

/** Who may use a route, in a word for the table and in words for `docs/api.md`. The decision itself is `model/access.ts`. */
export const WHO = {
  everybody: 'no credentials are needed',
  readers: 'anyone who may read the index: the option `acl_pkg_read`',
  uploaders: 'anyone who may upload to the index: the option `acl_upload`, and the trusted publishers of the index',
  keepers: 'the owner of the index, root, and anyone whom `acl_upload` lists',
  testers: 'anyone who may read the index and whom its option `acl_toxresult_upload` lists',
  previewers: 'anyone who may read the index and knows the preview token of the upload session',
  builds: 'a build with an OIDC token of a trusted publisher',
  'logged in': 'any user',
  newcomers: 'everybody; with the setting `restrict_modify` the users whom it lists',
  user: 'the user in the address, and root; with `restrict_modify` the users whom it lists in place of root',
  owner: 'the user in the address, and root; with `restrict_modify` only the users whom it lists',
  root: 'root; with `restrict_modify` only the users whom it lists',
  nobody: 'always refused',
} as const

export type Who = keyof typeof WHO

export interface AnswerOptions {
  /** What it does, for `docs/api.md`: a sentence without a final full stop. */
  readonly about: string
  /** How problems are told. */
  readonly config?: Pick<FastifyContextConfig, 'speaks' | 'prefers' | 'takesUntypedJson'>
  /** Bodies are read in its own way; absent: as JSON. Routes with the same function share one scope. */
  readonly scope?: (scope: FastifyInstance) => void
  readonly bodyLimit?: number
  readonly errorHandler?: (error: FastifyError | Problem, request: FastifyRequest, reply: FastifyReply) => unknown
}

/** What answers the requests of a route; `Asked` has the parameters that its address must have. */
export interface Answer<Asked extends RouteGenericInterface = RouteGenericInterface> extends AnswerOptions {
  readonly handle: (request: FastifyRequest<Asked>, reply: FastifyReply) => unknown
}

export interface Route extends AnswerOptions {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'any'
  readonly path: string
  readonly who: Who
  readonly handle: RouteHandlerMethod
}

export function answer<Asked extends RouteGenericInterface = RouteGenericInterface>(
  options: AnswerOptions,
  handle: Answer<Asked>['handle'],
): Answer<Asked> {
  return { ...options, handle }
}

type Bare<Text extends string> = Text extends `${infer Name}(${string}` ? Name : Text
type FirstName<Text extends string> = Bare<Text extends `${infer Name}/${string}` ? Name : Text>
type NamesIn<Path extends string> = Path extends `${string}/:${infer Rest}`
  ? FirstName<Rest> | NamesIn<`/${Rest}`>
  : never
type Needed<Params> = { [Name in keyof Params]-?: undefined extends Params[Name] ? never : Name }[keyof Params]
/** A parameter that the answer reads and the address lacks is an error of types. */
type Fitting<Path extends string, Asked extends RouteGenericInterface> =
  Exclude<Needed<Asked['Params']>, NamesIn<Path>> extends never
    ? unknown
    : { readonly 'is not in the address': Exclude<Needed<Asked['Params']>, NamesIn<Path>> }

/** A row of the table. */
type Row = <Path extends string, Asked extends RouteGenericInterface>(
  path: Path,
  who: Who,
  answer: Answer<Asked> & Fitting<Path, Asked>,
) => Route

function row(method: Route['method']): Row {
  return (path, who, given) => {
    const { handle, ...options }: AnswerOptions & { readonly handle: unknown } = given
    return { ...options, method, path, who, handle: handle as RouteHandlerMethod }
  }
}

export const get = row('GET')
export const post = row('POST')
export const put = row('PUT')
export const patch = row('PATCH')
export const del = row('DELETE')
export const any = row('any')

/**
 * Makes the routes known to Fastify, each scope of bodies once, and sees to it that there are no others.
 */
export function addRoutes(app: FastifyInstance, routes: readonly Route[]): void {
  app.addHook('onRoute', ({ url, config }) => {
    if (config?.who === undefined) throw new TypeError(`Cannot add the route ${url}: it is not in routes.ts`)
  })
  for (const [scope, group] of Map.groupBy(routes, (route) => route.scope)) {
    if (scope === undefined) for (const route of group) add(app, route)
    else {
      app.register(async (inner) => {
        scope(inner)
        for (const route of group) add(inner, route)
      })
    }
  }
}

function add(app: FastifyInstance, route: Route): void {
  const { method, path, who, handle, config, bodyLimit, errorHandler } = route
  app.route({
    method: method === 'any' ? app.supportedMethods : method,
    url: path,
    config: { ...config, who },
    handler: handle,
    ...(bodyLimit !== undefined && { bodyLimit }),
    ...(errorHandler !== undefined && { errorHandler }),
  })
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may use the route. Every one has it: `addRoutes`. */
    who?: Who
  }
}
