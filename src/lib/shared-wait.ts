/** Waits for another thread to change a number in shared memory, without blocking the event loop. */

/** Until somebody notifies that place, or it is no longer `from`; `mostMs` at most. */
export async function waitForChange(cells: Int32Array, place: number, from: number, mostMs: number): Promise<void> {
  const waiting = Atomics.waitAsync(cells, place, from, mostMs)
  if (!waiting.async) return
  // Such waiting alone does not keep a thread alive: it would end in the middle.
  const alive = setTimeout(() => {}, mostMs)
  await waiting.value
  clearTimeout(alive)
}
