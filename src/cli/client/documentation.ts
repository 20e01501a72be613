/** Documentation archives, which devpi keeps beside a release: `NAME-VERSION.doc.zip`. */

/** Whether a file's name is that of a documentation archive, in one of the forms that devpi's client knows. */
export function isDocumentation(filename: string): boolean {
  return /\.docs?\.(?:zip|tar\.gz|tgz)$/i.test(filename)
}
