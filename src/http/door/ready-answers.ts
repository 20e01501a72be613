/** Connects the front door with the response cache (the shelf), and counts and logs cached answers like all others. */
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { addressOfClient, peerOf } from '../outside.ts'
import type { Services } from '../services.ts'
import type { Ready } from './front-door.ts'

export function readyAnswers({ shelf, readyFiles, requests, log, server }: Services): Ready {
  return {
    shelf,
    files: readyFiles,
    peerOf: (socket) => peerOf(socket as Socket, server),
    onAnswered: (answer, head, socket) => {
      requests.countReady(answer.labels)
      if (!log.http.isLevelEnabled('info')) return
      const [method = '', url = ''] = head.slice(0, head.indexOf('\r\n')).split(' ')
      log.http.info(
        {
          'request.method': method,
          'request.path': url.slice(0, 1000),
          'response.status': answer.status,
          duration_ms: 0,
          'client.address': addressOfClient(asMessage(head, socket), server),
        },
        `${method} ${url.split('?')[0]!.slice(0, 200)} ${answer.status}`,
      )
    },
  }
}

/** As much of a message as proxies' headers are read from. The head is plain: each line is a field. */
function asMessage(head: string, socket: Duplex): Pick<IncomingMessage, 'headers' | 'socket'> {
  return {
    socket: socket as Socket,
    get headers() {
      const headers: Record<string, string> = {}
      for (const line of head.split('\r\n').slice(1)) {
        const colon = line.indexOf(':')
        const name = line.slice(0, Math.max(colon, 0)).toLowerCase()
        const value = line.slice(colon + 1).trim()
        headers[name] = name in headers ? `${headers[name]}, ${value}` : value
      }
      return headers
    },
  }
}
