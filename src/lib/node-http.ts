/**
 * What the server uses of `node:http`. Not by `import`: that evaluates every export of the module, and among them are those of
 * a web client (`WebSocket`), for which Node loads its whole `fetch`, 6 MiB and a tenth of the time that a start takes.
 */
export const { createServer, maxHeaderSize, ServerResponse, STATUS_CODES } = process.getBuiltinModule('node:http')
