/** Advisories in OSV's schema, made small. */

export interface AdvisoryParts {
  readonly id: string
  readonly name?: string
  readonly ecosystem?: string
  readonly modified?: string
  readonly versions?: readonly string[]
  readonly events?: readonly Readonly<Record<string, string>>[]
  /** More members of the record. */
  readonly more?: Readonly<Record<string, unknown>>
}

/** A record about `acme`, unless told. */
export function advisory(parts: AdvisoryParts): Record<string, unknown> {
  const { id, name = 'acme', ecosystem = 'PyPI', modified = '2026-01-02T03:04:05.678901Z', versions, events } = parts
  return {
    schema_version: '1.7.3',
    id,
    modified,
    published: '2026-01-01T00:00:00Z',
    summary: `What is wrong by ${id}`,
    details: `${id} at length`,
    affected: [
      {
        package: { ecosystem, name },
        ...(versions !== undefined && { versions }),
        ...(events !== undefined && { ranges: [{ type: 'ECOSYSTEM', events }] }),
      },
    ],
    ...parts.more,
  }
}
