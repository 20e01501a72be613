/** The `key=value` words behind `devpi index` and `devpi user`. */

/** One word, as written and taken apart; `operation` is what the server does with a list: set, add to, take from. */
export interface KeyValue {
  readonly text: string
  readonly key: string
  readonly operation: '=' | '+=' | '-='
  readonly value: string
}

/** Reads `key=value`, `key+=value` and `key-=value`; `undefined` when a word has no equal sign or no key before it. */
export function parseKeyValues(words: readonly string[]): readonly KeyValue[] | undefined {
  const parsed: KeyValue[] = []
  for (const text of words) {
    const found = /^(?<key>[^=]+?)(?<operation>[+-]?=)(?<value>[\s\S]*)$/.exec(text)?.groups
    if (found === undefined) return undefined
    parsed.push({
      text,
      key: found.key!,
      operation: found.operation as KeyValue['operation'],
      value: found.value!,
    })
  }
  return parsed
}

/** The words as the JSON object that creates a user or an index; a later word for the same key wins. */
export function asConfig(pairs: readonly KeyValue[]): Record<string, string> {
  return Object.fromEntries(pairs.map(({ key, value }) => [key, value]))
}
