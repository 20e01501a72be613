/** A thread that sends its share of mutated requests to a server of its own. */
import { parentPort, workerData } from 'node:worker_threads'
import { fuzzDoor } from '../trouble/door-fuzz.ts'

const { count, seed } = workerData as { count: number; seed: number }
parentPort!.postMessage(await fuzzDoor(count, seed))
