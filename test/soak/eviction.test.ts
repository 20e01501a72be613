import { test } from 'node:test'
import { evictUnderLoad } from '../trouble/eviction.ts'

test('a mirror with room for 1 GB that is asked for 5 GB keeps to it, and loses nothing private, pinned or being read', async (t) =>
  evictUnderLoad(t, { limitBytes: 1e9, fileBytes: 50e6, files: 100, clients: 4 }))
