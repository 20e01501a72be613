/** Processes that a test started end with it, also when it is given up (time limit, Ctrl-C). */

const owned = new Set<() => void>()

/** Calls `end` when this process ends, unless the function it gives is called before. `end` must not wait for anything. */
export function own(end: () => void): () => void {
  if (owned.size === 0) {
    process.on('exit', endAll)
    process.on('SIGTERM', onSignal)
    process.on('SIGINT', onSignal)
  }
  owned.add(end)
  return () => {
    if (!owned.delete(end) || owned.size > 0) return
    process.off('exit', endAll)
    process.off('SIGTERM', onSignal)
    process.off('SIGINT', onSignal)
  }
}

function endAll(): void {
  for (const end of owned) end()
}

function onSignal(signal: NodeJS.Signals): void {
  endAll()
  owned.clear()
  process.off('SIGTERM', onSignal)
  process.off('SIGINT', onSignal)
  process.kill(process.pid, signal)
}
