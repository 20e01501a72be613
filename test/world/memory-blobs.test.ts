import { blobStoreContract } from '../../src/blob/blob-store.contract.ts'
import { MemoryBlobs } from './memory-blobs.ts'

blobStoreContract({
  name: 'MemoryBlobs',
  lacks: [{ what: 'survives-reopening', why: 'memory ends with the process, and what a crash left with it' }],
  open: async () => {
    const store = new MemoryBlobs()
    return {
      store,
      drafts: async () => store.drafts,
      reopen: async () => store,
      [Symbol.asyncDispose]: async () => {},
    }
  },
})
