import type { ProjectStatus } from '../pep/simple.ts'

/** The status that one layer of a chain gives a project. */
export interface LayerSays {
  readonly isStage: boolean
  /** Absent where nobody set one. */
  readonly status: ProjectStatus | undefined
}

/**
 * The status (PEP 792) of a project in a chain. `layers` are those that have the project, in resolution order, mirrors
 * last: the first stage with a status decides, then the first mirror. An upstream's quarantine is of its own files:
 * where another layer has the project too, it is not said of those.
 */
export function chainStatus(layers: readonly LayerSays[]): ProjectStatus | undefined {
  const own = layers.find((layer) => layer.isStage && layer.status !== undefined)?.status
  if (own !== undefined) return own
  const isQuarantined = layers.every(({ status }) => status?.status === 'quarantined')
  return layers.find(({ status }) => status !== undefined && (isQuarantined || status.status !== 'quarantined'))?.status
}
