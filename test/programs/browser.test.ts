import assert from 'node:assert/strict'
import { test } from 'node:test'
import { listen } from '../world/listener.ts'
import { startBrowser } from './browser.ts'

test('newPage() shows pages of the server and collects every complaint', async () => {
  const pages: Record<string, string> = {
    '/good': '<!DOCTYPE html><html lang="en"><link rel="icon" href="data:,"><title>Good</title><h1>Good page</h1>',
    '/bad': `<!DOCTYPE html><link rel="icon" href="data:,"><script>document.title = 'run'</script><img src="/missing.png">
      <img src="http://outside.invalid/x.png"><script src="/throws.js"></script>`,
    '/throws.js': 'console.warn("quiet"); throw new Error("Broken on purpose")',
  }
  await using server = await listen((request, response) => {
    const body = pages[request.url ?? '']
    response.setHeader('content-type', request.url === '/throws.js' ? 'text/javascript' : 'text/html')
    response.setHeader('content-security-policy', "script-src 'self'")
    response.writeHead(body === undefined ? 404 : 200).end(body)
  })
  await using browser = await startBrowser()
  await using good = await browser.newPage(server.url)
  await good.page.goto('/good')
  assert.equal(await good.page.title(), 'Good')
  assert.equal(await good.page.getByRole('heading').textContent(), 'Good page')
  assert.ok((await good.page.screenshot()).length > 1000)
  assert.deepEqual(good.complaints, [])

  await using bad = await browser.newPage(server.url, { viewport: { width: 320, height: 600 } })
  await bad.page.goto('/bad')
  const kinds = bad.complaints.map((complaint) => complaint.kind).sort()
  assert.deepEqual(kinds, ['address', 'console', 'policy', 'script'], JSON.stringify(bad.complaints))
  assert.deepEqual(good.complaints, [])
})
