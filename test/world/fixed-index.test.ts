import { packageIndexContract } from '../../src/indexes/package-index.contract.ts'
import { fixedIndex } from './fixed-index.ts'

packageIndexContract({
  name: 'fixedIndex()',
  open: async (projects) => ({
    index: fixedIndex('stage', 'alice/fixed', projects),
    read: async (source) => Buffer.from(source.from === 'memory' ? source.bytes : []),
    [Symbol.asyncDispose]: async () => {},
  }),
})
