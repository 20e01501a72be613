/** `.pypirc`: the repositories outside that people upload to, and how they log in there. */
import { DEFAULT_UPSTREAM } from '../../config/settings.ts'
import { asHttpUrl } from '../client-url.ts'
import { iniValue } from './ini-file.ts'

export interface Repository {
  /** Where to upload; the public index when the section names no place. */
  readonly url: URL
  readonly isDefault: boolean
  readonly username: string
  readonly password: string | undefined
}

/** The repository that `.pypirc`'s text describes in section `name`. Throws `SyntaxError` when it lacks what is needed. */
export function readRepository(text: string, name: string): Repository {
  const value = (key: string) => iniValue(text, { section: name, name: key }) || undefined
  const username = value('username')
  if (username === undefined) throw new SyntaxError(`there is no [${name}] with a username; add it to the file`)
  const written = value('repository')
  const url = written === undefined ? defaultUrl() : asHttpUrl(written)
  if (url === undefined) throw new SyntaxError(`its repository "${written}" is no http or https address; correct it`)
  return { url, isDefault: written === undefined, username, password: value('password') }
}

/** Uploads to the public index have a host of their own. */
function defaultUrl(): URL {
  const url = new URL('/legacy/', DEFAULT_UPSTREAM)
  url.hostname = `upload.${url.hostname}`
  return url
}
