/**
 * `/{user}/{index}/+staged/{token}/simple/`: a Simple index of what an upload session will publish, for who knows its token
 * and may read the index. Other projects are the index's own.
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { OpenIndex } from '../../indexes/open-index.ts'
import { stagedPage, stagedSource } from '../../indexes/staged-page.ts'
import { noSuchProject, Problem } from '../../model/errors.ts'
import { asProjectName } from '../../pep/name.ts'
import { JSON_TYPE } from '../../pep/simple.ts'
import { HTML_LIST } from '../../pep/simple-html.ts'
import { JSON_LIST } from '../../pep/simple-json.ts'
import { type PreviewedSession, previewedSession } from '../../publish/sessions/previewed-session.ts'
import { encodePath, rootFrom } from '../answers.ts'
import { askedIndex } from '../asked.ts'
import { sendSource } from '../installers/files.ts'
import { contentType, representation } from '../installers/representation.ts'
import { hasFinalSlash, redirectToSlash, sendIndexPage } from '../installers/simple.ts'
import { answer } from '../route.ts'
import type { Services } from '../services.ts'
import { checkSessionsEnabled } from './upload-sessions.ts'

type Preview = { Params: { user: string; index: string; token: string } }

type Previewed = PreviewedSession & { readonly opened: OpenIndex }

export function stagedAnswers(services: Services) {
  const config = { speaks: 'text' } as const

  return {
    list: answer<Preview>({ about: 'The project of the upload session, as a list', config }, async (request, reply) => {
      const { session } = await previewed(request)
      if (!hasFinalSlash(request)) return redirectToSlash(request, reply)
      const type = representation(request)
      const { head, entry, tail } = type === JSON_TYPE ? JSON_LIST : HTML_LIST
      const body = Buffer.from(head + entry(session.project) + tail)
      return uncached(reply).header('content-type', contentType(type)).header('vary', 'Accept').send(body)
    }),

    page: answer<{ Params: Preview['Params'] & { project: string } }>(
      { about: 'The project as it will be once the session is published', config },
      async (request, reply) => {
        const { opened, session, files } = await previewed(request)
        const asked = request.params.project
        const project = asProjectName(asked)
        if (project === undefined) throw noSuchProject(asked)
        const query = /\?.*$/s.exec(request.url)?.[0] ?? ''
        const { name } = opened.record
        if (project !== session.project) {
          return reply.redirect(`${rootFrom(request)}${encodePath(`${name}/+simple/${project}`)}/${query}`, 302)
        }
        if (project !== asked) {
          const place = encodePath(`${name}/+staged/${session.preview}/simple/${project}`)
          return reply.redirect(`${rootFrom(request)}${place}/${query}`, 302)
        }
        if (!hasFinalSlash(request)) return redirectToSlash(request, reply)
        return await sendIndexPage(
          services,
          request,
          reply,
          opened,
          await stagedPage(services.catalog, opened, session, files),
        )
      },
    ),

    file: answer<{ Params: Preview['Params'] & { filename: string } }>(
      { about: 'A file of the session', config },
      async (request, reply) => {
        const { files } = await previewed(request)
        const { filename } = request.params
        const source = stagedSource(files, filename)
        if (source === undefined) throw new Problem('no-such-file', `no such file: ${filename} in the upload session`)
        return await sendSource(services, request, uncached(reply), filename, source)
      },
    ),
  }

  /** Throws `no-such-session`, also for one that is published: its files are on the index. And what `askedIndex` throws. */
  async function previewed(request: FastifyRequest<Preview>): Promise<Previewed> {
    checkSessionsEnabled(services)
    const opened = await askedIndex(services, request)
    const found = await previewedSession(services.publishing, opened.record, request.params.token)
    if (found === undefined) {
      throw new Problem('no-such-session', 'Nothing is staged here, or nothing any more', {
        hint: `what was published is on ${opened.record.name} itself`,
      })
    }
    return { opened, ...found }
  }
}

/** The file of that name may be another one next time, and is not for everybody. */
function uncached(reply: FastifyReply): FastifyReply {
  return reply.header('cache-control', 'private, no-cache')
}
