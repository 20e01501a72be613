/** The message of an error, to be quoted in another message. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0])
  if (error.name === 'TimeoutError') return 'it took too long to answer'
  return error.message || String((error as NodeJS.ErrnoException).code ?? error.name)
}
