/**
 * Addresses inside the server, relative to its root (`''`, `'../'`, `'../../'` …) because servers live behind path prefixes,
 * and addresses outside that are safe to link.
 */
import { asProjectName } from '../pep/name.ts'

export function homeHref(root: string): string {
  return root === '' ? './' : root
}

/** `{root}user`. */
export function userHref(root: string, user: string): string {
  return root + pathOf(user)
}

/** `{root}user/index`, and below it a project and a version. `index` is `user/index`. */
export function indexHref(root: string, index: string, project?: string, version?: string): string {
  const below = [project, version].filter((segment) => segment !== undefined)
  return root + [pathOf(index), ...below.map(encodeSegment)].join('/')
}

/** The index's page that starts after the project `after`. */
export function indexPageHref(root: string, index: string, after: string): string {
  return `${indexHref(root, index)}?after=${encodeURIComponent(after)}`
}

/** The Simple API's page of an index or of one project; `base` is a root, or the server's absolute address with `/`. */
export function simpleHref(base: string, index: string, project?: string): string {
  const page = project === undefined ? '' : `${encodeSegment(asProjectName(project) ?? project)}/`
  return `${base}${pathOf(index)}/+simple/${page}`
}

/** A page of documentation in its frame (`+d`), or the bare file (`+doc`). `version` may be `latest` or `stable`. */
export function documentationHref(
  root: string,
  release: { readonly index: string; readonly name: string; readonly version: string },
  place: '+d' | '+doc' = '+d',
  path = 'index.html',
): string {
  return `${indexHref(root, release.index, release.name, release.version)}/${place}/${pathOf(path)}`
}

/** The test results of a file, or one of them. */
export function testsHref(
  root: string,
  file: { readonly index: string; readonly name: string; readonly version: string; readonly filename: string },
  result?: string,
): string {
  const names = [file.filename, result].filter((name) => name !== undefined)
  const page = indexHref(root, file.index, file.name, file.version)
  return [page, '+toxresults', ...names.map(encodeSegment)].join('/')
}

/** The part of a test result's page that tells of one environment. */
export function testAnchor(...key: readonly (string | undefined)[]): string {
  return key.join('-').replace(/\s+/g, '-')
}

export function searchHref(root: string, query?: string): string {
  return `${root}+search${query === undefined ? '' : `?query=${encodeURIComponent(query)}`}`
}

/** Encodes each segment of a path without leading slash; `+` stays, as it marks the server's own addresses. */
export function pathOf(path: string): string {
  return path.split('/').map(encodeSegment).join('/')
}

/**
 * The address as a browser will read it when it is absolute http, https or mailto, else `undefined`: other schemes run code or
 * show content as ours, and relative addresses of others would point into this server.
 */
export function outsideHref(address: string): string | undefined {
  let url: URL
  try {
    url = new URL(address)
  } catch {
    return undefined
  }
  return url.protocol === 'http:' || url.protocol === 'https:' || url.protocol === 'mailto:' ? url.href : undefined
}

function encodeSegment(segment: string): string {
  return encodeURIComponent(segment.toWellFormed()).replaceAll('%2B', '+')
}
