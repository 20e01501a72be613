/** The thread of a further worker; nothing else. */
import { parentPort, workerData } from 'node:worker_threads'
import { serveAsWorker } from './cli/serve/serve-worker.ts'
import type { WorkerSeat } from './cli/serve/worker-seat.ts'
import { serverCommands } from './compose/commands.ts'

await serveAsWorker(serverCommands, workerData as WorkerSeat, parentPort!)
