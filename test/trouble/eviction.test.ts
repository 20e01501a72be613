import { test } from 'node:test'
import { evictUnderLoad } from './eviction.ts'

test('a mirror with room for 100 MB that is asked for 500 MB keeps to it, and loses nothing private, pinned or being read', async (t) =>
  evictUnderLoad(t, { limitBytes: 100e6, fileBytes: 10e6, files: 50, clients: 4 }))
