/** What the benchmark knows of a server, whichever it is. */
import type { Content } from '../content/content.ts'
import type { Pinned } from './pinned-process.ts'

export type Form = 'html' | 'json'
/** The index that holds the files, or one that has it as the last of its three bases. */
export type Through = 'direct' | 'bases'

/** A server that runs. Paths are absolute and without a host; `undefined` where it has no such thing. */
export interface Peer extends Pinned {
  /** Servers without bases answer both alike. */
  page(project: string, form: Form, through: Through): string | undefined
  list(form: Form): string | undefined
  file(project: string, filename: string): Promise<string | undefined>
  search(word: string): string | undefined
  /** Where uploads go, and what they are sent with. */
  readonly upload?: UploadAddress
}

export interface UploadAddress {
  readonly path: string
  /** With a token, or whatever the server is set up to want. */
  readonly headers: Readonly<Record<string, string>>
  /** With a name and a password in their place, where that differs. */
  readonly passwordHeaders?: Readonly<Record<string, string>>
}

/** A kind of server that takes part. */
export interface PeerKind {
  readonly name: string
  /** How it is set up, in a few words. */
  readonly setup: string
  /** Throws a sentence when it cannot take part on this machine. */
  version(): Promise<string>
  /** Makes a server folder that holds the content, or nothing. `origin` is an Airlock that serves it. */
  prepare(folder: string, content: Content | undefined, origin: Peer | undefined): Promise<void>
  /** Starts it on what `prepare` made. */
  start(folder: string, content: Content | undefined, origin: Peer | undefined): Promise<Peer>
}
