/**
 * Detects the kind of program that sends a request: at one address, browsers, installers and devpi clients expect
 * different answers.
 */
import type { FastifyRequest } from 'fastify'
import Negotiator from 'negotiator'
import { JSON_TYPE } from '../pep/simple.ts'

/** The sender is an installer, which wants simple pages wherever it asks (devpi's rule). */
export function isInstaller(request: FastifyRequest): boolean {
  if (isInstallerName(request.headers['user-agent'] ?? '')) return true
  return new Negotiator(request.raw).mediaType(['text/html', 'application/json', JSON_TYPE]) === JSON_TYPE
}

/** Whether the `User-Agent` is an installer's. */
export function isInstallerName(userAgent: string): boolean {
  return /(?:^| )(?:distribute|setuptools|pip|pex|uv)\//.test(userAgent)
}

/** Browsers ask for HTML before all else; whoever takes anything is a program. */
export function isPerson(request: FastifyRequest): boolean {
  return new Negotiator(request.raw).mediaType(['application/json', 'text/html']) === 'text/html'
}

/**
 * The sender is uv, which shows its user what went wrong where it is typed exactly `application/problem+json`, and asks
 * for that nowhere. (The others look at the status line, or at JSON as devpi sends it.)
 */
export function readsProblems(request: FastifyRequest): boolean {
  return /(^| )uv\//.test(request.headers['user-agent'] ?? '')
}

/**
 * The sender is a browser, whatever it asks for. It is not asked for a password (`WWW-Authenticate`): one that it has it sends with every
 * request, also with those that pages of elsewhere make. (PowerShell calls itself one, and waits to be asked.)
 */
export function isBrowser({ headers }: Pick<FastifyRequest, 'headers'>): boolean {
  return 'sec-fetch-mode' in headers || /^Mozilla\/(?!.*PowerShell\/)/.test(headers['user-agent'] ?? '')
}
