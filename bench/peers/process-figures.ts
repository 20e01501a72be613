/** What the kernel says of a process and of those that it started. Linux only. */
import { readdir, readFile } from 'node:fs/promises'

const TICK_MS = 10
const KIB = 1024

/** CPU of the process and all below it, in milliseconds; those that have ended count when their parent has waited for them. */
export async function cpuMs(pid: number): Promise<number> {
  let ticks = 0
  for (const each of await familyOf(pid)) {
    const fields = await statOf(each)
    // proc_pid_stat(5): utime, stime, cutime and cstime are the 14th to the 17th.
    if (fields !== undefined) ticks += fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0)
  }
  return ticks * TICK_MS
}

/** Memory that they hold now, what they share counted once, in bytes (Pss). */
export async function memoryBytes(pid: number): Promise<number> {
  return await sum(pid, 'smaps_rollup', /^Pss:\s*(\d+) kB$/m)
}

/** The most that each of them ever held, added up, in bytes (VmHWM). */
export async function peakMemoryBytes(pid: number): Promise<number> {
  return await sum(pid, 'status', /^VmHWM:\s*(\d+) kB$/m)
}

async function sum(pid: number, file: string, line: RegExp): Promise<number> {
  let kib = 0
  for (const each of await familyOf(pid)) {
    const text = await readFile(`/proc/${each}/${file}`, 'utf8').catch(() => '')
    kib += Number(line.exec(text)?.[1] ?? 0)
  }
  return kib * KIB
}

/** The process and its descendants. */
async function familyOf(pid: number): Promise<number[]> {
  const children = new Map<number, number[]>()
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const parent = Number((await statOf(Number(name)))?.[1] ?? 0)
    children.set(parent, [...(children.get(parent) ?? []), Number(name)])
  }
  const family = [pid]
  for (const each of family) family.push(...(children.get(each) ?? []))
  return family
}

/** The fields after the name, from the third on; absent when the process has ended. */
async function statOf(pid: number): Promise<string[] | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
}
