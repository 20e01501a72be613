/** `airlock publisher`: builds that an index trusts to upload without a password (Trusted Publishing). */
import type { Command } from 'commander'
import { asObject } from '../../lib/json-object.ts'
import { beginSession } from '../begin-session.ts'
import { asFile, below } from '../client-url.ts'
import type { runCommand } from '../command-run.ts'
import type { CliContext } from '../context.ts'
import { shownValue } from '../output.ts'
import { resultOf } from '../reply.ts'
import type { GenericOptions, Session } from '../session.ts'

interface AddOptions extends GenericOptions {
  /** `OWNER/REPOSITORY`. */
  readonly github?: string
  /** `GROUP/…/PROJECT`. */
  readonly gitlab?: string
  /** The issuer. */
  readonly oidc?: string
  readonly workflow?: string
  readonly ownerId?: string
  readonly ciConfig?: string
  readonly environment?: string
  readonly issuer?: string
  /** `NAME=VALUE`. */
  readonly claim?: readonly string[]
  readonly project?: readonly string[]
  readonly allProjects?: boolean
}

type Shown = Readonly<Record<string, unknown>>

/** `addOptions` adds what every client command has. */
export function addPublisherCommands(
  group: Command,
  addOptions: (command: Command) => Command,
  run: ReturnType<typeof runCommand>,
): void {
  const add = (words: string, description: string) =>
    addOptions(group.command(words).description(description)).option('--index <index>', 'index that trusts it')
  add('add', 'trust builds of a repository, for projects of an index')
    .option('--github <owner/repository>', 'a repository on GitHub')
    .option('--workflow <file>', 'with --github: file below .github/workflows that publishes')
    .option('--owner-id <number>', "with --github: the owner's number, which nobody gets who takes over the name")
    .option('--gitlab <group/project>', 'a project on GitLab')
    .option('--ci-config <path>', 'with --gitlab: file that defines its jobs (default: .gitlab-ci.yml)')
    .option('--oidc <issuer>', 'any other issuer of OIDC tokens, by its address')
    .option('--claim <name=value>', 'with --oidc: what a token has to say; can be given more than once', listed)
    .option('--environment <name>', 'environment that the build has to be in')
    .option('--issuer <url>', 'issuer of a GitHub or GitLab of your own')
    .option('--project <project>', 'project that it may upload; can be given more than once', listed)
    .option('--all-projects', 'it may upload every project of the index')
    .action(run(addPublisher))
  add('list', 'list the publishers that the index trusts').action(run(list))
  add('remove <id>', 'trust a publisher no longer').action(run(remove))
}

async function addPublisher(context: CliContext, options: AddOptions): Promise<void> {
  await using session = await beginSession(context, options)
  const { project, allProjects } = options
  const send = {
    ...identityOf(session, options),
    ...(project !== undefined && { projects: project }),
    ...(allProjects && { all_projects: true }),
  }
  const made = resultOf(await session.api({ method: 'POST', url: publishersOf(session), send, type: 'publisher' }))
  if (options.json) session.out.json(made)
  else session.out.line(lineOf(made))
}

async function list(context: CliContext, options: GenericOptions): Promise<void> {
  await using session = await beginSession(context, options)
  const reply = await session.api({ method: 'GET', url: publishersOf(session), type: 'list:publisher' })
  const found = reply.json!.result as readonly Shown[]
  if (options.json) return session.out.json(found)
  for (const each of found) session.out.line(lineOf(asObject(each)))
}

async function remove(context: CliContext, id: string, options: GenericOptions): Promise<void> {
  await using session = await beginSession(context, options)
  await session.api({ method: 'DELETE', url: below(publishersOf(session), id) })
  session.out.info(`publisher removed: ${id}`)
}

function publishersOf(session: Session): URL {
  session.requireLogin()
  return below(asFile(session.requireIndex()), '+publishers')
}

/** The server says what is wrong with it; here only what belongs to the kind is put together. */
function identityOf(session: Session, options: AddOptions): Shown {
  const { github, gitlab, oidc, environment, issuer } = options
  if ([github, gitlab, oidc].filter((each) => each !== undefined).length !== 1) {
    throw session.out.failure('name one of --github OWNER/REPOSITORY, --gitlab GROUP/PROJECT and --oidc ISSUER')
  }
  const common = { ...(environment !== undefined && { environment }), ...(issuer !== undefined && { issuer }) }
  if (github !== undefined) {
    const { workflow, ownerId } = options
    const [owner, repository] = halves(github)
    const facts = { ...(workflow !== undefined && { workflow }), ...(ownerId !== undefined && { owner_id: ownerId }) }
    return { kind: 'github', owner, repository, ...facts, ...common }
  }
  if (gitlab !== undefined) {
    const [namespace, project] = halves(gitlab)
    const { ciConfig } = options
    return {
      kind: 'gitlab',
      namespace,
      project,
      ...(ciConfig !== undefined && { ci_config_path: ciConfig }),
      ...common,
    }
  }
  const claims = (options.claim ?? []).map((each) => [each.split('=', 1)[0]!, each.slice(each.indexOf('=') + 1)])
  return { kind: 'oidc', issuer: oidc, claims: Object.fromEntries(claims) }
}

/** Before and after the last slash. */
function halves(path: string): [string, string] {
  const slash = path.lastIndexOf('/')
  return [path.slice(0, Math.max(0, slash)), path.slice(slash + 1)]
}

/** `2: github octo/acme release.yml, environment=pypi (acme, tools)`. */
function lineOf(shown: Shown): string {
  const { id, kind, issuer, projects, owner, repository, workflow, environment, namespace, project, claims } = shown
  const who =
    kind === 'github'
      ? `${shownValue(owner)}/${shownValue(repository)} ${shownValue(workflow)}`
      : kind === 'gitlab'
        ? `${shownValue(namespace)}/${shownValue(project)} ${shownValue(shown.ci_config_path)}`
        : Object.entries(asObject(claims))
            .map(([name, value]) => `${name}=${shownValue(value)}`)
            .join(' ')
  const where = environment === undefined ? '' : `, environment=${shownValue(environment)}`
  const what = projects === undefined ? 'every project' : shownValue(projects)
  return `${shownValue(id)}: ${shownValue(kind)} ${who}${where} by ${shownValue(issuer)} (${what})`
}

/** One more of an option that can be given several times. */
function listed(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value]
}
